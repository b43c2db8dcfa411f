// The service account tokens of this node's pods: asked for when a pod needs one, kept while they are fresh, asked for anew when four
// fifths of their life are over. Each is bound to its pod: when the pod goes, the token is worth nothing.
// Kubernetes: pkg/kubelet/token/token_manager.go

import type { TokenRequest } from 'kubernetes-types/authentication/v1';
import type { ServiceAccountTokenProjection } from 'kubernetes-types/core/v1';
import { type Pod, ServiceAccounts } from '#kit/api';
import type { Client } from '#kit/client';
import type { Clock } from '#kit/clock';

interface KnownToken {
  token: string;
  /** Milliseconds since the epoch. */
  refreshAt: number;
}

const defaultSeconds = 3600;
const shareOfLife = 0.8;
const dayMs = 24 * 3600 * 1000;

export class TokenCache {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #tokens = new Map<string, KnownToken>();

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async token(pod: Pod, { audience, expirationSeconds = defaultSeconds }: ServiceAccountTokenProjection): Promise<string> {
    const { uid = '', name = '', namespace = '' } = pod.metadata ?? {};
    const account = pod.spec?.serviceAccountName || 'default';
    const key = [uid, account, audience ?? '', expirationSeconds].join('/');
    const known = this.#tokens.get(key);
    const now = this.#clock.now();
    if (known && now < known.refreshAt) return known.token;
    const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name, uid };
    const request = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: audience ? [audience] : [], expirationSeconds, boundObjectRef },
    };
    const answer = await this.#client.createSubresource(ServiceAccounts, { namespace, name: account }, 'token', request);
    const { status, spec } = answer as TokenRequest;
    const lifeMs = (spec.expirationSeconds ?? expirationSeconds) * 1000;
    const token = status?.token ?? '';
    this.#tokens.set(key, { token, refreshAt: now + Math.min(lifeMs * shareOfLife, dayMs) });
    return token;
  }

  forget(podUid: string): void {
    for (const key of this.#tokens.keys()) if (key.startsWith(`${podUid}/`)) this.#tokens.delete(key);
  }
}
