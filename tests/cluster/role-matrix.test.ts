// What the built-in roles allow, as Kubernetes' documentation has it ("Using RBAC Authorization", default roles), and what must hold of
// them whatever anybody asks.

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Action, ResourceAction } from '#api-server/access/actions';
import { initialPolicy } from '#api-server/access/policy/initial-policy';
import { authorizeByRoles, type Policy } from '#api-server/access/rbac';
import { serviceAccountUser } from '#api-server/access/users';
import { resources } from '#api-server/resources';
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '#kit/api';

const apiGroup = 'rbac.authorization.k8s.io';
const objects = initialPolicy().map(({ object }) => object);
const named = <T>(kind: string, name: string, namespace?: string) =>
  objects.find(({ kind: its, metadata }) => its === kind && metadata.name === name && metadata.namespace === namespace) as T | undefined;

/** The cluster's first policy, and users called like a role who have that role: in the namespace shop, or where it counts everywhere. */
const policy: Policy = {
  clusterRole: (name) => named<ClusterRole>('ClusterRole', name),
  role: (namespace, name) => named<Role>('Role', name, namespace),
  clusterRoleBindings: () => [
    ...objects.filter(({ kind }) => kind === 'ClusterRoleBinding').map((object) => object as unknown as ClusterRoleBinding),
    { metadata: { name: 'test' }, roleRef: { apiGroup, kind: 'ClusterRole', name: 'cluster-admin' }, subjects: [user('cluster-admin')] },
  ],
  roleBindings: (namespace) => [
    ...objects
      .filter(({ kind, metadata }) => kind === 'RoleBinding' && metadata.namespace === namespace)
      .map((object) => object as unknown as RoleBinding),
    ...(namespace === 'shop' ? namespaceRoles.map(bindingOf) : []),
  ],
};

const namespaceRoles = ['view', 'edit', 'admin'];

function user(name: string) {
  return { apiGroup, kind: 'User', name };
}

function bindingOf(role: string): RoleBinding {
  return { metadata: { name: role, namespace: 'shop' }, roleRef: { apiGroup, kind: 'ClusterRole', name: role }, subjects: [user(role)] };
}

const authenticated = 'system:authenticated';

/** Accounts are written `kube-system/namespace-controller`. */
function may(who: string, action: Action): boolean {
  const [namespace, account] = who.split('/');
  const asked = account ? serviceAccountUser(namespace ?? '', account) : { name: who, groups: [] };
  return authorizeByRoles({ ...asked, groups: [...asked.groups, authenticated] }, action, policy).allowed;
}

/** `pods`, `deployments.apps`, `pods/log`; `shop` unless told otherwise, '' is everywhere. */
function on(verb: string, what: string, namespace = 'shop', name = ''): ResourceAction {
  const [whole = '', subresource = ''] = what.split('/');
  const [resource = '', ...group] = whole.split('.');
  return { verb, group: group.join('.'), version: 'v1', resource, subresource, namespace, name, fieldSelector: '' };
}

const reading = ['get', 'list', 'watch'];
const writing = ['create', 'update', 'patch', 'delete', 'deletecollection'];

describe('the built-in roles', () => {
  // Who may do it within their namespace: v view, e edit, a admin, c cluster-admin.
  it.each([
    ['veac', reading, 'pods'],
    ['veac', reading, 'pods/log pods/status configmaps services endpoints persistentvolumeclaims serviceaccounts events'],
    ['veac', reading, 'deployments.apps replicasets.apps statefulsets.apps daemonsets.apps jobs.batch cronjobs.batch'],
    ['veac', reading, 'ingresses.networking.k8s.io networkpolicies.networking.k8s.io horizontalpodautoscalers.autoscaling'],
    ['veac', reading, 'resourcequotas limitranges namespaces poddisruptionbudgets.policy controllerrevisions.apps'],
    ['eac', writing, 'pods configmaps services secrets persistentvolumeclaims serviceaccounts'],
    ['eac', writing, 'deployments.apps deployments.apps/scale jobs.batch ingresses.networking.k8s.io'],
    ['eac', reading, 'secrets'],
    ['eac', ['create'], 'pods/exec pods/attach pods/portforward pods/eviction serviceaccounts/token'],
    ['eac', ['get'], 'pods/exec pods/portforward services/proxy'],
    ['eac', ['impersonate'], 'serviceaccounts'],
    ['ac', [...reading, ...writing], 'roles.rbac.authorization.k8s.io rolebindings.rbac.authorization.k8s.io'],
    ['ac', ['create'], 'localsubjectaccessreviews.authorization.k8s.io'],
    ['c', writing, 'resourcequotas limitranges namespaces nodes persistentvolumes endpoints'],
    ['c', ['get', 'delete'], 'nodes clusterroles.rbac.authorization.k8s.io customresourcedefinitions.apiextensions.k8s.io'],
    ['c', ['update'], 'deployments.apps/status'],
    ['c', ['impersonate'], 'users groups'],
    ['c', ['escalate', 'bind'], 'roles.rbac.authorization.k8s.io clusterroles.rbac.authorization.k8s.io'],
  ])('%s may %j %s', (who, verbs, whats) => {
    for (const what of whats.split(' '))
      for (const verb of verbs)
        for (const role of [...namespaceRoles, 'cluster-admin'])
          expect({ role, verb, what, may: may(role, on(verb, what)) }).toEqual({ role, verb, what, may: who.includes(role.charAt(0)) });
  });

  it.each([...namespaceRoles])('%s counts nowhere but in its namespace', (role) => {
    for (const namespace of ['bank', ''])
      for (const verb of [...reading, ...writing]) expect(may(role, on(verb, 'pods', namespace))).toBe(false);
  });

  it.each<[string, boolean, Action]>([
    ['system:kube-scheduler', true, on('list', 'pods', '')],
    ['system:kube-scheduler', true, on('create', 'pods/binding')],
    ['system:kube-scheduler', true, on('patch', 'pods/status')],
    ['system:kube-scheduler', true, on('get', 'leases.coordination.k8s.io', 'kube-system', 'kube-scheduler')],
    ['system:kube-scheduler', false, on('list', 'secrets', '')],
    ['system:kube-scheduler', false, on('create', 'pods')],
    ['system:kube-controller-manager', true, on('create', 'serviceaccounts/token', 'kube-system')],
    ['system:kube-controller-manager', true, on('list', 'deployments.apps', '')],
    ['system:kube-controller-manager', false, on('update', 'deployments.apps')],
    ['system:kube-proxy', true, on('watch', 'endpointslices.discovery.k8s.io', '')],
    ['system:kube-proxy', true, on('list', 'services', '')],
    ['system:kube-proxy', false, on('list', 'pods', '')],
    ['kube-system/deployment-controller', true, on('update', 'replicasets.apps')],
    ['kube-system/deployment-controller', false, on('delete', 'pods', '', 'web')],
    ['kube-system/replicaset-controller', true, on('delete', 'pods')],
    ['kube-system/namespace-controller', true, on('deletecollection', 'widgets.example.com')],
    ['kube-system/generic-garbage-collector', true, on('delete', 'widgets.example.com')],
    ['kube-system/service-account-controller', true, on('create', 'serviceaccounts')],
    ['kube-system/service-account-controller', false, on('create', 'secrets')],
    ['kube-system/root-ca-cert-publisher', true, on('create', 'configmaps')],
    ['kube-system/clusterrole-aggregation-controller', true, on('escalate', 'clusterroles.rbac.authorization.k8s.io', '')],
    // Since the node authorizer knows better, no role is bound to kubelets any more.
    ['system:node:node-1', false, on('get', 'secrets')],
    ['anybody', true, on('create', 'selfsubjectaccessreviews.authorization.k8s.io', '')],
    ['anybody', true, on('create', 'selfsubjectreviews.authentication.k8s.io', '')],
    ['anybody', true, { verb: 'get', path: '/apis/apps/v1' }],
    ['anybody', true, { verb: 'get', path: '/openapi/v3' }],
    ['anybody', false, { verb: 'get', path: '/metrics' }],
    ['anybody', false, on('create', 'subjectaccessreviews.authorization.k8s.io', '')],
    ['anybody', false, on('create', 'tokenreviews.authentication.k8s.io', '')],
    ['anybody', false, on('get', 'pods')],
    ['shop/default', true, { verb: 'get', path: '/openid/v1/jwks' }],
    ['shop/default', false, on('get', 'pods')],
  ])('%s: %j to %j', (who, allowed, action) => {
    expect(may(who, action)).toBe(allowed);
  });

  const verbs = [...reading, ...writing, 'impersonate', 'bind', 'escalate', 'approve'];
  const anyAction = fc.record({
    verb: fc.constantFrom(...verbs),
    resource: fc.constantFrom(...resources),
    subresource: fc.constantFrom('', '', 'status', 'scale', 'exec', 'token', 'finalize', 'proxy'),
    namespace: fc.constantFrom('shop', 'bank', 'kube-system', ''),
    name: fc.constantFrom('', 'one'),
  });
  const asked = ({
    resource: { group, version, plural },
    ...rest
  }: { resource: (typeof resources)[number] } & Omit<
    ResourceAction,
    'group' | 'version' | 'resource' | 'fieldSelector'
  >): ResourceAction => ({
    ...rest,
    group,
    version,
    resource: plural,
    fieldSelector: '',
  });

  it('grow: whatever view may, edit may, what edit may, admin may, and cluster-admin may everything', () => {
    fc.assert(
      fc.property(anyAction, (some) => {
        const action = asked(some);
        const [view, edit, admin, everything] = [...namespaceRoles, 'cluster-admin'].map((role) => may(role, action));
        expect(everything).toBe(true);
        if (view) expect(edit).toBe(true);
        if (edit) expect(admin).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('let nobody give themselves more, or read secrets, who is not meant to', () => {
    fc.assert(
      fc.property(
        anyAction,
        fc.constantFrom('view', 'anybody', 'shop/default', 'system:kube-proxy', 'system:kube-scheduler'),
        (some, who) => {
          const action = asked(some);
          const isAboutRights = action.group === apiGroup && action.verb !== 'get' && action.verb !== 'list' && action.verb !== 'watch';
          const isAboutSecrets = action.group === '' && action.resource === 'secrets';
          if (isAboutRights || isAboutSecrets || ['impersonate', 'bind', 'escalate'].includes(action.verb))
            expect(may(who, action)).toBe(false);
        },
      ),
      { numRuns: 2000 },
    );
  });
});
