// Certificate requests: somebody asks for a certificate, somebody else approves, and a third one, the signer, signs. The server writes down who
// asks, keeps the three doors apart, and asks whether this person may approve, or sign, for this signer.
// Kubernetes: pkg/registry/certificates/certificates/strategy.go; plugin/pkg/admission/certificates

import type { CertificateSigningRequest } from 'kubernetes-types/certificates/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import type { KubernetesObject } from '#kit/api';
import type { Authorizer } from './access/authorizer.ts';
import type { AdmissionPlugin, Write } from './admission/admission.ts';
import { forbidden, invalid } from './errors.ts';
import { forbiddenField, immutable, invalidValue, required } from './kinds/field-errors.ts';
import type { KindStrategy } from './kinds/strategy.ts';
import type { ApiObject } from './object.ts';

const group = 'certificates.k8s.io';
/** What is written through /approval, and by nobody else. */
const decisions = ['Approved', 'Denied'];
const apiServerClient = 'kubernetes.io/kube-apiserver-client';

export const certificateSigningRequests: KindStrategy<CertificateSigningRequest> = {
  validate({ spec = {} as CertificateSigningRequest['spec'] }, old) {
    if (old) return immutable('spec', spec, old.spec);
    const { request = '', signerName, usages = [] } = spec;
    return [
      ...(request === '' ? [required('spec.request')] : []),
      ...(usages.length > 0 ? [] : [required('spec.usages')]),
      ...signerProblems(signerName),
    ];
  },

  /** A decision is made once, and not both ways. */
  validateStatus({ status }, old) {
    const types = (status?.conditions ?? []).map(({ type }) => type);
    const field = 'status.conditions';
    const lost = (old.status?.conditions ?? []).filter((condition) => isDecision(condition) && !types.includes(condition.type));
    return [
      ...lost.map(({ type }) => forbiddenField(field, `updates may not remove a condition of type ${JSON.stringify(type)}`)),
      ...(decisions.every((type) => types.includes(type))
        ? [invalidValue(field, types, 'Approved and Denied conditions are mutually exclusive')]
        : []),
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

/** Who writes to /approval decides, and does nothing else: the certificate stays what it was. */
export function approvalUpdated(old: ApiObject, wanted: ApiObject): ApiObject {
  return { ...old, status: { ...statusOf(old), conditions: statusOf(wanted).conditions ?? [] } };
}

function statusOf(request: ApiObject): NonNullable<CertificateSigningRequest['status']> {
  return (request as KubernetesObject as CertificateSigningRequest).status ?? {};
}

function isDecision({ type }: { type: string }): boolean {
  return decisions.includes(type);
}

/** Write down who asks; ask who may decide and who may sign. */
export function certificatePlugins(authorizer: Authorizer): AdmissionPlugin[] {
  return [
    // Upstream the first is no plugin but part of how requests are stored, and so is whether the second finds a request at all.
    { name: 'CertificateRequestor', isOptional: false, admit: writeAuthorDown },
    { name: 'CertificateSubjectRestriction', isOptional: false, validate: look },
    { name: 'CertificateApproval', validate: (write) => demandSigner('approval', 'approve', write, authorizer) },
    {
      name: 'CertificateSigning',
      async validate(write) {
        await demandSigner('status', 'sign', write, authorizer);
        refuseDecision(write);
      },
    },
  ];
}

function isRequest({ target: { resource } }: Write): boolean {
  return resource.group === group && resource.plural === 'certificatesigningrequests';
}

function writeAuthorDown(write: Write): void {
  if (!isRequest(write) || !write.object || write.old) return;
  const request = write.object as KubernetesObject as CertificateSigningRequest;
  const { username: _, uid: __, groups: ___, extra: ____, ...spec } = request.spec ?? ({} as CertificateSigningRequest['spec']);
  const { name, groups, uid, extra } = write.user;
  request.spec = { ...spec, username: name, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
}

/** Throws unless it is a certificate request, and one that asks for no more than certificates may give. */
async function look(write: Write): Promise<void> {
  if (!isRequest(write) || !write.object || write.old) return;
  const { resource, name } = write.target;
  const { request, signerName } = (write.object as KubernetesObject as CertificateSigningRequest).spec;
  // Only here: it takes a while to load, and few need it.
  const { organizationsIn } = await import('#kit/pki');
  let groups: string[];
  try {
    groups = organizationsIn(Buffer.from(request, 'base64').toString());
  } catch (error) {
    const why = `must be a certificate request in PEM, but isn't: ${(error as Error).message}`;
    throw invalid(resource, name, [invalidValue('spec.request', request, why)]);
  }
  if (signerName === apiServerClient && groups.includes('system:masters')) {
    throw forbidden(resource, name, `use of ${apiServerClient} signer with system:masters group is not allowed`);
  }
}

/** Who signs decides nothing. */
function refuseDecision(write: Write): void {
  const { target, object, old, subresource } = write;
  if (!isRequest(write) || subresource !== 'status' || !object || !old) return;
  const decided = statusOf(old).conditions?.map(({ type }) => type) ?? [];
  const added = (statusOf(object).conditions ?? []).filter((condition) => isDecision(condition) && !decided.includes(condition.type));
  const causes = added.map(({ type }) =>
    forbiddenField('status.conditions', `updates may not add a condition of type ${JSON.stringify(type)}`),
  );
  if (causes.length > 0) throw invalid(target.resource, target.name, causes);
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
