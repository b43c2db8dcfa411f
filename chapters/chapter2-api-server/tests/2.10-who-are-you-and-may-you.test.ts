import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Action, actionOf, describeRefusal } from '#api-server/access/actions';
import { impersonationActions } from '#api-server/access/impersonation';
import { isSubject } from '#api-server/access/rbac';
import { ruleAllows, uncovered } from '#api-server/access/rules';
import { claimsHold, claimsOf } from '#api-server/access/service-account-tokens';
import {
  ClusterRoleBindings,
  ClusterRoles,
  ConfigMaps,
  Namespaces,
  type Node,
  Nodes,
  Pods,
  type PolicyRule,
  RoleBindings,
  Roles,
  Secrets,
  ServiceAccounts,
} from '#kit/api';
import { Client } from '#kit/client';
import { NotImplemented } from '#kit/not-implemented';
import { ApiError, type Status } from '#kit/status';
import { refusal } from '#kit/testing/api-server';
import { node, pod } from '#kit/testing/builders';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { eventually } from '#kit/testing/wait';
import { readText } from '#kit/transport';

const namespace = 'default';
const apiGroup = 'rbac.authorization.k8s.io';
const clusterRole = (name: string) => ({ apiGroup, kind: 'ClusterRole', name });
const user = (name: string) => ({ apiGroup, kind: 'User', name });

/** What somebody wants to do with pods in the namespace `shop`, unless said otherwise. */
function action(wanted: Partial<Exclude<Action, { path: string }>>): Action {
  const ordinary = {
    verb: 'get',
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: '',
    namespace: 'shop',
    name: '',
    fieldSelector: '',
  };
  return { ...ordinary, ...wanted };
}

function rule(verbs: string, resources: string, { group = '', names }: { group?: string; names?: string[] } = {}): PolicyRule {
  const resourceNames = names ? { resourceNames: names } : {};
  return { verbs: verbs.split(' '), apiGroups: [group], resources: resources.split(' '), ...resourceNames };
}

/** A server may remember for some seconds what it found out about a token. */
const tokenMemory = { within: 20_000 };

describe('API server', () =>
  describe('2.10 who are you and may you', () => {
    let started: TestControlPlane | undefined;
    beforeAll(async () => {
      started = await startTestControlPlane();
    });
    beforeEach(() => NotImplemented.forget());
    const clients: Client[] = [];
    afterAll(async () => {
      for (const client of clients) client.close();
      await started?.stop();
    });
    const plane = () => {
      if (!started) throw new Error('the control plane did not start');
      return started;
    };
    const admin = () => plane().client;

    /** A client without a certificate. */
    const bearing = (token?: string) => {
      const { serverUrl: server, ca } = plane();
      const client = new Client({ server, tls: { ca }, userAgent: 'test', ...(token ? { token } : {}) });
      clients.push(client);
      return client;
    };
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
    const ask = async (client: Client, method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<any> => {
      const answer = await client.send({ method, path, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
      const text = await readText(answer.body);
      return text.startsWith('{') ? JSON.parse(text) : text;
    };
    const get = (client: Client, path: string) => ask(client, 'GET', path);
    const review = (client: Client, group: string, plural: string, spec: object = {}) =>
      ask(client, 'POST', `/apis/${group}.k8s.io/v1/${plural}`, { spec });
    const whoAmI = async (client: Client) => (await review(client, 'authentication', 'selfsubjectreviews')).status.userInfo;
    const isUnknown = async (client: Client) => {
      try {
        await whoAmI(client);
        return false;
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        return error.code === 401;
      }
    };
    const mayI = async (client: Client, resourceAttributes: object) =>
      (await review(client, 'authorization', 'selfsubjectaccessreviews', { resourceAttributes })).status.allowed as boolean;
    /** Until the server has heard of the roles and bindings that were just written. */
    const knows = (client: Client, resourceAttributes: object) =>
      eventually('the permission counts', () => mayI(client, resourceAttributes));
    const bind = (name: string, role: string, who: string, where = namespace) =>
      admin().create(RoleBindings, { metadata: { name, namespace: where }, roleRef: clusterRole(role), subjects: [user(who)] });
    const token = async (name: string, spec: object = {}, client = admin()): Promise<string> => {
      const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
      return (await ask(client, 'POST', path, { spec })).status.token;
    };
    const account = (name: string) => admin().create(ServiceAccounts, { metadata: { name, namespace } });

    describe('what a request wants', () => {
      it.each<[string, string, Partial<Action>]>([
        ['GET', '/api/v1/namespaces/shop/pods/web', { verb: 'get', namespace: 'shop', name: 'web' }],
        ['HEAD', '/api/v1/namespaces/shop/pods/web', { verb: 'get' }],
        ['GET', '/api/v1/namespaces/shop/pods', { verb: 'list', name: '' }],
        ['GET', '/api/v1/pods', { verb: 'list', namespace: '' }],
        ['GET', '/api/v1/pods?watch=true', { verb: 'watch' }],
        ['GET', '/api/v1/pods?watch=false', { verb: 'list' }],
        ['POST', '/api/v1/namespaces/shop/pods', { verb: 'create' }],
        ['PUT', '/api/v1/namespaces/shop/pods/web/status', { verb: 'update', name: 'web', subresource: 'status' }],
        ['PATCH', '/api/v1/namespaces/shop/pods/web', { verb: 'patch' }],
        ['DELETE', '/api/v1/namespaces/shop/pods/web', { verb: 'delete', name: 'web' }],
        ['DELETE', '/api/v1/namespaces/shop/pods', { verb: 'deletecollection', name: '' }],
        ['POST', '/api/v1/namespaces/shop/pods/web/exec?command=ls', { verb: 'create', subresource: 'exec' }],
        ['GET', '/apis/apps/v1/namespaces/shop/deployments/a%20b', { group: 'apps', resource: 'deployments', name: 'a b' }],
        ['GET', '/apis/example.com/v1/things/one', { group: 'example.com', resource: 'things', name: 'one', namespace: '' }],
        ['PUT', '/api/v1/nodes/one/status', { resource: 'nodes', name: 'one', subresource: 'status', namespace: '' }],
        ['POST', '/api/v1/namespaces/shop/pods?watch=true', { verb: 'create' }],
        ['GET', '/api/v1/namespaces/shop/pods?fieldSelector=metadata.name%3Dweb', { verb: 'list', name: 'web' }],
        ['DELETE', '/api/v1/namespaces/shop/pods?fieldSelector=metadata.name%3Dweb', { verb: 'deletecollection', name: '' }],
      ])('%s %s', (method, url, expected) => {
        const [path = '', query] = url.split('?');
        expect(actionOf(method, path, new URLSearchParams(query))).toMatchObject(expected);
      });

      it.each(['/', '/version', '/api', '/api/v1', '/apis/apps', '/apis/apps/v1', '/openid/v1/jwks'])('nothing but a path: %s', (path) => {
        expect(actionOf('GET', path, new URLSearchParams())).toEqual({ verb: 'get', path });
      });

      it('has the name that a field selector demands', () => {
        const query = new URLSearchParams({ fieldSelector: 'metadata.name=web,status.phase=Running', watch: '1' });
        expect(actionOf('GET', '/api/v1/namespaces/shop/pods', query)).toMatchObject({ verb: 'watch', name: 'web' });
      });

      it('is in the namespace, when it is about the namespace', () => {
        const none = new URLSearchParams();
        const wanted = { resource: 'namespaces', namespace: 'shop', name: 'shop' };
        expect(actionOf('GET', '/api/v1/namespaces/shop', none)).toMatchObject({ ...wanted, verb: 'get', subresource: '' });
        expect(actionOf('PUT', '/api/v1/namespaces/shop/finalize', none)).toMatchObject({
          ...wanted,
          verb: 'update',
          subresource: 'finalize',
        });
        expect(actionOf('POST', '/api/v1/namespaces', none)).toMatchObject({ resource: 'namespaces', namespace: '', name: '' });
      });
    });

    describe('a rule', () => {
      it.each<[string, boolean, PolicyRule, Action]>([
        ['allows its verb on its resource', true, rule('get list', 'pods'), action({ verb: 'list' })],
        ['allows no other verb', false, rule('get list', 'pods'), action({ verb: 'watch' })],
        ['allows no other resource', false, rule('get', 'pods'), action({ resource: 'secrets' })],
        ['of one group says nothing of another', false, rule('get', 'pods'), action({ group: 'metrics.k8s.io' })],
        ['for a resource leaves its subresources out', false, rule('get', 'pods'), action({ subresource: 'log' })],
        ['can name a subresource', true, rule('get', 'pods/log'), action({ subresource: 'log' })],
        ['for a subresource leaves the resource out', false, rule('get', 'pods/log'), action({})],
        ['with * as resource includes subresources', true, rule('get', '*'), action({ subresource: 'log' })],
        ['can name a subresource of everything', true, rule('get', '*/scale'), action({ resource: 'things', subresource: 'scale' })],
        ['for a subresource of everything leaves the rest out', false, rule('get', '*/scale'), action({})],
        ['with names allows those', true, rule('get', 'pods', { names: ['web'] }), action({ name: 'web' })],
        ['with names allows no others', false, rule('get', 'pods', { names: ['web'] }), action({ name: 'db' })],
        ['with names allows nothing without a name', false, rule('list', 'pods', { names: ['web'] }), action({ verb: 'list' })],
        ['can name a path', true, { verbs: ['get'], nonResourceURLs: ['/metrics'] }, { verb: 'get', path: '/metrics' }],
        ['for a path leaves out what is below', false, { verbs: ['get'], nonResourceURLs: ['/api'] }, { verb: 'get', path: '/api/v1' }],
        ['can name all paths below one', true, { verbs: ['get'], nonResourceURLs: ['/api/*'] }, { verb: 'get', path: '/api/v1' }],
        ['for everything is not for paths', false, { ...rule('*', '*'), apiGroups: ['*'] }, { verb: 'get', path: '/metrics' }],
        ['for all paths is not for resources', false, { verbs: ['*'], nonResourceURLs: ['*'] }, action({})],
      ])('%s', (_, allowed, given, wanted) => {
        expect(ruleAllows(given, wanted)).toBe(allowed);
      });
    });

    describe('a subject', () => {
      const jane = { name: 'jane', groups: ['developers', 'system:authenticated'] };
      const builder = { name: 'system:serviceaccount:shop:builder', groups: ['system:serviceaccounts'] };

      it('is a user by name, a group by membership', () => {
        expect(isSubject(user('jane'), jane, '')).toBe(true);
        expect(isSubject(user('developers'), jane, '')).toBe(false);
        expect(isSubject({ kind: 'Group', name: 'developers' }, jane, '')).toBe(true);
        expect(isSubject({ kind: 'Group', name: 'jane' }, jane, '')).toBe(false);
      });

      it('is a service account by namespace and name', () => {
        expect(isSubject({ kind: 'ServiceAccount', name: 'builder', namespace: 'shop' }, builder, 'other')).toBe(true);
        expect(isSubject({ kind: 'ServiceAccount', name: 'builder', namespace: 'other' }, builder, 'shop')).toBe(false);
      });

      it('that names no namespace means the binding’s, and nobody where there is none', () => {
        expect(isSubject({ kind: 'ServiceAccount', name: 'builder' }, builder, 'shop')).toBe(true);
        expect(isSubject({ kind: 'ServiceAccount', name: 'builder' }, builder, '')).toBe(false);
        const ofNowhere = { name: 'system:serviceaccount::builder', groups: [] };
        expect(isSubject({ kind: 'ServiceAccount', name: 'builder' }, ofNowhere, '')).toBe(false);
      });

      it('of another kind is nobody', () => {
        expect(isSubject({ kind: 'Robot', name: 'builder', namespace: 'shop' }, builder, '')).toBe(false);
      });
    });

    describe('a refusal', () => {
      it('says who cannot do what, and where', async () => {
        const jane = await plane().clientFor('jane', ['developers']);
        const refused: [string, string, Partial<Status>][] = [
          [
            'GET',
            '/api/v1/namespaces/default/pods',
            {
              message: 'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"',
              details: { kind: 'pods' },
            },
          ],
          [
            'GET',
            '/api/v1/namespaces/default/pods/web/log',
            {
              message: 'pods "web" is forbidden: User "jane" cannot get resource "pods/log" in API group "" in the namespace "default"',
              details: { name: 'web', kind: 'pods' },
            },
          ],
          [
            'DELETE',
            '/apis/apps/v1/namespaces/default/deployments/web',
            {
              message:
                'deployments.apps "web" is forbidden: User "jane" cannot delete resource "deployments" in API group "apps" in the namespace "default"',
              details: { name: 'web', group: 'apps', kind: 'deployments' },
            },
          ],
          [
            'GET',
            '/api/v1/nodes',
            { message: 'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope' },
          ],
          ['GET', '/metrics', { message: 'forbidden: User "jane" cannot get path "/metrics"' }],
        ];
        for (const [method, path, expected] of refused) {
          expect(await refusal(ask(jane, method, path))).toMatchObject({ code: 403, reason: 'Forbidden', ...expected });
        }
      });

      it('comes before anybody looks whether the object, or even the resource, is there', async () => {
        const jane = await plane().clientFor('jane');
        expect((await refusal(get(jane, '/api/v1/namespaces/default/secrets/nothing'))).code).toBe(403);
        expect((await refusal(get(jane, '/apis/example.com/v1/things'))).code).toBe(403);
        expect((await refusal(get(admin(), '/apis/example.com/v1/things'))).code).toBe(404);
      });

      it('quotes names as they are', () => {
        expect(describeRefusal('a"b', { verb: 'get', path: '/x' })).toBe('User "a\\"b" cannot get path "/x"');
      });
    });

    describe('nobody in particular', () => {
      it('may ask whether the server lives, and which version it is', async () => {
        expect(await get(bearing(), '/healthz')).toBe('ok');
        expect(await get(bearing(), '/version')).toMatchObject({ major: '1' });
      });

      it('may do nothing else', async () => {
        for (const path of ['/api', '/apis', '/openapi/v3', '/metrics']) {
          const message = `forbidden: User "system:anonymous" cannot get path "${path}"`;
          expect(await refusal(get(bearing(), path))).toMatchObject({ code: 403, message });
        }
        expect((await refusal(bearing().list(Pods, { namespace }))).code).toBe(403);
      });

      it('is who shows something else than a bearer token', async () => {
        for (const authorization of ['Basic am9lOmpvZQ==', 'Basic bearer nonsense', 'Bearer', 'bearer ']) {
          const answer = ask(bearing(), 'GET', '/api', undefined, { authorization });
          expect((await refusal(answer)).message).toBe('forbidden: User "system:anonymous" cannot get path "/api"');
        }
        const shouting = ask(bearing(), 'GET', '/version', undefined, { authorization: 'BEARER nonsense' });
        expect((await refusal(shouting)).code).toBe(401);
      });

      it('is not who shows a token that nobody knows', async () => {
        const unauthorized = { code: 401, reason: 'Unauthorized', message: 'Unauthorized' };
        expect(await refusal(get(bearing('nonsense'), '/version'))).toMatchObject(unauthorized);
        expect(await refusal(get(bearing('a.b.c'), '/version'))).toMatchObject(unauthorized);
      });
    });

    describe('a role', () => {
      it('counts in the namespace of the binding, and in no other', async () => {
        await admin().create(Namespaces, { metadata: { name: 'elsewhere' } });
        const reader = await plane().clientFor('reader');
        await admin().create(Roles, { metadata: { name: 'reader', namespace }, rules: [rule('get list watch', 'configmaps')] });
        const roleRef = { apiGroup, kind: 'Role', name: 'reader' };
        await admin().create(RoleBindings, { metadata: { name: 'reader', namespace }, roleRef, subjects: [user('reader')] });
        await knows(reader, { verb: 'list', resource: 'configmaps', namespace });
        await reader.list(ConfigMaps, { namespace });
        expect((await refusal(reader.list(ConfigMaps, { namespace: 'elsewhere' }))).code).toBe(403);
        expect((await refusal(reader.list(ConfigMaps))).code).toBe(403);
      });

      it('of the whole cluster counts in one namespace, when a RoleBinding binds it there', async () => {
        const viewer = await plane().clientFor('narrow-viewer');
        await bind('narrow-viewer', 'view', 'narrow-viewer');
        await knows(viewer, { verb: 'list', resource: 'pods', namespace });
        expect(await mayI(viewer, { verb: 'list', resource: 'pods', namespace: 'kube-system' })).toBe(false);
        expect(await mayI(viewer, { verb: 'list', resource: 'nodes' })).toBe(false);
      });

      it('that is not there gives nothing, and everything it says once it is', async () => {
        const early = await plane().clientFor('early');
        await bind('early', 'written-later', 'early');
        await bind('early-too', 'view', 'early');
        await admin().create(RoleBindings, { metadata: { name: 'of-nobody', namespace }, roleRef: clusterRole('admin') });
        await knows(early, { verb: 'list', resource: 'pods', namespace });
        expect(await mayI(early, { verb: 'get', resource: 'secrets', namespace })).toBe(false);
        await admin().create(ClusterRoles, { metadata: { name: 'written-later' }, rules: [rule('get', 'secrets')] });
        await knows(early, { verb: 'get', resource: 'secrets', namespace });
      });

      it('ends with its binding', async () => {
        const guest = await plane().clientFor('guest');
        await bind('guest', 'view', 'guest');
        await knows(guest, { verb: 'list', resource: 'pods', namespace });
        await admin().delete(RoleBindings, { name: 'guest', namespace });
        await eventually('the permission is gone', async () => !(await mayI(guest, { verb: 'list', resource: 'pods', namespace })));
      });

      it('that lets change lets nobody make: an apply that finds no object needs the permission to create', async () => {
        const pat = await plane().clientFor('pat');
        await admin().create(ClusterRoles, { metadata: { name: 'changes-only' }, rules: [rule('patch', 'configmaps')] });
        await bind('changes-only', 'changes-only', 'pat');
        await knows(pat, { verb: 'patch', resource: 'configmaps', namespace });
        const apply = (name: string) => {
          const path = `/api/v1/namespaces/${namespace}/configmaps/${name}?fieldManager=pat`;
          const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { a: '1' } };
          return ask(pat, 'PATCH', path, body, { 'content-type': 'application/apply-patch+yaml' });
        };
        const why = `User "pat" cannot create resource "configmaps" in API group "" in the namespace "${namespace}"`;
        expect(await refusal(apply('new'))).toMatchObject({ code: 403, message: `configmaps "new" is forbidden: ${why}` });
        await admin().create(ConfigMaps, { metadata: { name: 'there', namespace } });
        expect(await apply('there')).toMatchObject({ kind: 'ConfigMap', data: { a: '1' } });
      });

      it('cannot be exchanged in a binding: who bound one role bound no other', async () => {
        const binding = await bind('fixed', 'view', 'somebody');
        const exchanged = admin().update(RoleBindings, { ...binding, roleRef: clusterRole('admin') });
        expect(await refusal(exchanged)).toMatchObject({ code: 422, message: expect.stringContaining('roleRef') });
      });
    });

    describe('the built-in roles', () => {
      const holders = ['view', 'edit', 'admin'];
      beforeAll(async () => {
        await Promise.all(holders.map((role) => bind(`holder-of-${role}`, role, `holder-of-${role}`)));
        await admin().create(ClusterRoleBindings, {
          metadata: { name: 'holder-of-cluster-admin' },
          roleRef: clusterRole('cluster-admin'),
          subjects: [user('holder-of-cluster-admin')],
        });
      });
      const mayThey = async (name: string, groups: string[], resourceAttributes: object) =>
        (await review(admin(), 'authorization', 'subjectaccessreviews', { user: name, groups, resourceAttributes })).status.allowed;

      // Who of view, edit, admin may. From Kubernetes' documentation, "User-facing roles".
      it.each([
        ['get', '', 'pods', [true, true, true]],
        ['watch', 'apps', 'deployments', [true, true, true]],
        ['list', '', 'services', [true, true, true]],
        ['get', '', 'pods/log', [true, true, true]],
        ['get', '', 'secrets', [false, true, true]],
        ['create', '', 'pods', [false, true, true]],
        ['create', '', 'pods/exec', [false, true, true]],
        ['patch', 'apps', 'deployments/scale', [false, true, true]],
        ['deletecollection', '', 'configmaps', [false, true, true]],
        ['impersonate', '', 'serviceaccounts', [false, true, true]],
        ['create', '', 'serviceaccounts/token', [false, true, true]],
        ['get', apiGroup, 'roles', [false, false, true]],
        ['create', apiGroup, 'rolebindings', [false, false, true]],
        ['create', 'authorization.k8s.io', 'localsubjectaccessreviews', [false, false, true]],
        ['escalate', apiGroup, 'roles', [false, false, false]],
        ['bind', apiGroup, 'clusterroles', [false, false, false]],
        ['update', '', 'pods/status', [false, false, false]],
        ['update', '', 'resourcequotas', [false, false, false]],
        ['create', '', 'endpoints', [false, false, false]],
        ['delete', '', 'namespaces', [false, false, false]],
      ])('view, edit, admin: %s %s %s', async (verb, group, path, expected) => {
        const [resource, subresource] = path.split('/');
        const wanted = { verb, group, resource, ...(subresource ? { subresource } : {}), namespace };
        await eventually('all four roles count', () =>
          Promise.all([
            ...holders.map((role) => mayThey(`holder-of-${role}`, [], { verb: 'list', resource: 'pods', namespace })),
            mayThey('holder-of-cluster-admin', [], { verb: 'list', resource: 'nodes' }),
          ]).then((all) => all.every(Boolean)),
        );
        expect(await Promise.all(holders.map((role) => mayThey(`holder-of-${role}`, [], wanted)))).toEqual(expected);
        expect(await mayThey('holder-of-cluster-admin', [], wanted)).toBe(true);
      });

      it.each([
        ['system:kube-scheduler', 'create', '', 'pods/binding', true],
        ['system:kube-scheduler', 'list', '', 'nodes', true],
        ['system:kube-scheduler', 'get', '', 'secrets', false],
        ['system:kube-scheduler', 'create', '', 'pods', false],
        ['system:kube-controller-manager', 'watch', 'apps', 'deployments', true],
        ['system:kube-controller-manager', 'create', '', 'serviceaccounts/token', true],
        ['system:kube-controller-manager', 'delete', '', 'pods', false],
        ['system:kube-proxy', 'watch', 'discovery.k8s.io', 'endpointslices', true],
        ['system:kube-proxy', 'list', '', 'pods', false],
        ['system:serviceaccount:kube-system:replicaset-controller', 'create', '', 'pods', true],
        ['system:serviceaccount:kube-system:replicaset-controller', 'create', 'apps', 'replicasets', false],
        ['system:serviceaccount:kube-system:namespace-controller', 'deletecollection', '', 'secrets', true],
        ['system:serviceaccount:kube-system:endpoint-controller', 'get', '', 'secrets', false],
        ['jane', 'create', 'authorization.k8s.io', 'selfsubjectaccessreviews', true],
        ['jane', 'create', 'authorization.k8s.io', 'subjectaccessreviews', false],
      ])('%s: %s %s %s', async (name, verb, group, path, expected) => {
        const [resource, subresource] = path.split('/');
        const wanted = { verb, group, resource, ...(subresource ? { subresource } : {}), namespace };
        expect(await mayThey(name, ['system:authenticated'], wanted)).toBe(expected);
      });

      it('are objects like any others, with the mark of those that the server keeps up', async () => {
        const view = await admin().get(ClusterRoles, { name: 'view' });
        expect(view.metadata?.labels).toMatchObject({ 'kubernetes.io/bootstrapping': 'rbac-defaults' });
        expect(view.aggregationRule?.clusterRoleSelectors).toEqual([
          { matchLabels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
        ]);
      });
    });

    describe('nobody gives what they do not have', () => {
      it.each<[string, PolicyRule[], PolicyRule[], boolean]>([
        ['one rule within another', [rule('get list', 'pods')], [rule('get', 'pods')], true],
        ['one rule covered by two', [rule('get', 'pods'), rule('list', 'pods')], [rule('get list', 'pods')], true],
        ['a verb too many', [rule('get', 'pods')], [rule('get delete', 'pods')], false],
        ['everything for all verbs', [rule('get list', 'pods')], [rule('*', 'pods')], false],
        ['a name of all names', [rule('get', 'pods')], [rule('get', 'pods', { names: ['web'] })], true],
        ['all names for one', [rule('get', 'pods', { names: ['web'] })], [rule('get', 'pods')], false],
        ['a name of its own', [rule('get', 'pods', { names: ['web', 'db'] })], [rule('get', 'pods', { names: ['web'] })], true],
        ['another name', [rule('get', 'pods', { names: ['web'] })], [rule('get', 'pods', { names: ['db'] })], false],
        ['a name too many', [rule('get', 'pods', { names: ['web'] })], [rule('get', 'pods', { names: ['web', 'db'] })], false],
        ['a subresource', [rule('get', 'pods')], [rule('get', 'pods/log')], false],
        ['a subresource of everything', [rule('get', '*/log')], [rule('get', 'pods/log')], true],
        ['another subresource of everything', [rule('get', '*/log')], [rule('get', 'pods/exec pods')], false],
        ['a path below another', [{ verbs: ['get'], nonResourceURLs: ['/a/*'] }], [{ verbs: ['get'], nonResourceURLs: ['/a/b'] }], true],
        ['all paths below one', [{ verbs: ['get'], nonResourceURLs: ['/a/b'] }], [{ verbs: ['get'], nonResourceURLs: ['/a/*'] }], false],
        ['a path of everything else', [{ ...rule('*', '*'), apiGroups: ['*'] }], [{ verbs: ['get'], nonResourceURLs: ['/a'] }], false],
      ])('%s', (_, owned, wanted, covered) => {
        expect(uncovered(owned, wanted).length === 0).toBe(covered);
      });

      it('names the pieces that are missing, and no others', () => {
        expect(uncovered([rule('get', 'pods')], [rule('get delete', 'pods secrets')])).toEqual([
          rule('get', 'secrets'),
          rule('delete', 'pods'),
          rule('delete', 'secrets'),
        ]);
        const [web, db] = [rule('get', 'pods', { names: ['web'] }), rule('get', 'pods', { names: ['db'] })];
        expect(uncovered([web], [rule('get', 'pods', { names: ['web', 'db'] })])).toEqual([db]);
      });

      const readSecrets = [rule('get', 'secrets')];
      /** May write roles and bindings in the namespace, and what `admin` says; secrets in no other. */
      const roleWriter = async (name: string) => {
        const client = await plane().clientFor(name);
        await admin().create(ClusterRoles, {
          metadata: { name },
          rules: [rule('get create update patch', 'roles rolebindings', { group: apiGroup }), rule('get list', 'pods')],
        });
        await bind(name, name, name);
        await knows(client, { verb: 'create', group: apiGroup, resource: 'roles', namespace });
        return client;
      };

      it('who may write roles writes none that says more than their own', async () => {
        const writer = await roleWriter('writer');
        await writer.create(Roles, { metadata: { name: 'within', namespace }, rules: [rule('get', 'pods')] });
        const refused = await refusal(writer.create(Roles, { metadata: { name: 'beyond', namespace }, rules: readSecrets }));
        expect(refused).toMatchObject({ code: 403, details: { name: 'beyond', kind: 'roles', group: apiGroup } });
        expect(refused.message).toContain(
          'user "writer" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
            '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
        );
      });

      it('nor makes one that is there say more', async () => {
        const writer = await roleWriter('grower');
        const role = await writer.create(Roles, { metadata: { name: 'grown', namespace }, rules: [rule('get', 'pods')] });
        expect((await refusal(writer.update(Roles, { ...role, rules: readSecrets }))).code).toBe(403);
        const patch = writer.patch(Roles, { name: 'grown', namespace }, 'merge', { rules: readSecrets });
        expect((await refusal(patch)).code).toBe(403);
        await writer.patch(Roles, { name: 'grown', namespace }, 'merge', { metadata: { labels: { harmless: 'yes' } } });
      });

      it('nor binds a role that says more, to anybody', async () => {
        const writer = await roleWriter('binder');
        const metadata = { name: 'binder-becomes-admin', namespace };
        const binding = writer.create(RoleBindings, { metadata, roleRef: clusterRole('admin'), subjects: [user('binder')] });
        expect(await refusal(binding)).toMatchObject({ code: 403, message: expect.stringContaining('not currently held') });
      });

      it('who has the verb escalate, or bind on that very role, may', async () => {
        const trusted = await roleWriter('trusted');
        await admin().create(ClusterRoles, {
          metadata: { name: 'trust' },
          rules: [rule('escalate', 'roles', { group: apiGroup }), rule('bind', 'clusterroles', { group: apiGroup, names: ['view'] })],
        });
        await bind('trust', 'trust', 'trusted');
        await knows(trusted, { verb: 'escalate', group: apiGroup, resource: 'roles', namespace });
        await trusted.create(Roles, { metadata: { name: 'beyond-by-trust', namespace }, rules: readSecrets });
        const binding = (role: string) =>
          trusted.create(RoleBindings, {
            metadata: { name: `gives-${role}`, namespace },
            roleRef: clusterRole(role),
            subjects: [user('x')],
          });
        await binding('view');
        expect((await refusal(binding('edit'))).code).toBe(403);
      });
    });

    describe('a service account’s token', () => {
      it('proves who it is, with the groups of every account', async () => {
        const { metadata } = await account('builder');
        expect(await whoAmI(bearing(await token('builder')))).toMatchObject({
          username: 'system:serviceaccount:default:builder',
          uid: metadata?.uid,
          groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
        });
      });

      it('gives what is bound to the account', async () => {
        await account('deployer');
        const client = bearing(await token('deployer'));
        expect((await refusal(client.list(Pods, { namespace }))).message).toContain('User "system:serviceaccount:default:deployer"');
        const subjects = [{ kind: 'ServiceAccount', name: 'deployer', namespace }];
        await admin().create(RoleBindings, { metadata: { name: 'deployer', namespace }, roleRef: clusterRole('edit'), subjects });
        await knows(client, { verb: 'list', resource: 'pods', namespace });
        await client.list(Pods, { namespace });
      });

      it('says whose it is, for whom, and how long', () => {
        const about = { metadata: { name: 'builder', namespace: 'shop', uid: 'uid-1' }, apiVersion: 'v1', kind: 'ServiceAccount' };
        const bound = { pod: { name: 'web', uid: 'uid-2' } };
        const content = { account: about, audiences: ['vault'], seconds: 600, bound };
        expect(claimsOf(content, { issuer: 'https://issuer', nowInSeconds: 1000, id: 'id-1' })).toEqual({
          iss: 'https://issuer',
          sub: 'system:serviceaccount:shop:builder',
          aud: ['vault'],
          iat: 1000,
          nbf: 1000,
          exp: 1600,
          jti: 'id-1',
          'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'builder', uid: 'uid-1' }, pod: bound.pod },
        });
      });

      it.each([
        ['counts in its first second', 1000, 'https://issuer', ['api'], true],
        ['counts in its last second', 1599, 'https://issuer', ['other', 'api'], true],
        ['does not count at its end', 1600, 'https://issuer', ['api'], false],
        ['does not count before its time', 999, 'https://issuer', ['api'], false],
        ['of another issuer does not count', 1000, 'https://elsewhere', ['api'], false],
        ['for another audience does not count', 1000, 'https://issuer', ['vault'], false],
      ])('%s', (_, nowInSeconds, issuer, audiences, counts) => {
        const about = { metadata: { name: 'a', namespace: 'n', uid: 'u' }, apiVersion: 'v1', kind: 'ServiceAccount' };
        const content = { account: about, audiences: ['api', 'more'], seconds: 600, bound: {} };
        const claims = claimsOf(content, { issuer: 'https://issuer', nowInSeconds: 1000, id: '' });
        expect(claimsHold(claims, { issuer, audiences, nowInSeconds })).toBe(counts);
        const { 'kubernetes.io': _account, ...ofNobody } = claims;
        expect(claimsHold(ofNobody, { issuer, audiences, nowInSeconds })).toBe(false);
      });

      it('that somebody changed proves nothing', async () => {
        await account('honest');
        const [header = '', payload = '', signature = ''] = (await token('honest')).split('.');
        const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
        const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
        const changed = encode({ ...claims, sub: 'system:serviceaccount:kube-system:honest' });
        const unsigned = `${encode({ alg: 'none' })}.${payload}.`;
        for (const forged of [`${header}.${changed}.${signature}`, unsigned]) {
          expect((await refusal(get(bearing(forged), '/api'))).code).toBe(401);
        }
        expect(await get(bearing([header, payload, signature].join('.')), '/api')).toMatchObject({ kind: 'APIVersions' });
      });

      it('for another audience is none for this server, and TokenReview tells for whom it is', async () => {
        await account('traveller');
        const abroad = await token('traveller', { audiences: ['vault', 'safe'] });
        expect((await refusal(get(bearing(abroad), '/api'))).code).toBe(401);
        const reviewed = async (spec: object) => (await review(admin(), 'authentication', 'tokenreviews', spec)).status;
        expect(await reviewed({ token: abroad, audiences: ['vault', 'other'] })).toMatchObject({
          authenticated: true,
          audiences: ['vault'],
          user: { username: 'system:serviceaccount:default:traveller' },
        });
        expect((await reviewed({ token: abroad })).authenticated).toBeFalsy();
      });

      it('dies with the account, also when another one takes its name', async () => {
        await account('mortal');
        const client = bearing(await token('mortal'));
        await whoAmI(client);
        await admin().delete(ServiceAccounts, { name: 'mortal', namespace });
        await eventually('the token counts no more', () => isUnknown(client), tokenMemory);
        await account('mortal');
        expect(await isUnknown(client)).toBe(true);
      });

      it('that is bound to a pod tells which, and dies with it', async () => {
        await account('worker');
        const { metadata } = await admin().create(Pods, pod('bound').specified({ serviceAccountName: 'worker' }));
        const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'bound', uid: metadata?.uid };
        const client = bearing(await token('worker', { boundObjectRef }));
        expect((await whoAmI(client)).extra).toMatchObject({ 'authentication.kubernetes.io/pod-name': ['bound'] });
        await admin().delete(Pods, { name: 'bound', namespace });
        await eventually('the token counts no more', () => isUnknown(client), tokenMemory);
      });

      it('that is bound to a pod tells its node, and does not care whether that is there', async () => {
        await account('homeless');
        await admin().create(Nodes, node('node-9'));
        await admin().create(Pods, pod('left').boundTo('node-9').specified({ serviceAccountName: 'homeless' }));
        const client = bearing(await token('homeless', { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'left' } }));
        await admin().delete(Nodes, { name: 'node-9' });
        const toldOf = { 'authentication.kubernetes.io/node-name': ['node-9'] };
        expect((await whoAmI(client)).extra).toMatchObject(toldOf);
        await admin().create(Nodes, node('node-9'));
        expect((await whoAmI(client)).extra).toMatchObject(toldOf);
        await admin().delete(Nodes, { name: 'node-9' });
      });

      it('is good for an hour when nothing else is asked, be it left out or null', async () => {
        await account('hourly');
        for (const spec of [{}, { audiences: null, expirationSeconds: null, boundObjectRef: null }]) {
          const [, claims = ''] = (await token('hourly', spec)).split('.');
          const { iat, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString());
          expect(exp - iat).toBe(3600);
        }
      });

      it('is not given for less than ten minutes, for an account that is missing, or for another account’s pod', async () => {
        await account('asked');
        expect(await refusal(token('asked', { expirationSeconds: 60 }))).toMatchObject({
          code: 422,
          message: expect.stringContaining('spec.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes'),
        });
        expect((await refusal(token('nobody'))).message).toBe('serviceaccounts "nobody" not found');
        await admin().create(Pods, pod('foreign').specified({ serviceAccountName: 'worker' }));
        const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'foreign' };
        expect((await refusal(token('asked', { boundObjectRef }))).code).toBe(400);
      });
    });

    describe('a bootstrap token', () => {
      const secret = (id: string, more: Record<string, string> = {}) =>
        admin().create(Secrets, {
          metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
          type: 'bootstrap.kubernetes.io/token',
          stringData: { 'token-id': id, 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true', ...more },
        });

      it('is the name and the content of a secret in kube-system', async () => {
        await secret('abcdef', { 'auth-extra-groups': 'system:bootstrappers:worker' });
        expect(await whoAmI(bearing('abcdef.0123456789abcdef'))).toEqual({
          username: 'system:bootstrap:abcdef',
          groups: ['system:bootstrappers', 'system:bootstrappers:worker', 'system:authenticated'],
        });
        expect((await refusal(whoAmI(bearing('abcdef.0123456789abcdee')))).code).toBe(401);
      });

      it('that has expired counts no more', async () => {
        await secret('old000', { expiration: '2020-01-01T00:00:00Z' });
        expect((await refusal(whoAmI(bearing('old000.0123456789abcdef')))).code).toBe(401);
      });
    });

    describe('acting as somebody else', () => {
      const as = (client: Client, headers: Record<string, string>) =>
        ask(client, 'POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {}, headers);

      it('makes the request theirs, in everything', async () => {
        const seen = await as(admin(), { 'impersonate-user': 'joe', 'impersonate-group': 'guests' });
        expect(seen.status.userInfo).toEqual({ username: 'joe', groups: ['guests', 'system:authenticated'] });
        const list = ask(admin(), 'GET', '/api/v1/nodes', undefined, { 'impersonate-user': 'joe' });
        expect((await refusal(list)).message).toContain('User "joe" cannot list resource "nodes"');
      });

      it('needs the permission for each part', async () => {
        const helper = await plane().clientFor('helper');
        await admin().create(ClusterRoles, { metadata: { name: 'be-joe' }, rules: [rule('impersonate', 'users', { names: ['joe'] })] });
        const subjects = [user('helper')];
        await admin().create(ClusterRoleBindings, { metadata: { name: 'be-joe' }, roleRef: clusterRole('be-joe'), subjects });
        await knows(helper, { verb: 'impersonate', resource: 'users', name: 'joe' });
        expect((await as(helper, { 'impersonate-user': 'joe' })).status.userInfo.username).toBe('joe');
        expect((await refusal(as(helper, { 'impersonate-user': 'ann' }))).message).toBe(
          'users "ann" is forbidden: User "helper" cannot impersonate resource "users" in API group "" at the cluster scope',
        );
        const asAdmins = as(helper, { 'impersonate-user': 'joe', 'impersonate-group': 'system:masters' });
        expect((await refusal(asAdmins)).message).toContain('groups "system:masters" is forbidden');
      });

      it('asks for a service account in its namespace, for uids and extras in a group of their own', () => {
        const wanted = { name: 'system:serviceaccount:shop:builder', groups: [], uid: 'u', extra: { scopes: ['view', 'edit'] } };
        expect(impersonationActions(wanted)).toMatchObject([
          { verb: 'impersonate', group: '', resource: 'serviceaccounts', namespace: 'shop', name: 'builder' },
          { verb: 'impersonate', group: 'authentication.k8s.io', resource: 'uids', name: 'u' },
          { group: 'authentication.k8s.io', resource: 'userextras', subresource: 'scopes', name: 'view' },
          { group: 'authentication.k8s.io', resource: 'userextras', subresource: 'scopes', name: 'edit' },
        ]);
      });
    });

    describe('a kubelet', () => {
      const kubelet = (name: string) => plane().clientFor(`system:node:${name}`, ['system:nodes']);
      beforeAll(async () => {
        for (const name of ['of-node-1', 'of-node-2', 'of-nobody'])
          await admin().create(Secrets, { metadata: { name, namespace }, stringData: { a: 'b' } });
        for (const name of ['node-1', 'node-2']) {
          await admin().create(Nodes, node(name));
          const env = [{ name: 'A', valueFrom: { secretKeyRef: { name: `of-${name}`, key: 'a' } } }];
          const containers = [{ name: 'main', image: 'kubekata/echo:v1', env }];
          await admin().create(
            Pods,
            pod(`on-${name}`)
              .boundTo(name)
              .specified({ containers: containers as never }),
          );
        }
      });

      it('reads the secrets of its own pods, and no others', async () => {
        const client = await kubelet('node-1');
        await eventually('the server knows the pods', () => client.get(Secrets, { name: 'of-node-1', namespace }));
        for (const name of ['of-node-2', 'of-nobody']) {
          expect((await refusal(client.get(Secrets, { name, namespace }))).message).toContain(
            "no relationship found between node 'node-1' and this object",
          );
        }
        expect((await refusal(client.list(Secrets, { namespace }))).code).toBe(403);
        expect((await refusal(client.delete(Secrets, { name: 'of-node-1', namespace }))).message).toContain(
          'can only read resources of this type',
        );
      });

      it.each<[string, object, string]>([
        ['a subresource', { verb: 'get', name: 'of-node-1', subresource: 'status', namespace }, 'cannot read subresource'],
        ['outside of namespaces', { verb: 'get', name: 'of-node-1' }, 'can only read namespaced object of this type'],
        ['without a name', { verb: 'list', namespace }, 'No Object name found'],
      ])('reads no secret %s', async (_, attributes, reason) => {
        const asked = { user: 'system:node:node-1', groups: ['system:nodes'], resourceAttributes: { resource: 'secrets', ...attributes } };
        const { status } = await review(admin(), 'authorization', 'subjectaccessreviews', asked);
        expect([status.allowed, status.reason]).toEqual([false, reason]);
      });

      it('watches its own pods, and no others', async () => {
        const client = await kubelet('node-1');
        expect((await client.list(Pods, { fieldSelector: 'spec.nodeName=node-1' })).items).toHaveLength(1);
        expect((await refusal(client.list(Pods, { fieldSelector: 'spec.nodeName=node-2' }))).code).toBe(403);
        expect((await refusal(client.list(Pods))).message).toContain('can only list/watch pods with spec.nodeName field selector');
      });

      it('writes the status of its own pods, and no others', async () => {
        const client = await kubelet('node-1');
        const patch = (name: string, status: object) =>
          client.patch(Pods, { name, namespace }, 'merge', { status }, { subresource: 'status' });
        await patch('on-node-1', { message: 'fine' });
        expect((await refusal(patch('on-node-2', { message: 'mine' }))).message).toContain(
          'node "node-1" can only update pod status for pods with spec.nodeName set to itself',
        );
      });

      it('deletes its own pods, and creates none but mirrors', async () => {
        const client = await kubelet('node-1');
        const gone = client.delete(Pods, { name: 'on-node-2', namespace }, { gracePeriodSeconds: 0 });
        expect((await refusal(gone)).message).toContain('node "node-1" can only delete pods with spec.nodeName set to itself');
        expect((await refusal(client.create(Pods, pod('made').boundTo('node-1')))).message).toContain('can only create mirror pods');
      });

      it('changes its own node, and no other', async () => {
        const client = await kubelet('node-1');
        const patch = (name: string, change: object) => client.patch(Nodes, { name }, 'merge', change);
        await patch('node-1', { metadata: { labels: { color: 'blue', 'topology.kubernetes.io/zone': 'a' } } });
        expect((await refusal(patch('node-2', { metadata: { labels: { color: 'red' } } }))).message).toBe(
          'nodes "node-2" is forbidden: node "node-1" is not allowed to modify node "node-2"',
        );
      });

      it('draws no pods to itself: not by taints, not by labels that are not its own', async () => {
        const client = await kubelet('node-1');
        const patch = (change: Node) => client.patch(Nodes, { name: 'node-1' }, 'merge', change);
        const tainted = patch({ spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } });
        expect((await refusal(tainted)).message).toContain('node "node-1" is not allowed to modify taints');
        await admin().patch(Nodes, { name: 'node-1' }, 'merge', { spec: { taints: [{ key: 'b', effect: 'NoSchedule' }] } });
        expect((await refusal(patch({ spec: { taints: [] } }))).message).toContain('node "node-1" is not allowed to modify taints');
        await patch({ metadata: { labels: { size: 'large' } } });
        await admin().patch(Nodes, { name: 'node-1' }, 'merge', { spec: { taints: null } });
        const labels = { 'node-role.kubernetes.io/control-plane': '', 'node-restriction.kubernetes.io/vault': 'yes', color: 'green' };
        expect((await refusal(patch({ metadata: { labels } }))).message).toContain(
          'is not allowed to modify labels: node-restriction.kubernetes.io/vault, node-role.kubernetes.io/control-plane',
        );
        const created = client.create(Nodes, node('node-1').labelled({ 'kubernetes.io/team': 'x' }));
        expect((await refusal(created)).message).toContain('not allowed to set the following labels: kubernetes.io/team');
      });

      it('gets tokens for its own pods only', async () => {
        const client = await kubelet('node-1');
        await account('runner');
        const bound = async (name: string, where: string) => {
          const volumes = [{ name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }];
          const { metadata } = await admin().create(Pods, pod(name).boundTo(where).specified({ serviceAccountName: 'runner', volumes }));
          return { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid: metadata?.uid } };
        };
        const [own, foreign] = [await bound('runs-here', 'node-1'), await bound('runs-there', 'node-2')];
        await eventually('the server knows the pod', () => token('runner', own, client));
        expect((await refusal(token('runner', {}, client))).message).toContain('node requested token not bound to a pod');
        expect((await refusal(token('runner', foreign, client))).message).toContain(
          'node requested token bound to a pod scheduled on a different node',
        );
      });
    });

    describe('a question', () => {
      it('of what I may do is answered rule by rule', async () => {
        const lister = await plane().clientFor('lister');
        await admin().create(Roles, { metadata: { name: 'lister', namespace }, rules: [rule('get', 'secrets', { names: ['one'] })] });
        const roleRef = { apiGroup, kind: 'Role', name: 'lister' };
        await admin().create(RoleBindings, { metadata: { name: 'lister', namespace }, roleRef, subjects: [user('lister')] });
        await knows(lister, { verb: 'get', resource: 'secrets', name: 'one', namespace });
        const { status } = await review(lister, 'authorization', 'selfsubjectrulesreviews', { namespace });
        expect(status.resourceRules).toContainEqual(rule('get', 'secrets', { names: ['one'] }));
        expect(status.nonResourceRules).toContainEqual(
          expect.objectContaining({ verbs: ['get'], nonResourceURLs: expect.arrayContaining(['/api']) }),
        );
        for (const { resources } of status.resourceRules) expect(resources).toBeDefined();
        for (const { nonResourceURLs } of status.nonResourceRules) expect(nonResourceURLs).toBeDefined();
        expect(status.incomplete).toBe(false);
        const nowhere = review(lister, 'authorization', 'selfsubjectrulesreviews', {});
        expect(await refusal(nowhere)).toMatchObject({ code: 400, message: 'no namespace on request' });
        const elsewhere = await review(lister, 'authorization', 'selfsubjectrulesreviews', { namespace: 'kube-system' });
        expect(elsewhere.status.resourceRules).not.toContainEqual(rule('get', 'secrets', { names: ['one'] }));
      });

      it('of what a kubelet may do has no whole answer', async () => {
        const client = await plane().clientFor('system:node:node-9', ['system:nodes']);
        const { status } = await review(client, 'authorization', 'selfsubjectrulesreviews', { namespace });
        expect(status).toMatchObject({ incomplete: true, evaluationError: 'node authorizer does not support user rule resolution' });
      });

      it('of what somebody else may do names the binding that allows it', async () => {
        await bind('asked-about', 'view', 'asked-about');
        const asked = { user: 'asked-about', resourceAttributes: { verb: 'list', resource: 'pods', namespace } };
        const allowed = await eventually('the permission counts', async () => {
          const { status } = await review(admin(), 'authorization', 'subjectaccessreviews', asked);
          return status.allowed && status;
        });
        expect(allowed.reason).toBe('RBAC: allowed by RoleBinding "asked-about/default" of ClusterRole "view" to User "asked-about"');
        await admin().create(ClusterRoleBindings, {
          metadata: { name: 'asked-everywhere' },
          roleRef: clusterRole('view'),
          subjects: [user('asked-everywhere')],
        });
        const everywhere = { user: 'asked-everywhere', resourceAttributes: { verb: 'list', resource: 'pods' } };
        const reason = await eventually('the permission counts everywhere', async () => {
          const { status } = await review(admin(), 'authorization', 'subjectaccessreviews', everywhere);
          return status.allowed && status.reason;
        });
        expect(reason).toBe('RBAC: allowed by ClusterRoleBinding "asked-everywhere" of ClusterRole "view" to User "asked-everywhere"');
        const nobody = { user: 'nobody', resourceAttributes: { verb: 'list', resource: 'pods', namespace } };
        expect((await review(admin(), 'authorization', 'subjectaccessreviews', nobody)).status).toEqual({ allowed: false });
      });

      it('may be asked in protobuf, as controllers in Go do', async () => {
        // A message is its fields: each a number and a type in one byte, a length, and the text or the message itself.
        const field = (number: number, value: string | Buffer) => {
          const bytes = Buffer.from(value);
          return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
        };
        const type = Buffer.concat([field(1, 'authorization.k8s.io/v1'), field(2, 'SubjectAccessReview')]);
        const resource = Buffer.concat([field(1, namespace), field(2, 'list'), field(5, 'pods')]);
        const spec = Buffer.concat([field(1, resource), field(3, 'somebody'), field(4, 'system:masters')]);
        const body = Buffer.concat([Buffer.from('k8s\0'), field(1, type), field(2, field(2, spec))]);
        const headers = { 'content-type': 'application/vnd.kubernetes.protobuf' };
        const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
        const answer = await admin().send({ method: 'POST', path, body, headers });
        expect(JSON.parse(await readText(answer.body)).status).toMatchObject({ allowed: true });
      });

      it('in a namespace stays there', async () => {
        const path = '/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews';
        const spec = (where: string) => ({
          spec: { user: 'joe', resourceAttributes: { verb: 'list', resource: 'pods', namespace: where } },
        });
        expect((await ask(admin(), 'POST', path, spec('default'))).status.allowed).toBe(false);
        expect((await refusal(ask(admin(), 'POST', path, spec('other')))).code).toBe(422);
      });
    });
  }));
