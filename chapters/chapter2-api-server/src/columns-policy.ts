// Columns of what guards the cluster: quotas, certificate requests, how pods are run.

import type { ParamRef, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from 'kubernetes-types/admissionregistration/v1';
import type { CertificateSigningRequest } from 'kubernetes-types/certificates/v1';
import type { ResourceQuota } from 'kubernetes-types/core/v1';
import type { RuntimeClass } from 'kubernetes-types/node/v1';
import { age, blank, type ColumnsOfKind, count, kind, name, selector, text } from './column.ts';
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

const admissionPolicyColumns = kind<ValidatingAdmissionPolicy>(
  'admissionregistration.k8s.io/validatingadmissionpolicies',
  name,
  count('Validations', ({ spec }) => spec?.validations?.length),
  text('ParamKind', ({ spec }) => (spec?.paramKind ? `${spec.paramKind.apiVersion}/${spec.paramKind.kind}` : '<unset>')),
  age,
);

const bindingColumns = kind<ValidatingAdmissionPolicyBinding>(
  'admissionregistration.k8s.io/validatingadmissionpolicybindings',
  name,
  text('PolicyName', ({ spec }) => spec?.policyName),
  text('ParamRef', ({ spec }) => parameters(spec?.paramRef)),
  age,
);

function parameters(paramRef: ParamRef | undefined): string {
  if (!paramRef) return '<unset>';
  const { name, namespace, selector: labels } = paramRef;
  return name ? `${namespace || '*'}/${name}` : selector(labels);
}

export const policyColumns: ColumnsOfKind[] = [
  admissionPolicyColumns,
  bindingColumns,
  quotaColumns,
  requestColumns,
  kind<RuntimeClass>(
    'node.k8s.io/runtimeclasses',
    name,
    text('Handler', ({ handler }) => handler),
    age,
  ),
];
