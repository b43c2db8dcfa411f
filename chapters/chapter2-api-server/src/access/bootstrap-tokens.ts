// Bootstrap tokens: how a machine that has no certificate yet joins. `abcdef.0123456789abcdef` is the name of a Secret in kube-system and
// the secret inside it; the Secret says until when it counts and for what.
// Kubernetes: plugin/pkg/auth/authenticator/token/bootstrap/bootstrap.go

import { timingSafeEqual } from 'node:crypto';
import type { Secret } from '#kit/api';
import type { Clock } from '#kit/clock';
import { keyOf } from '../keys.ts';
import { findResource, type ResourceDefinition } from '../resources.ts';
import type { Storage } from '../storage.ts';
import type { User } from './users.ts';

const secrets = findResource('', 'v1', 'secrets') as ResourceDefinition;
const form = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const groupForm = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/** Whose token this is; undefined when it is none of this kind, or does not count. */
export async function authenticateBootstrapToken(
  token: string,
  { storage, clock }: { storage: Storage; clock: Clock },
): Promise<User | undefined> {
  const [, id, secret] = form.exec(token) ?? [];
  if (!id || !secret) return undefined;
  const stored = await storage.get(keyOf({ resource: secrets, namespace: 'kube-system', name: `bootstrap-token-${id}` }));
  return stored && bootstrapUser(stored as Secret, id, secret, clock.now());
}

/**
 * The user behind a bootstrap token: `system:bootstrap:<id>` in the groups `system:bootstrappers` and those of `auth-extra-groups`
 * (separated by commas; only names that begin with `system:bootstrappers:` count). The Secret must be of type
 * `bootstrap.kubernetes.io/token` and not being deleted; its data, in base64, must have this `token-id` and `token-secret`,
 * `usage-bootstrap-authentication` "true", and an `expiration` that is still to come, if any.
 */
export function bootstrapUser({ type, metadata, data = {} }: Secret, id: string, secret: string, nowInMs: number): User | undefined {
  const value = (key: string) => Buffer.from(data[key] ?? '', 'base64').toString('utf8');
  const expiration = value('expiration');
  const isLive = !metadata?.deletionTimestamp && (expiration === '' || Date.parse(expiration) > nowInMs);
  const isMeant = type === 'bootstrap.kubernetes.io/token' && value('usage-bootstrap-authentication') === 'true';
  if (!isLive || !isMeant || value('token-id') !== id || !isSame(value('token-secret'), secret)) return undefined;
  const extraGroups = value('auth-extra-groups')
    .split(',')
    .filter((group) => groupForm.test(group));
  return { name: `system:bootstrap:${id}`, groups: ['system:bootstrappers', ...extraGroups] };
}

/** In a time that does not tell how much of it was right. */
function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
