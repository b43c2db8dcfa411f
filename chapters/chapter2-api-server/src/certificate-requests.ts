// Certificate requests: somebody asks for a certificate, somebody else approves, and a third one, the signer, signs. The server writes down who
// asks, keeps the three doors apart, and asks whether this person may approve, or sign, for this signer.
// Kubernetes: pkg/registry/certificates/certificates/strategy.go; plugin/pkg/admission/certificates

import type { CertificateSigningRequest } from 'kubernetes-types/certificates/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import type { KubernetesObject } from '#kit/api';
import type { Authorizer } from './access/authorizer.ts';
import type { AdmissionPlugin, Write } from './admission/admission.ts';
import { forbidden } from './errors.ts';
import { immutable, invalidValue, required } from './kinds/field-errors.ts';
import type { KindStrategy } from './kinds/strategy.ts';
import type { ApiObject } from './object.ts';

const group = 'certificates.k8s.io';
const pem = /^-----BEGIN CERTIFICATE REQUEST-----[\s\S]+-----END CERTIFICATE REQUEST-----\s*$/;

export const certificateSigningRequests: KindStrategy<CertificateSigningRequest> = {
  validate({ spec = {} as CertificateSigningRequest['spec'] }, old) {
    if (old) return immutable('spec', spec, old.spec);
    const { request = '', signerName, usages = [] } = spec;
    return [
      ...(pem.test(Buffer.from(request, 'base64').toString())
        ? []
        : [invalidValue('spec.request', request, 'PEM block type must be CERTIFICATE REQUEST')]),
      ...(usages.length > 0 ? [] : [required('spec.usages')]),
      ...signerProblems(signerName),
    ];
  },
};

function signerProblems(signerName = ''): StatusCause[] {
  if (signerName === '') return [required('spec.signerName')];
  const [domain = '', path = ''] = signerName.split('/');
  const isQualified = domain.includes('.') && path !== '';
  return isQualified
    ? []
    : [invalidValue('spec.signerName', signerName, "must be a fully qualified domain and path of the form 'example.com/signer-name'")];
}

/** Who writes to /approval decides, and does nothing else. */
export function approvalUpdated(old: ApiObject, wanted: ApiObject): ApiObject {
  const { conditions } = (wanted as KubernetesObject as CertificateSigningRequest).status ?? {};
  return { ...old, status: { ...(old.status as object), ...(conditions ? { conditions } : {}) } };
}

/** Write down who asks; ask who may decide and who may sign. */
export function certificatePlugins(authorizer: Authorizer): AdmissionPlugin[] {
  return [
    // Upstream this is no plugin but part of how requests are stored.
    { name: 'CertificateRequestor', admit: writeAuthorDown },
    { name: 'CertificateApproval', validate: (write) => demandSigner('approval', 'approve', write, authorizer) },
    { name: 'CertificateSigning', validate: (write) => demandSigner('status', 'sign', write, authorizer) },
  ];
}

function isRequest({ target: { resource } }: Write): boolean {
  return resource.group === group && resource.plural === 'certificatesigningrequests';
}

function writeAuthorDown(write: Write): void {
  if (!isRequest(write) || !write.object || write.old) return;
  const request = write.object as KubernetesObject as CertificateSigningRequest;
  const { username: _, uid: __, groups: ___, extra: ____, ...spec } = request.spec;
  const { name, groups, uid, extra } = write.user;
  request.spec = { ...spec, username: name, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
}

/** Roles name signers one by one (`example.com/web`) or by domain (`example.com/*`). */
async function demandSigner(door: string, verb: 'approve' | 'sign', write: Write, authorizer: Authorizer): Promise<void> {
  if (!isRequest(write) || write.subresource !== door) return;
  const { signerName = '' } = (write.old as KubernetesObject as CertificateSigningRequest | undefined)?.spec ?? {};
  for (const name of [signerName, signerName.replace(/\/.*$/, '/*')]) {
    const action = { verb, group, version: 'v1', resource: 'signers', subresource: '', namespace: '', name, fieldSelector: '' };
    if ((await authorizer.authorize(write.user, action)).allowed) return;
  }
  throw forbidden(
    write.target.resource,
    write.target.name,
    `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`,
  );
}
