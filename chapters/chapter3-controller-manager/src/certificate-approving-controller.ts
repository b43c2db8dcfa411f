// Approves by itself what needs no person: a kubelet's request for its own next certificate, or for its first one. Whether this requestor may
// have that is a question to the API server, like any other: may they create certificatesigningrequests/selfnodeclient, or /nodeclient?
// Kubernetes: pkg/controller/certificates/approver/sarapprove.go

import { type CertificateSigningRequest, CertificateSigningRequests, keyOf, SubjectAccessReviews } from '#kit/api';
import type { AskedCertificate } from '#kit/certificate-requests';
import type { Client } from '#kit/client';
import { kubeletClientProblem, kubeletClientSigner } from './certificate-signers.ts';
import { isUndecided, requestText } from './certificate-states.ts';
import type { Controller, ControllerContext } from './context.ts';
import type { Informer } from './informer.ts';
import { WorkQueue } from './work-queue.ts';

/** What somebody must be allowed to create so that a request is approved, and what is said then. */
export interface Recognition {
  subresource: string;
  message: string;
}

const self = {
  subresource: 'selfnodeclient',
  message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
};
const any = { subresource: 'nodeclient', message: 'Auto approving kubelet client certificate after SubjectAccessReview.' };

export class CertificateApprovingController implements Controller {
  readonly name = 'certificatesigningrequest-approving-controller';
  readonly workers = 5;
  readonly queue: WorkQueue;
  readonly #client: Client;
  readonly #requests: Informer<CertificateSigningRequest>;

  constructor(context: ControllerContext) {
    // Who may not now may soon, when somebody binds a role; it's no reason to ask all the time.
    this.queue = new WorkQueue(context, { baseDelayMs: 200, maxDelayMs: 1_000_000 });
    this.#client = context.client;
    this.#requests = context.informers.for(CertificateSigningRequests);
    const look = (request: CertificateSigningRequest) => this.queue.add(keyOf(request));
    this.#requests.onChange({ added: look, updated: look });
  }

  async reconcile(name: string): Promise<void> {
    const request = this.#requests.get(name);
    if (request?.spec.signerName !== kubeletClientSigner || !isUndecided(request)) return;
    // Only here: it takes a while to load, and few need it.
    const { readCertificateRequest } = await import('#kit/certificate-requests');
    const recognized = recognitions(request, await readCertificateRequest(requestText(request)));
    for (const recognition of recognized) if (await this.#mayHave(request, recognition)) return this.#approve(request, recognition);
    if (recognized.length === 0) return;
    const tried = recognized.map(({ subresource }) => subresource).join(', ');
    throw new Error(`recognized csr ${JSON.stringify(name)} as [${tried}] but subject access review was not approved`);
  }

  async #mayHave({ spec }: CertificateSigningRequest, { subresource }: Recognition): Promise<boolean> {
    const { username: user = '', uid = '', groups = [], extra = {} } = spec;
    const resource = { group: 'certificates.k8s.io', resource: 'certificatesigningrequests', version: '*' };
    const review = { spec: { user, uid, groups, extra, resourceAttributes: { ...resource, subresource, verb: 'create' } } };
    return (await this.#client.create(SubjectAccessReviews, review)).status?.allowed ?? false;
  }

  async #approve(request: CertificateSigningRequest, { message }: Recognition): Promise<void> {
    const approved = { type: 'Approved', status: 'True', reason: 'AutoApproved', message };
    const conditions = [...(request.status?.conditions ?? []), approved];
    await this.#client.updateSubresource(CertificateSigningRequests, { ...request, status: { ...request.status, conditions } }, 'approval');
  }
}

/** As what a request could be approved, in the order in which that is tried. */
export function recognitions({ spec }: CertificateSigningRequest, asked: AskedCertificate): Recognition[] {
  if (spec.signerName !== kubeletClientSigner || kubeletClientProblem(asked, spec.usages ?? [])) return [];
  return spec.username === asked.commonName ? [self, any] : [any];
}
