// Acting as somebody else: `kubectl --as=jane`. Who may impersonate is a permission like any other, on users, groups, uids and extras; the
// request then counts as the other's, in everything.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/filters/impersonation.go

import type { IncomingMessage } from 'node:http';
import { NotImplemented } from '#kit/not-implemented';
import { badRequest } from '../errors.ts';
import type { ResourceAction } from './actions.ts';
import { anonymous, authenticated, serviceAccountOf, serviceAccountUser, type User, unauthenticated } from './users.ts';

const extraPrefix = 'impersonate-extra-';

type Headers = IncomingMessage['headersDistinct'];

/** Whom a request wants to be; undefined when it is content with itself. Throws when it names groups, but no user. */
export function impersonated(headers: Headers): User | undefined {
  const [name] = headers['impersonate-user'] ?? [];
  const [uid] = headers['impersonate-uid'] ?? [];
  const asked = headers['impersonate-group'] ?? [];
  const extra = Object.fromEntries(
    Object.entries(headers)
      .filter(([key]) => key.startsWith(extraPrefix))
      .map(([key, values = []]) => [decodeURIComponent(key.slice(extraPrefix.length)), values]),
  );
  const hasExtra = Object.keys(extra).length > 0;
  if (!name && (uid || asked.length > 0 || hasExtra)) throw badRequest('requested groups, a uid or extras without impersonating a user');
  if (!name) return undefined;
  return { name, groups: asked, ...(uid ? { uid } : {}), ...(hasExtra ? { extra } : {}) };
}

/**
 * What somebody must be allowed to do to become this user: `impersonate` on `users` by name, or for a service account's name on
 * `serviceaccounts` in its namespace by its own name; on `groups`, each by name; and in the group `authentication.k8s.io` on `uids` by
 * the uid, and on `userextras`, for each key of the extras a subresource, each value as a name. `version` is `v1`.
 */
export function impersonationActions({ name, groups, uid, extra = {} }: User): ResourceAction[] {
  throw new NotImplemented('2.10', 'List every permission that it takes to become a user');
}

function impersonate(group: string, resource: string, name: string, more: Partial<ResourceAction> = {}): ResourceAction {
  return { verb: 'impersonate', group, version: 'v1', resource, subresource: '', namespace: '', name, fieldSelector: '', ...more };
}

/** The user as whom the request goes on: in the groups that everybody of that name is in. */
export function completed(user: User): User {
  const account = serviceAccountOf(user.name);
  const asked = user.groups.length === 0 && account ? serviceAccountUser(account.namespace, account.name).groups : user.groups;
  const everybody = user.name === anonymous.name ? unauthenticated : authenticated;
  return { ...user, groups: [...new Set([...asked, everybody])] };
}
