// Role-based access control: who is named in a binding may do what the rules of the bound role allow. ClusterRoleBindings count
// everywhere, RoleBindings in their own namespace, also when they bind a ClusterRole. The order of rules never matters, for none forbids.
// Kubernetes: plugin/pkg/auth/authorizer/rbac/rbac.go, pkg/registry/rbac/validation/rule.go

import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject } from 'kubernetes-types/rbac/v1';
import { type Action, isPathAction } from './actions.ts';
import { ruleAllows } from './rules.ts';
import { serviceAccountUser, type User } from './users.ts';

/** The four kinds of objects that say who may do what. */
export interface Policy {
  clusterRoleBindings(): Iterable<ClusterRoleBinding>;
  /** Those in this namespace. */
  roleBindings(namespace: string): Iterable<RoleBinding>;
  role(namespace: string, name: string): Role | undefined;
  clusterRole(name: string): ClusterRole | undefined;
}

/** `reason` says what allowed it, or why not; a refusal that nobody has an opinion about has none. */
export interface Decision {
  allowed: boolean;
  reason: string;
}

/** A rule that a user has, and where from. */
export interface Grant {
  rule: PolicyRule;
  /** `ClusterRoleBinding "cluster-admin" of ClusterRole "cluster-admin" to Group "system:masters"` */
  source: string;
}

/**
 * Whether a binding's subject is this user: a User by name, a Group that the user is in, a ServiceAccount by its namespace and name (the
 * binding's namespace where the subject names none; '' in a ClusterRoleBinding, and then it is nobody).
 *
 * @exercise 2.10 Compare a subject with a user
 */
export function isSubject({ kind, name, namespace }: Subject, user: User, bindingNamespace: string): boolean {
  if (kind === 'User') return user.name === name;
  if (kind === 'Group') return user.groups.includes(name);
  const home = namespace || bindingNamespace;
  return kind === 'ServiceAccount' && home !== '' && user.name === serviceAccountUser(home, name).name;
}

/**
 * Every rule that counts for this user here, and where it comes from: those of ClusterRoleBindings first, then, if there is a namespace,
 * those of its RoleBindings. A binding of a role that does not exist gives nothing.
 *
 * @exercise 2.10 Collect the rules of every role that a binding gives the user
 */
export function grantsOf(user: User, namespace: string, policy: Policy): Grant[] {
  const everywhere = [...policy.clusterRoleBindings()].flatMap((binding) => grantsBy(binding, user, '', policy));
  const here = namespace ? [...policy.roleBindings(namespace)].flatMap((binding) => grantsBy(binding, user, namespace, policy)) : [];
  return [...everywhere, ...here];
}

/** @solution */
function grantsBy(binding: ClusterRoleBinding | RoleBinding, user: User, namespace: string, policy: Policy): Grant[] {
  const subject = binding.subjects?.find((candidate) => isSubject(candidate, user, namespace));
  if (!subject) return [];
  const source = describeBinding(binding, subject, namespace);
  return rulesOf(binding.roleRef, namespace, policy).map((rule) => ({ rule, source }));
}

/** The rules of the role that a binding in this namespace ('': a ClusterRoleBinding) refers to. */
export function rulesOf({ kind, name }: RoleRef, namespace: string, policy: Policy): PolicyRule[] {
  const role = kind === 'Role' ? policy.role(namespace, name) : policy.clusterRole(name);
  return role?.rules ?? [];
}

function describeBinding({ metadata, roleRef }: ClusterRoleBinding | RoleBinding, subject: Subject, namespace: string): string {
  const binding = namespace ? `RoleBinding "${metadata?.name}/${namespace}"` : `ClusterRoleBinding "${metadata?.name}"`;
  const home = subject.kind === 'ServiceAccount' ? `/${subject.namespace || namespace}` : '';
  return `${binding} of ${roleRef.kind} "${roleRef.name}" to ${subject.kind} "${subject.name}${home}"`;
}

/**
 * Allowed by the first grant whose rule allows it, with the reason `RBAC: allowed by <source>`; else not, without a reason.
 *
 * @exercise 2.10 Find a rule that allows it
 */
export function authorizeByRoles(user: User, action: Action, policy: Policy): Decision {
  const namespace = isPathAction(action) ? '' : action.namespace;
  const grant = grantsOf(user, namespace, policy).find(({ rule }) => ruleAllows(rule, action));
  return grant ? { allowed: true, reason: `RBAC: allowed by ${grant.source}` } : { allowed: false, reason: '' };
}
