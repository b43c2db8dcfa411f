// Columns of what guards the cluster: quotas, certificate requests, how pods are run.

import type { CertificateSigningRequest } from 'kubernetes-types/certificates/v1';
import type { ResourceQuota } from 'kubernetes-types/core/v1';
import type { RuntimeClass } from 'kubernetes-types/node/v1';
import { age, blank, type ColumnsOfKind, kind, name, text } from './column.ts';
import { humanDuration } from './duration.ts';

const quotaColumns = kind<ResourceQuota>(
  '/resourcequotas',
  name,
  age,
  blank('Request', (quota) => usage(quota, (resource) => !resource.startsWith('limits'))),
  blank('Limit', (quota) => usage(quota, (resource) => resource.startsWith('limits'))),
);

/** `pods: 3/10, requests.cpu: 500m/2` */
function usage({ status }: ResourceQuota, isMeant: (resource: string) => boolean): string {
  const hard = Object.entries(status?.hard ?? {}).filter(([resource]) => isMeant(resource));
  return hard
    .sort()
    .map(([resource, most]) => `${resource}: ${status?.used?.[resource] ?? '0'}/${most}`)
    .join(', ');
}

const requestColumns = kind<CertificateSigningRequest>(
  'certificates.k8s.io/certificatesigningrequests',
  name,
  age,
  text('SignerName', ({ spec }) => spec?.signerName),
  text('Requestor', ({ spec }) => spec?.username),
  text('RequestedDuration', ({ spec }) => spec?.expirationSeconds && humanDuration(spec.expirationSeconds * 1000)),
  text('Condition', requestState),
);

/** `Pending`, `Approved`, `Approved,Issued`, `Denied`, … */
function requestState({ status }: CertificateSigningRequest): string {
  const types = new Set(status?.conditions?.map(({ type }) => type));
  const decided = ['Approved', 'Denied', 'Failed'].filter((type) => types.has(type));
  return [...(types.has('Approved') || types.has('Denied') ? decided : ['Pending']), ...(status?.certificate ? ['Issued'] : [])].join(',');
}

export const policyColumns: ColumnsOfKind[] = [
  quotaColumns,
  requestColumns,
  kind<RuntimeClass>(
    'node.k8s.io/runtimeclasses',
    name,
    text('Handler', ({ handler }) => handler),
    age,
  ),
];
