// The roles and bindings that every cluster has from its first moment, as objects like any others: kubectl shows them, and who may can
// change them. A server that starts again puts back what was taken away from them, unless an annotation forbids it.
// Kubernetes: pkg/registry/rbac/rest/storage_rbac.go, PostStartHook; pkg/registry/rbac/reconciliation

import type { PolicyRule, Subject } from 'kubernetes-types/rbac/v1';
import { isAlreadyExists } from '#kit/status';
import { equalJson } from '../../json.ts';
import type { ApiObject } from '../../object.ts';
import type { Registry } from '../../registry.ts';
import { apiVersionOf, findResource, type ResourceDefinition } from '../../resources.ts';
import { uncovered } from '../rules.ts';
import { accounts, clusterBindings, namespaceBindings } from './bindings.ts';
import { componentRoles } from './component-roles.ts';
import { controllerRoles } from './controller-roles.ts';
import { namespaceRoles } from './namespace-roles.ts';
import { nodeRules } from './node-rules.ts';
import { gatheringLabel, gatheringRoles, userRoles } from './user-roles.ts';

const group = 'rbac.authorization.k8s.io';
const labels = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const autoupdate = 'rbac.authorization.kubernetes.io/autoupdate';

export interface PolicyObject extends ApiObject {
  rules?: PolicyRule[];
  subjects?: Subject[];
}

interface Wanted {
  resource: ResourceDefinition;
  object: PolicyObject;
}

/** Writes what is missing, all at once: the order does not matter, and a new cluster should not wait for a hundred writes in turn. */
export async function writeInitialPolicy(registry: Registry): Promise<void> {
  await Promise.all(initialPolicy().map((wanted) => ensure(registry, wanted)));
}

async function ensure(registry: Registry, { resource, object }: Wanted): Promise<void> {
  const { name = '', namespace } = object.metadata;
  const target = { resource, namespace, name };
  try {
    await registry.create(target, object);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    await registry.update(target, (current) => reconciled(current as PolicyObject, object));
  }
}

/** What is there, and in addition what is missing: others may have added to it. */
export function reconciled(current: PolicyObject, wanted: PolicyObject): PolicyObject {
  if (current.metadata.annotations?.[autoupdate] === 'false') return current;
  const missingRules = wanted.rules ? uncovered(current.rules ?? [], wanted.rules) : [];
  const present = current.subjects ?? [];
  const isPresent = (subject: Subject) =>
    present.some(({ kind, name, namespace }) => kind === subject.kind && name === subject.name && namespace === subject.namespace);
  const missingSubjects = (wanted.subjects ?? []).filter((subject) => !isPresent(subject));
  return {
    ...current,
    ...(missingRules.length > 0 ? { rules: [...(current.rules ?? []), ...missingRules] } : {}),
    ...(missingSubjects.length > 0 ? { subjects: [...present, ...missingSubjects] } : {}),
  };
}

export function initialPolicy(): Wanted[] {
  const loops = Object.keys(controllerRoles);
  return [
    ...Object.entries({ ...userRoles, ...componentRoles, 'system:node': nodeRules }).map(([name, rules]) => clusterRole(name, rules)),
    ...gatheringRoles.map(({ name, goesInto }) => gatheringRole(name, goesInto)),
    ...loops.map((name) => clusterRole(`system:controller:${name}`, controllerRoles[name] ?? [])),
    ...Object.entries(clusterBindings).map(([role, subjects]) => clusterBinding(role, subjects)),
    ...loops.map((name) => clusterBinding(`system:controller:${name}`, accounts(name))),
    ...Object.entries(namespaceRoles).flatMap(([namespace, roles]) =>
      Object.entries(roles).map(([name, rules]) => policyObject('Role', 'roles', { name, namespace }, { rules })),
    ),
    ...namespaceBindings.map(({ namespace, name, role, subjects }) =>
      policyObject(
        'RoleBinding',
        'rolebindings',
        { name, namespace },
        { subjects, roleRef: { apiGroup: group, kind: 'Role', name: role } },
      ),
    ),
  ];
}

function clusterRole(name: string, rules: PolicyRule[]): Wanted {
  const into = /^system:aggregate-to-(.+)$/.exec(name)?.[1];
  const more = into ? { [gatheringLabel(into)]: 'true' } : {};
  return policyObject('ClusterRole', 'clusterroles', { name, labels: { ...labels, ...more } }, { rules });
}

/** Its first rules are gathered here; from then on a controller follows every change (chapter 3). */
function gatheringRole(name: string, goesInto: string | undefined): Wanted {
  const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { [gatheringLabel(name)]: 'true' } }] };
  const more = goesInto ? { [gatheringLabel(goesInto)]: 'true' } : {};
  return policyObject('ClusterRole', 'clusterroles', { name, labels: { ...labels, ...more } }, { aggregationRule, rules: gather(name) });
}

/** In the controller's own order, so that it finds nothing to do. */
function gather(name: string): PolicyRule[] {
  const narrower = gatheringRoles.filter(({ goesInto }) => goesInto === name).map((role) => role.name);
  const rules = [`system:aggregate-to-${name}`, ...narrower].sort().flatMap((source) => userRoles[source] ?? gather(source));
  return rules.filter((rule, index) => rules.findIndex((other) => equalJson(other, rule)) === index);
}

function clusterBinding(role: string, subjects: Subject[]): Wanted {
  const roleRef = { apiGroup: group, kind: 'ClusterRole', name: role };
  return policyObject('ClusterRoleBinding', 'clusterrolebindings', { name: role }, { subjects, roleRef });
}

function policyObject(
  kind: string,
  plural: string,
  metadata: { name: string; namespace?: string; labels?: Record<string, string> },
  fields: object,
): Wanted {
  const resource = findResource(group, 'v1', plural) as ResourceDefinition;
  const described = { labels, annotations: { [autoupdate]: 'true' }, ...metadata };
  return { resource, object: { apiVersion: apiVersionOf(resource), kind, metadata: described, ...fields } };
}
