// The roles and bindings that a server has from its first moment are those that our tables have: each allows what it allows there, and no more.
// On the real server this says that the tables are true.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AggregationRule, RoleRef, Subject } from 'kubernetes-types/rbac/v1';
import { initialPolicy } from '#api-server/access/policy/initial-policy';
import { signers } from '#controller-manager/certificate-signers';
import {
  ClusterRoleBindings,
  ClusterRoles,
  type KubernetesObject,
  keyOf,
  type PolicyRule,
  type Resource,
  RoleBindings,
  Roles,
} from '#kit/api';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';

interface Policy extends KubernetesObject {
  rules?: PolicyRule[];
  aggregationRule?: AggregationRule;
  subjects?: Subject[];
  roleRef?: RoleRef;
}

const labelSelector = 'kubernetes.io/bootstrapping=rbac-defaults';
const kinds = { ClusterRole: ClusterRoles, ClusterRoleBinding: ClusterRoleBindings, Role: Roles, RoleBinding: RoleBindings };

/** One line for each thing that the rules allow: how it is told in rules doesn't matter. */
function allowed(rules: PolicyRule[]): string[] {
  const lines = rules.flatMap(({ verbs, nonResourceURLs = [], apiGroups = [], resources = [], resourceNames = ['any'] }) =>
    verbs.flatMap((verb) => [
      ...nonResourceURLs.map((url) => `${verb} ${url}`),
      ...apiGroups.flatMap((group) => resources.flatMap((resource) => resourceNames.map((name) => `${verb} ${resource}.${group} ${name}`))),
    ]),
  );
  return [...new Set(lines)].sort();
}

function meaningOf({ metadata, rules, aggregationRule, subjects, roleRef }: Policy): object {
  const said = {
    labels: metadata?.labels,
    annotations: metadata?.annotations,
    ...(roleRef ? { roleRef, subjects: (subjects ?? []).map((subject) => JSON.stringify(Object.entries(subject).sort())).sort() } : {}),
  };
  return roleRef ? said : { ...said, aggregationRule, allowed: allowed(rules ?? []) };
}

function byKey(objects: Policy[]): Record<string, object> {
  return Object.fromEntries(objects.map((object) => [keyOf(object), meaningOf(object)]).sort());
}

describe('the first policy of a server', () => {
  let plane: TestControlPlane;
  beforeAll(async () => {
    plane = await startTestControlPlane();
  });
  afterAll(() => plane?.stop());

  it.each(Object.entries(kinds))('has every %s, and no other', async (kind, resource) => {
    const wanted = initialPolicy().flatMap(({ object }) => (object.kind === kind ? [object as Policy] : []));
    const { items } = await plane.client.list(resource as Resource<Policy>, { labelSelector });
    expect(byKey(items)).toEqual(byKey(wanted));
  });

  it('lets the loops of certificate requests sign for every signer that they are, and for no other', async () => {
    const { rules = [] } = await plane.client.get(ClusterRoles, { name: 'system:controller:certificate-controller' });
    const signed = rules.flatMap(({ verbs, resourceNames = ['any'] }) => (verbs.includes('sign') ? resourceNames : []));
    expect(signed.sort()).toEqual(Object.keys(signers).sort());
  });
});
