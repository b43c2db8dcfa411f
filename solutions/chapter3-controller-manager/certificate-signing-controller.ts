// Signs what was approved, for the signers that a cluster has itself, with the cluster's CA. What such a signer does not give, it says so: the
// request has failed, and a new one must be made.
// Kubernetes: pkg/controller/certificates/signer/signer.go, pkg/controller/certificates/authority/policies.go

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type CertificateSigningRequest, CertificateSigningRequests, keyOf } from '#kit/api';
import type { Client } from '#kit/client';
import { type Clock, timestamp } from '#kit/clock';
import type { KeyPair } from '#kit/pki';
import { signers } from './certificate-signers.ts';
import { requestText, waitsForSignature } from './certificate-states.ts';
import type { Controller, ControllerContext } from './context.ts';
import type { Informer } from './informer.ts';
import { WorkQueue } from './work-queue.ts';

export interface ClusterSigning {
  /** The cluster's CA, PEM. */
  authority: KeyPair;
  /** How long a certificate is good for, unless its request wants it shorter. */
  durationMs: number;
}

const minuteMs = 60_000;
/** Certificates begin in the past, for machines whose clocks disagree. */
const backdateMs = 5 * minuteMs;
const shortestMs = 10 * minuteMs;
/** Of what is good for less than this, those minutes would be missed at its end. */
const shortMs = 8 * 60 * minuteMs;

export class CertificateSigningController implements Controller {
  readonly name = 'certificatesigningrequest-signing-controller';
  readonly workers = 5;
  readonly queue: WorkQueue;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #signing: ClusterSigning;
  readonly #requests: Informer<CertificateSigningRequest>;

  /** @throws Error when the CA's key is not its certificate's */
  constructor(context: ControllerContext, signing: ClusterSigning) {
    const { cert, key } = signing.authority;
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
      throw new Error('the key for signing does not belong to the CA for signing: give the controller manager the two files of one CA');
    this.queue = new WorkQueue(context);
    this.#client = context.client;
    this.#clock = context.clock;
    this.#signing = signing;
    this.#requests = context.informers.for(CertificateSigningRequests);
    const look = (request: CertificateSigningRequest) => this.queue.add(keyOf(request));
    this.#requests.onChange({ added: look, updated: look });
  }

  async reconcile(name: string): Promise<void> {
    const request = this.#requests.get(name);
    const problem = signers[request?.spec.signerName ?? ''];
    if (!request || !problem || !waitsForSignature(request)) return;
    const { usages = [], expirationSeconds } = request.spec;
    // Only here: it takes a while to load, and few need it.
    const { readCertificateRequest, signCertificateRequest } = await import('#kit/certificate-requests');
    const text = requestText(request);
    const why = problem(await readCertificateRequest(text), usages);
    if (why) return this.#fail(request, why);
    const { authority, durationMs } = this.#signing;
    const validity = validityOf({ expirationSeconds, durationMs, authorityEnds: endOf(authority.cert), now: this.#clock.now() });
    const signed = await signCertificateRequest(text, { authority, usages, ...validity });
    await this.#write(request, { certificate: Buffer.from(signed).toString('base64') });
  }

  #fail(request: CertificateSigningRequest, message: string): Promise<void> {
    const failed = { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message, lastUpdateTime: timestamp(this.#clock) };
    return this.#write(request, { conditions: [...(request.status?.conditions ?? []), failed] });
  }

  async #write(request: CertificateSigningRequest, more: CertificateSigningRequest['status']): Promise<void> {
    await this.#client.updateStatus(CertificateSigningRequests, { ...request, status: { ...request.status, ...more } });
  }
}

export interface WantedValidity {
  expirationSeconds: number | undefined;
  durationMs: number;
  /** Milliseconds since the Unix epoch, as `now`. */
  authorityEnds: number;
  now: number;
}

/** No longer than the signer gives, than the CA itself is good for, and no shorter than makes sense. @throws Error when the CA is over */
export function validityOf({ expirationSeconds, durationMs, authorityEnds, now }: WantedValidity): { notBefore: Date; notAfter: Date } {
  if (now >= authorityEnds) {
    const since = new Date(authorityEnds).toISOString();
    throw new Error(`the CA for signing expired at ${since}: give the controller manager another one`);
  }
  const wanted = expirationSeconds === undefined ? durationMs : Math.max(shortestMs, expirationSeconds * 1000);
  const ttl = Math.min(wanted, durationMs);
  const end = now + ttl - (ttl < shortMs ? 0 : backdateMs);
  return { notBefore: new Date(now - backdateMs), notAfter: new Date(Math.min(end, authorityEnds)) };
}

function endOf(certificate: string): number {
  return Date.parse(new X509Certificate(certificate).validTo);
}
