// Tokens of service accounts: how programs in pods say who they are. A token is signed, so nobody keeps a list of them; it has an end,
// an audience, and often an object that it is bound to: when the pod is gone, its token is worth nothing.
// Kubernetes: pkg/serviceaccount/claims.go and jwt.go

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Clock, Random } from '#kit/clock';
import { algorithmOf, type Claims, keyId, signToken, verifyToken } from '#kit/json-web-tokens';
import { NotImplemented } from '#kit/not-implemented';
import { keyOf } from '../keys.ts';
import type { ApiObject } from '../object.ts';
import { uuid } from '../object-meta.ts';
import { findResource, type ResourceDefinition } from '../resources.ts';
import type { Storage } from '../storage.ts';
import { serviceAccountUser, type User } from './users.ts';

export interface TokenOptions {
  /** Who signs: `https://kubernetes.default.svc.cluster.local`. A token of another issuer is none of ours. */
  issuer?: string | undefined;
  /** PEM: an ECDSA P-256 or RSA key. Absent: a new one, and then no token outlives this server. */
  signingKey?: string | undefined;
}

export interface ObjectReference {
  name: string;
  uid: string;
}

export type BoundKind = 'pod' | 'secret' | 'node';

/** What only Kubernetes says about a token. */
export interface KubernetesClaims extends Partial<Record<BoundKind, ObjectReference>> {
  namespace: string;
  serviceaccount: ObjectReference;
}

export interface TokenContent {
  account: ApiObject;
  audiences: string[];
  seconds: number;
  bound: Partial<Record<BoundKind, ObjectReference>>;
}

export interface TokenClaims extends Claims {
  'kubernetes.io': KubernetesClaims;
}

const boundResources: [BoundKind, string][] = [
  ['secret', 'secrets'],
  ['pod', 'pods'],
  ['node', 'nodes'],
];

const credentialPrefix = 'authentication.kubernetes.io/';

export class ServiceAccountTokens {
  readonly issuer: string;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #keyId: string;
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor({ issuer = 'https://kubernetes.default.svc.cluster.local', signingKey }: TokenOptions, context: TokenContext) {
    this.issuer = issuer;
    this.#privateKey = signingKey ? createPrivateKey(signingKey) : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    this.#publicKey = createPublicKey(this.#privateKey);
    this.#keyId = keyId(this.#publicKey);
    this.#storage = context.storage;
    this.#clock = context.clock;
    this.#random = context.random;
  }

  /** What a token must be meant for, if this server shall take it. */
  get audiences(): string[] {
    return [this.issuer];
  }

  /** The public key as the OpenID documents tell it, for others who check our tokens. */
  get publicKeys(): object[] {
    const key = this.#publicKey.export({ format: 'jwk' });
    return [{ use: 'sig', ...key, kid: this.#keyId, alg: algorithmOf(this.#publicKey) }];
  }

  issue(content: TokenContent): string {
    const claims = claimsOf(content, { issuer: this.issuer, nowInSeconds: this.#seconds(), id: uuid(this.#random) });
    return signToken(claims, this.#privateKey, this.#keyId);
  }

  /**
   * Whose token this is; undefined when it is not one of ours (signature or issuer: perhaps somebody else knows it), or no longer or not
   * yet good for any of these audiences (`claimsHold`), or when the account or what it is bound to is gone: each must be there under its
   * name with the same uid.
   */
  async authenticate(token: string, audiences: string[] = this.audiences): Promise<{ user: User; audiences: string[] } | undefined> {
    throw new NotImplemented('2.10', 'Check signature, claims, and that account and bound objects are still the same');
  }

  /** What is written in a token that our key has signed, whatever it is. */
  protected claimsIn(token: string): object | undefined {
    return verifyToken(token, this.#publicKey);
  }

  async #isThere(plural: string, namespace: string, { name, uid }: ObjectReference): Promise<boolean> {
    const resource = findResource('', 'v1', plural) as ResourceDefinition;
    const found = await this.#storage.get(keyOf({ resource, namespace: resource.namespaced ? namespace : undefined, name }));
    return found?.metadata.uid === uid;
  }

  #seconds(): number {
    return Math.floor(this.#clock.now() / 1000);
  }
}

export interface TokenContext {
  storage: Storage;
  clock: Clock;
  random: Random;
}

/**
 * What a new token says: issuer, the account's user name as subject, audiences, issued and good from now on, until so many seconds
 * later; under `kubernetes.io` the namespace, and name and uid of the account and of what it is bound to.
 */
export function claimsOf(
  { account, audiences, seconds, bound }: TokenContent,
  { issuer, nowInSeconds, id }: { issuer: string; nowInSeconds: number; id: string },
): TokenClaims {
  throw new NotImplemented('2.10', 'Write the claims of a new token');
}

/**
 * Whether a token that is signed rightly counts: it is from this issuer, for at least one of these audiences, good already (now is nbf or
 * later), not expired yet (now is before exp), and a service account's (it has `kubernetes.io`).
 */
export function claimsHold(
  claims: Partial<TokenClaims>,
  { issuer, audiences, nowInSeconds }: { issuer: string; audiences: string[]; nowInSeconds: number },
): boolean {
  throw new NotImplemented('2.10', 'Check issuer, audience and time');
}

/** The account as a user, with what the token adds: its own id, and the pod and node that it belongs to. */
function userOf({ jti, 'kubernetes.io': { namespace, serviceaccount, pod, node } }: TokenClaims): User {
  const told = {
    'credential-id': jti && `JTI=${jti}`,
    'pod-name': pod?.name,
    'pod-uid': pod?.uid,
    'node-name': node?.name,
    'node-uid': node?.uid,
  };
  const extra = Object.entries(told).flatMap(([key, value]) =>
    value ? [[`${credentialPrefix}${key}`, [value]] as [string, string[]]] : [],
  );
  const { name, groups } = serviceAccountUser(namespace, serviceaccount.name);
  return { name, uid: serviceaccount.uid, groups, extra: Object.fromEntries(extra) };
}
