// Nobody gives what they do not have. Who may write roles may not write one that says more than their own permissions; who may write
// bindings may not bind such a role, to themselves or to anybody. Two verbs lift this: `escalate` on roles, `bind` on the role bound.
// Kubernetes: pkg/registry/rbac/escalation_check.go, pkg/registry/rbac/clusterrole/policybased/storage.go and its siblings

import type { PolicyRule, RoleRef } from 'kubernetes-types/rbac/v1';
import type { Write } from '../admission/admission.ts';
import { forbidden, notFound } from '../errors.ts';
import { equalJson } from '../json.ts';
import type { ApiObject } from '../object.ts';
import { actionOn, type ResourceAction } from './actions.ts';
import type { Authorizer } from './authorizer.ts';
import { grantsOf, type Policy, rulesOf } from './rbac.ts';
import { uncovered } from './rules.ts';
import { isMaster, type User } from './users.ts';

const rbac = 'rbac.authorization.k8s.io';
const everything: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

interface RoleObject extends ApiObject {
  rules?: PolicyRule[];
  aggregationRule?: { clusterRoleSelectors?: object[] };
  roleRef?: RoleRef;
}

/** Throws 403 Forbidden for a role or binding that would give away what this user does not have. */
export async function refuseEscalation(user: User, { target, object, old }: Write, authorizer: Authorizer): Promise<void> {
  if (target.resource.group !== rbac || !object || isMaster(user) || (old && isSameGift(object, old))) return;
  const { roleRef } = object as RoleObject;
  const name = old ? target.name : '';
  const may = async (action: Partial<ResourceAction>) =>
    (await authorizer.authorize(user, { ...actionOn({ ...target, name }), ...action })).allowed;
  if (roleRef ? await may({ verb: 'bind', resource: pluralOf(roleRef), name: roleRef.name }) : await may({ verb: 'escalate' })) return;
  const policy = await authorizer.policy();
  const owned = grantsOf(user, target.namespace ?? '', policy).map(({ rule }) => rule);
  const given = roleRef ? rulesBehind(roleRef, target.namespace ?? '', policy) : ((object as RoleObject).rules ?? []);
  const missing = uncovered(owned, given);
  if (missing.length > 0) throw forbidden(target.resource, target.name, describeMissing(user, missing));
  // It gathers whatever others will write: who sets it gives away everything.
  if ((gathers(object) || (old && gathers(old))) && uncovered(owned, everything).length > 0)
    throw forbidden(target.resource, target.name, 'must have cluster-admin privileges to use the aggregationRule');
}

/** Labels and the like may change, and finalizers go: nobody gets more by it. */
function isSameGift(object: ApiObject, old: ApiObject): boolean {
  const { metadata: _, ...now } = object;
  const { metadata: __, ...before } = old;
  return equalJson(now, before);
}

function gathers(object: ApiObject): boolean {
  return ((object as RoleObject).aggregationRule?.clusterRoleSelectors ?? []).length > 0;
}

function pluralOf({ kind }: RoleRef): string {
  return kind === 'Role' ? 'roles' : 'clusterroles';
}

/** Who cannot bind by permission must show what the role says, so it must be there. */
function rulesBehind(roleRef: RoleRef, namespace: string, policy: Policy): PolicyRule[] {
  const isThere = roleRef.kind === 'Role' ? policy.role(namespace, roleRef.name) : policy.clusterRole(roleRef.name);
  if (!isThere) throw notFound({ group: rbac, plural: pluralOf(roleRef) }, roleRef.name);
  return rulesOf(roleRef, namespace, policy);
}

/**
 * user "jane" (groups=["developers" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:
 * {APIGroups:[""], Resources:["secrets"], Verbs:["get"]}
 */
function describeMissing({ name, groups }: User, missing: PolicyRule[]): string {
  const listed = groups.map((group) => JSON.stringify(group)).join(' ');
  const rules = compacted(missing).map(compactRule).sort().join('\n');
  return `user ${JSON.stringify(name)} (groups=[${listed}]) is attempting to grant RBAC permissions not currently held:\n${rules}`;
}

/** One rule for all that differs in the verb only. */
function compacted(pieces: PolicyRule[]): PolicyRule[] {
  const byRest = Map.groupBy(pieces, ({ verbs: _, ...rest }) => JSON.stringify(rest));
  return [...byRest.values()].map((alike) => ({ ...alike[0], verbs: [...new Set(alike.flatMap(({ verbs }) => verbs))] }));
}

/** Kubernetes: pkg/apis/rbac/v1/evaluation_helpers.go, CompactString */
function compactRule({ verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: PolicyRule): string {
  const parts = {
    APIGroups: apiGroups,
    Resources: resources,
    NonResourceURLs: nonResourceURLs,
    ResourceNames: resourceNames,
    Verbs: verbs,
  };
  const written = Object.entries(parts).filter(([, values]) => values.length > 0);
  return `{${written.map(([name, values]) => `${name}:[${values.map((value) => JSON.stringify(value)).join(' ')}]`).join(', ')}}`;
}
