// Certificate requests: somebody asks for a certificate, somebody else approves, and a third one, the signer, signs. The server writes down who
// asks, keeps the three doors apart, and asks whether this person may approve, or sign, for this signer.
// Kubernetes: pkg/registry/certificates/certificates/strategy.go; plugin/pkg/admission/certificates

import type { CertificateSigningRequest, CertificateSigningRequestCondition } from 'kubernetes-types/certificates/v1';
import type { KubernetesObject } from '#kit/api';
import type { AskedCertificate } from '#kit/certificate-requests';
import { type Clock, timestamp } from '#kit/clock';
import type { Authorizer } from './access/authorizer.ts';
import { nodeNameOf } from './access/users.ts';
import type { AdmissionPlugin, Write } from './admission/admission.ts';
import { forbidden, invalid } from './errors.ts';
import { isDecision } from './kinds/certificate-requests.ts';
import { forbiddenField, invalidValue } from './kinds/field-errors.ts';
import type { ApiObject } from './object.ts';

const group = 'certificates.k8s.io';
const apiServerClient = 'kubernetes.io/kube-apiserver-client';
const kubeletSigners = ['kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet'];

type Request = CertificateSigningRequest;
type Condition = CertificateSigningRequestCondition;

/** Who writes to /approval decides, and does nothing else: the certificate stays what it was. */
export function approvalUpdated(old: ApiObject, wanted: ApiObject): ApiObject {
  return { ...old, status: { ...statusOf(old), conditions: statusOf(wanted).conditions ?? [] } };
}

function statusOf(request: ApiObject | undefined): NonNullable<Request['status']> {
  return (request as KubernetesObject as Request | undefined)?.status ?? {};
}

/** Write down who asks, and when something was decided; ask who may decide and who may sign. */
export function certificatePlugins(authorizer: Authorizer, clock: Clock): AdmissionPlugin[] {
  return [
    // Upstream the first two are no plugins but part of how requests are stored, and so is whether the third finds a request at all.
    { name: 'CertificateRequestor', isOptional: false, admit: writeAuthorDown },
    { name: 'CertificateConditions', isOptional: false, admit: (write) => completeConditions(write, clock) },
    { name: 'CertificateSubjectRestriction', isOptional: false, validate: (write) => look(write, authorizer) },
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

/** And keep it: what was asked for, and by whom, is the same for ever. */
function writeAuthorDown(write: Write): void {
  if (!isRequest(write) || !write.object) return;
  const request = write.object as KubernetesObject as Request;
  if (write.old) {
    request.spec = (write.old as KubernetesObject as Request).spec;
    return;
  }
  const { username: _, uid: __, groups: ___, extra: ____, ...spec } = request.spec ?? ({} as Request['spec']);
  const { name, groups, uid, extra } = write.user;
  request.spec = { ...spec, username: name, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
}

/** Since when it is so, where the author doesn't say. Who signs can't say anything else about a decision than who decided. */
function completeConditions({ object, old, subresource, ...write }: Write, clock: Clock): void {
  if (!isRequest({ ...write, subresource }) || !object || !old || subresource === '') return;
  const { conditions } = statusOf(object);
  if (!conditions) return;
  const known = statusOf(old).conditions ?? [];
  const now = timestamp(clock);
  const complete = (condition: Condition): Condition => {
    const before = known.find(({ type }) => type === condition.type);
    if (subresource === 'status' && before && isDecision(condition)) return before;
    const since = before?.status === condition.status ? before.lastTransitionTime : undefined;
    return {
      ...condition,
      lastUpdateTime: condition.lastUpdateTime ?? now,
      lastTransitionTime: condition.lastTransitionTime ?? since ?? now,
    };
  };
  object.status = { ...statusOf(object), conditions: conditions.map(complete) };
}

/** Throws unless it is a certificate request, and one that asks for no more than certificates may give. */
async function look(write: Write, { allowsAll }: Authorizer): Promise<void> {
  if (!isRequest(write) || !write.object || write.old) return;
  const { resource, name } = write.target;
  const { request = '', signerName } = (write.object as KubernetesObject as Request).spec;
  // Only here: it takes a while to load, and few need it.
  const { readCertificateRequest } = await import('#kit/certificate-requests');
  let asked: AskedCertificate;
  try {
    asked = await readCertificateRequest(Buffer.from(request, 'base64').toString());
  } catch (error) {
    throw invalid(resource, name, [invalidValue('spec.request', request, (error as Error).message)]);
  }
  if (signerName === apiServerClient && asked.organizations.includes('system:masters')) {
    throw forbidden(resource, name, `use of ${apiServerClient} signer with system:masters group is not allowed`);
  }
  // Upstream it is the plugin NodeRestriction that says this.
  const nodeName = allowsAll || !kubeletSigners.includes(signerName) ? undefined : nodeNameOf(write.user);
  if (nodeName !== undefined && asked.commonName !== `system:node:${nodeName}`) {
    throw forbidden(resource, name, `can only create a node CSR with CN=system:node:${nodeName}`);
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
  const { signerName = '' } = (write.old as KubernetesObject as Request | undefined)?.spec ?? {};
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
