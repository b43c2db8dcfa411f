// Removes certificate requests that nobody needs any more: what was signed, denied or has failed, an hour later; what nobody decided, after a
// day; what was signed and is over, at once. What was approved and has no signer stays.
// Kubernetes: pkg/controller/certificates/cleaner/cleaner.go, which looks at all of them once an hour

import { X509Certificate } from 'node:crypto';
import { type CertificateSigningRequest, CertificateSigningRequests, keyOf } from '#kit/api';
import type { Client } from '#kit/client';
import type { Clock } from '#kit/clock';
import { hasCondition, isIssued } from './certificate-states.ts';
import type { Controller, ControllerContext } from './context.ts';
import type { Informer } from './informer.ts';
import { WorkQueue } from './work-queue.ts';

const hourMs = 3_600_000;
const decidedForMs = hourMs;
const pendingForMs = 24 * hourMs;

export class CertificateCleaner implements Controller {
  readonly name = 'certificatesigningrequest-cleaner-controller';
  readonly workers = 1;
  readonly queue: WorkQueue;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #requests: Informer<CertificateSigningRequest>;

  constructor(context: ControllerContext) {
    this.queue = new WorkQueue(context);
    this.#client = context.client;
    this.#clock = context.clock;
    this.#requests = context.informers.for(CertificateSigningRequests);
    const look = (request: CertificateSigningRequest) => this.queue.add(keyOf(request));
    this.#requests.onChange({ added: look, updated: look });
  }

  async reconcile(name: string): Promise<void> {
    const request = this.#requests.get(name);
    const due = request && notNeededFrom(request);
    if (due === undefined) return;
    const wait = due - this.#clock.now();
    // Whoever decides may write any time down, and no timer waits for years.
    if (wait > 0) this.queue.addAfter(name, Math.min(wait, hourMs));
    else await this.#client.delete(CertificateSigningRequests, { name });
  }
}

/** When a request may go, in milliseconds since the Unix epoch; undefined: not as it is. */
export function notNeededFrom(request: CertificateSigningRequest): number | undefined {
  const { conditions = [], certificate = '' } = request.status ?? {};
  const { creationTimestamp } = request.metadata ?? {};
  if (conditions.length === 0) return creationTimestamp ? Date.parse(creationTimestamp) + pendingForMs : undefined;
  const decided = conditions.flatMap(({ type, lastUpdateTime }) => {
    const isOver = type === 'Denied' || type === 'Failed' || (type === 'Approved' && isIssued(request));
    return isOver && lastUpdateTime ? [Date.parse(lastUpdateTime) + decidedForMs] : [];
  });
  const isApproved = hasCondition(request, 'Approved');
  const ends = isApproved && certificate ? [Date.parse(new X509Certificate(Buffer.from(certificate, 'base64')).validTo)] : [];
  const times = [...decided, ...ends];
  return times.length > 0 ? Math.min(...times) : undefined;
}
