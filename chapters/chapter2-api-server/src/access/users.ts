// Who somebody is to this server, once it knows: a name, groups, and nothing else. Kubernetes keeps no list of users: whoever proves a
// name has it.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/authentication/user/user.go

export interface User {
  name: string;
  groups: string[];
  uid?: string;
  /** What else the one who vouches for the user has to say, e.g. which pod a token belongs to. */
  extra?: Record<string, string[]>;
  /** What the audit log shall say of how they proved who they are. */
  annotations?: Record<string, string>;
}

/** Everybody who proved who they are is in this group; everybody else in the other. */
export const authenticated = 'system:authenticated';
export const unauthenticated = 'system:unauthenticated';

export const anonymous: User = { name: 'system:anonymous', groups: [unauthenticated] };

/** Members of system:masters may do everything, whatever any role says: the way back in when the roles are broken. */
export function isMaster({ groups }: User): boolean {
  return groups.includes('system:masters');
}

export const nodesGroup = 'system:nodes';
const nodePrefix = 'system:node:';

/** The node that this user is the kubelet of; undefined for everybody else. */
export function nodeNameOf({ name, groups }: User): string | undefined {
  return groups.includes(nodesGroup) && name.startsWith(nodePrefix) ? name.slice(nodePrefix.length) : undefined;
}

const accountPrefix = 'system:serviceaccount:';

/** A service account as a user: its name says where it lives. */
export function serviceAccountUser(namespace: string, name: string): Pick<User, 'name' | 'groups'> {
  return {
    name: `${accountPrefix}${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  };
}

/** The account behind a user's name; undefined when it is no service account's. */
export function serviceAccountOf(userName: string): { namespace: string; name: string } | undefined {
  if (!userName.startsWith(accountPrefix)) return undefined;
  const [namespace, name, ...rest] = userName.slice(accountPrefix.length).split(':');
  return namespace && name && rest.length === 0 ? { namespace, name } : undefined;
}
