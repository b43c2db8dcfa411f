import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { invalid } from '#api-server/errors';
import { nameProblems } from '#api-server/names';
import type { ApiObject } from '#api-server/object';
import { newborn } from '#api-server/object-meta';
import { parsePath } from '#api-server/request';
import { findResource, type ResourceDefinition } from '#api-server/resources';
import { type ConfigMap, ConfigMaps, Deployments, Nodes } from '#kit/api';
import { systemClock, systemRandom } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';
import { type ApiServerUnderTest, refusal, startApiServerUnderTest } from '#kit/testing/api-server';

const configMaps = '/api/v1/namespaces/default/configmaps';

function configMap(name: string, data: Record<string, string> = {}, namespace = 'default'): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

function resource(group: string, plural: string): ResourceDefinition {
  const found = findResource(group, 'v1', plural);
  if (!found) throw new Error(`the table of resources has no ${plural}`);
  return found;
}

describe('API server', () =>
  describe('2.1 objects over HTTP', () => {
    let server: ApiServerUnderTest | undefined;
    beforeAll(async () => {
      server = await startApiServerUnderTest();
    });
    beforeEach(() => NotImplemented.forget());
    afterAll(() => server?.stop());
    const api = () => {
      if (!server) throw new Error('the API server did not start');
      return server;
    };
    const client = () => api().client;

    describe('reads paths', () => {
      it.each<[path: string, plural: string, rest: object]>([
        ['/api/v1/nodes', 'nodes', {}],
        ['/api/v1/nodes/node-1', 'nodes', { name: 'node-1' }],
        ['/api/v1/nodes/node-1/status', 'nodes', { name: 'node-1', subresource: 'status' }],
        ['/api/v1/pods', 'pods', {}],
        ['/api/v1/namespaces/default/pods', 'pods', { namespace: 'default' }],
        ['/api/v1/namespaces/default/pods/web', 'pods', { namespace: 'default', name: 'web' }],
        ['/api/v1/namespaces/default/pods/web/log', 'pods', { namespace: 'default', name: 'web', subresource: 'log' }],
        ['/apis/apps/v1/namespaces/shop/deployments/web', 'deployments', { namespace: 'shop', name: 'web' }],
        ['/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode', 'clusterroles', { name: 'system:node' }],
        ['/api/v1/namespaces', 'namespaces', {}],
        ['/api/v1/namespaces/default', 'namespaces', { name: 'default' }],
        ['/api/v1/namespaces/default/status', 'namespaces', { name: 'default', subresource: 'status' }],
        ['/api/v1/namespaces/default/finalize', 'namespaces', { name: 'default', subresource: 'finalize' }],
      ])('%s', (path, plural, rest) => {
        const { resource, ...found } = parsePath(path);
        expect({ plural: resource.plural, ...found }).toEqual({ plural, ...rest });
      });

      it.each([
        '/api/v1/unicorns',
        '/api/v2/pods',
        '/apis/apps/v1/pods',
        '/api/v1/namespaces/default/nodes',
        '/api/v1/namespaces/default/pods/web/log/more',
      ])('answers 404 to %s, which is no place in the API', async (path) => {
        const { code, body } = await api().send({ path });
        expect({ code, message: body.message, reason: body.reason }).toEqual({
          code: 404,
          message: 'the server could not find the requested resource',
          reason: 'NotFound',
        });
      });

      it.each(['/apis/nowhere/v1/pods', '/elsewhere'])('answers 404 to %s, which is no place at all', async (path) => {
        expect((await api().send({ path })).code).toBe(404);
      });
    });

    it('answers a create with 201 and the object as it is stored now', async () => {
      const { code, body } = await api().send({ method: 'POST', path: configMaps, body: configMap('created', { greeting: 'hello' }) });
      expect(code).toBe(201);
      expect(body).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', data: { greeting: 'hello' } });
      expect(await client().get(ConfigMaps, { name: 'created', namespace: 'default' })).toEqual(body);
    });

    it('gives every object a uid that no other ever had, not even one of the same name', async () => {
      const name = 'reborn';
      const first = await client().create(ConfigMaps, configMap(name));
      await client().delete(ConfigMaps, { name, namespace: 'default' });
      const second = await client().create(ConfigMaps, configMap(name));
      expect(first.metadata?.uid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      expect(second.metadata?.uid).not.toBe(first.metadata?.uid);
    });

    it('dates objects in whole seconds, from its own clock', async () => {
      const before = Math.floor(systemClock.now() / 1000) * 1000;
      const { metadata } = await client().create(ConfigMaps, configMap('dated'));
      expect(metadata?.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      const created = Date.parse(metadata?.creationTimestamp ?? '');
      expect(created).toBeGreaterThanOrEqual(before);
      expect(created).toBeLessThanOrEqual(systemClock.now());
    });

    it('lets nobody choose a uid or a birthday', async () => {
      const metadata = { name: 'forged', namespace: 'default', uid: 'mine', creationTimestamp: '2001-01-01T00:00:00Z' };
      const created = await client().create(ConfigMaps, { metadata });
      expect(created.metadata?.uid).not.toBe('mine');
      expect(created.metadata?.creationTimestamp).not.toBe('2001-01-01T00:00:00Z');
    });

    it('counts changes in resourceVersion: what was written later has the higher one', async () => {
      const first = await client().create(ConfigMaps, configMap('earlier'));
      const second = await client().create(ConfigMaps, configMap('later'));
      expect(first.metadata?.resourceVersion).toMatch(/^\d+$/);
      expect(Number(second.metadata?.resourceVersion)).toBeGreaterThan(Number(first.metadata?.resourceVersion));
    });

    it('says the same resourceVersion at create and at every get, until the object changes', async () => {
      const created = await client().create(ConfigMaps, configMap('steady'));
      await client().create(ConfigMaps, configMap('steady-neighbour'));
      const found = await client().get(ConfigMaps, { name: 'steady', namespace: 'default' });
      expect(found.metadata?.resourceVersion).toBe(created.metadata?.resourceVersion);
    });

    it('takes the namespace from the URL', async () => {
      const { body } = await api().send({ method: 'POST', path: configMaps, body: { metadata: { name: 'placed' } } });
      expect(body).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'placed', namespace: 'default' } });
    });

    it('keeps namespaces apart: the same name in two of them is two objects', async () => {
      await client().create(ConfigMaps, configMap('twin', { of: 'default' }));
      await client().create(ConfigMaps, configMap('twin', { of: 'kube-public' }, 'kube-public'));
      expect((await client().get(ConfigMaps, { name: 'twin', namespace: 'default' })).data).toEqual({ of: 'default' });
      await client().delete(ConfigMaps, { name: 'twin', namespace: 'default' });
      expect((await client().get(ConfigMaps, { name: 'twin', namespace: 'kube-public' })).data).toEqual({ of: 'kube-public' });
    });

    it('keeps cluster-scoped objects outside of all namespaces', async () => {
      const created = await client().create(Nodes, { metadata: { name: 'node-1' } });
      expect(created.metadata?.namespace).toBeUndefined();
      expect((await client().get(Nodes, { name: 'node-1' })).metadata?.uid).toBe(created.metadata?.uid);
    });

    it('finds nothing behind a path that only looks like one of the API', () => {
      expect(parsePath('/api/v1/nodes/node-1/proxy')).toMatchObject({ name: 'node-1', subresource: 'proxy' });
      const everything = () => resource('', 'pods');
      for (const path of ['/elsewhere/v1/pods', '/api', '/apis', '/apis/apps', '/api/v1/pods/web']) {
        expect(() => parsePath(path, everything)).toThrow('could not find the requested resource');
      }
    });

    it('names the kind with its group, and every field that is wrong', () => {
      const causes = [
        { field: 'spec.a', message: 'Required value' },
        { field: 'spec.b', message: 'Required value' },
      ];
      expect(invalid({ group: 'apps', kind: 'Deployment' }, 'web', causes).status).toMatchObject({
        message: 'Deployment.apps "web" is invalid: [spec.a: Required value, spec.b: Required value]',
        details: { name: 'web', group: 'apps', kind: 'Deployment', causes },
      });
    });

    it('counts generations from 1 where there is a spec', () => {
      const born = newborn({ apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: {} } as ApiObject, {
        clock: systemClock,
        random: systemRandom,
      });
      expect(born.metadata.generation).toBe(1);
    });

    it('says how long a name may be', () => {
      const tooLong = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a'.repeat(254) } } as ApiObject;
      expect(nameProblems(resource('', 'configmaps'), tooLong)).toMatchObject([{ message: expect.stringContaining('253') }]);
    });

    it('says 404 NotFound, and what it did not find', async () => {
      expect(await refusal(client().get(ConfigMaps, { name: 'nobody', namespace: 'default' }))).toMatchObject({
        kind: 'Status',
        apiVersion: 'v1',
        status: 'Failure',
        code: 404,
        reason: 'NotFound',
        message: 'configmaps "nobody" not found',
        details: { name: 'nobody', kind: 'configmaps' },
      });
    });

    it('names the group of what it did not find', async () => {
      const status = await refusal(client().get(Deployments, { name: 'web', namespace: 'default' }));
      expect(status.message).toBe('deployments.apps "web" not found');
      expect(status.details).toMatchObject({ name: 'web', group: 'apps', kind: 'deployments' });
    });

    it('creates nothing in a namespace that is not there', async () => {
      const status = await refusal(client().create(ConfigMaps, configMap('lost', {}, 'nowhere')));
      expect(status).toMatchObject({ code: 404, message: 'namespaces "nowhere" not found' });
    });

    it('says 409 AlreadyExists to the second, and keeps the first', async () => {
      await client().create(ConfigMaps, configMap('taken', { by: 'first' }));
      expect(await refusal(client().create(ConfigMaps, configMap('taken', { by: 'second' })))).toMatchObject({
        code: 409,
        reason: 'AlreadyExists',
        message: 'configmaps "taken" already exists',
        details: { name: 'taken', kind: 'configmaps' },
      });
      expect((await client().get(ConfigMaps, { name: 'taken', namespace: 'default' })).data).toEqual({ by: 'first' });
    });

    it('lets one of many creates at the same moment win, and tells it to no other', async () => {
      const attempts = Array.from({ length: 12 }, (_, index) =>
        api().send({ method: 'POST', path: configMaps, body: configMap('contested', { winner: String(index) }) }),
      );
      const answers = await Promise.all(attempts);
      const winners = answers.filter(({ code }) => code === 201);
      expect(answers.map(({ code }) => code).sort()).toEqual([201, ...Array(11).fill(409)]);
      expect((await client().get(ConfigMaps, { name: 'contested', namespace: 'default' })).data).toEqual(winners[0]?.body.data);
    });

    it('deletes an object: it is gone, and its name is free', async () => {
      const { metadata } = await client().create(ConfigMaps, configMap('short-lived'));
      const answer = await client().delete(ConfigMaps, { name: 'short-lived', namespace: 'default' });
      expect(answer).toMatchObject({ kind: 'Status', status: 'Success', details: { name: 'short-lived', uid: metadata?.uid } });
      expect((await refusal(client().get(ConfigMaps, { name: 'short-lived', namespace: 'default' }))).code).toBe(404);
      await client().create(ConfigMaps, configMap('short-lived'));
    });

    it('says 404 to the deletion of what is not there', async () => {
      const status = await refusal(client().delete(ConfigMaps, { name: 'never', namespace: 'default' }));
      expect(status).toMatchObject({ code: 404, message: 'configmaps "never" not found' });
    });

    it('lets one of many deletions at the same moment win', async () => {
      await client().create(ConfigMaps, configMap('doomed'));
      const attempts = Array.from({ length: 8 }, () => api().send({ method: 'DELETE', path: `${configMaps}/doomed` }));
      expect((await Promise.all(attempts)).map(({ code }) => code).sort()).toEqual([200, ...Array(7).fill(404)]);
    });

    describe('refuses names that DNS would refuse', () => {
      const problemsOf = (plural: string, name?: string) =>
        nameProblems(resource('', plural), { apiVersion: 'v1', kind: 'X', metadata: name === undefined ? {} : { name } } as ApiObject);

      it.each(['Web', 'web_1', '-web', 'web-', 'web..1', 'web/1', 'wéb', 'a'.repeat(254)])('%s', (name) => {
        const [problem] = problemsOf('configmaps', name);
        expect(problem).toMatchObject({ field: 'metadata.name', reason: 'FieldValueInvalid' });
        expect(problem?.message).toContain(`Invalid value: "${name}"`);
      });

      it.each(['w', '1web', 'web-1', 'web.example.com', 'a'.repeat(253)])('and takes %s', (name) => {
        expect(problemsOf('configmaps', name)).toEqual([]);
      });

      it('and takes no dots in a namespace, and no digit first in a Service: both become part of DNS names', () => {
        expect(problemsOf('namespaces', 'a.b')).toHaveLength(1);
        expect(problemsOf('namespaces', 'a'.repeat(64))).not.toEqual([]);
        expect(problemsOf('services', '1web')).toHaveLength(1);
        expect(problemsOf('services', 'web-1')).toEqual([]);
      });

      it('and an object without a name', () => {
        expect(problemsOf('configmaps')).toEqual([
          { field: 'metadata.name', reason: 'FieldValueRequired', message: 'Required value: name or generateName is required' },
        ]);
      });

      it('with 422 Invalid, and one cause a field', async () => {
        const status = await refusal(client().create(ConfigMaps, configMap('Web_1')));
        expect(status).toMatchObject({ code: 422, reason: 'Invalid', details: { name: 'Web_1', kind: 'ConfigMap' } });
        expect(status.message).toMatch(
          /^ConfigMap "Web_1" is invalid: metadata\.name: Invalid value: "Web_1": a lowercase RFC 1123 subdomain/,
        );
        expect(status.details?.causes).toMatchObject([{ field: 'metadata.name', reason: 'FieldValueInvalid' }]);
      });
    });

    it('lists several problems of one object in brackets', async () => {
      const pod = { metadata: { name: 'Web' }, spec: { containers: [] } };
      const { code, body } = await api().send({ method: 'POST', path: '/api/v1/namespaces/default/pods', body: pod });
      expect(code).toBe(422);
      expect(body.message).toMatch(/^Pod "Web" is invalid: \[.*, .*\]$/);
      expect(body.details.causes.map(({ field }: { field: string }) => field)).toContain('spec.containers');
    });

    describe('survives what is no object at all', () => {
      const json = { 'content-type': 'application/json' };
      it.each<[what: string, code: number, reason: string, body: string, headers: Record<string, string>]>([
        ['half a JSON text', 400, 'BadRequest', '{"metadata":', json],
        ['a list', 400, 'BadRequest', '[]', json],
        ['an empty body', 400, 'BadRequest', '', json],
        ['broken YAML', 400, 'BadRequest', 'metadata: [', { 'content-type': 'application/yaml' }],
        ['broken protobuf', 400, 'BadRequest', 'k8s\0\x0a\xff', { 'content-type': 'application/vnd.kubernetes.protobuf' }],
        ['another kind', 400, 'BadRequest', '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}', json],
        ['another version', 400, 'BadRequest', '{"kind":"ConfigMap","apiVersion":"v2","metadata":{"name":"a"}}', json],
        ['another namespace', 400, 'BadRequest', '{"metadata":{"name":"a","namespace":"kube-system"}}', json],
        ['a label that is a number', 400, 'BadRequest', '{"metadata":{"name":"a","labels":{"a":1}}}', json],
        ['a language it does not speak', 415, 'UnsupportedMediaType', '<a/>', { 'content-type': 'application/xml' }],
        ['more than 3 MiB', 413, 'RequestEntityTooLarge', `{"data":{"a":"${'a'.repeat(3 * 1024 * 1024)}"}}`, json],
      ])('%s is answered with %i %s', async (_, code, reason, body, headers) => {
        const answer = await api().send({ method: 'POST', path: configMaps, body, headers });
        expect({ code: answer.code, kind: answer.body.kind, reason: answer.body.reason }).toEqual({ code, kind: 'Status', reason });
      });

      it('and a method that makes no sense there with 405', async () => {
        const answers = [
          await api().send({ method: 'PUT', path: configMaps, body: {} }),
          await api().send({ method: 'POST', path: `${configMaps}/a`, body: {} }),
        ];
        expect(answers.map(({ code }) => code)).toEqual([405, 405]);
      });
    });

    it('reads YAML as well as JSON', async () => {
      const headers = { 'content-type': 'application/yaml' };
      const answer = await api().send({
        method: 'POST',
        path: configMaps,
        body: 'metadata:\n  name: from-yaml\ndata:\n  a: "1"\n',
        headers,
      });
      expect(answer.code).toBe(201);
      expect(answer.body.data).toEqual({ a: '1' });
    });

    it('keeps objects in etcd and nowhere else: another server on the same etcd would know them', async () => {
      const { metadata } = await client().create(ConfigMaps, configMap('remembered', { a: '1' }));
      const { kvs } = await api().etcd.client.range({ key: '/registry/configmaps/default/remembered' });
      const [stored] = kvs;
      // In which form is the server's own affair: JSON, protobuf.
      expect(stored?.value.toString()).toContain('ConfigMap');
      expect(stored?.value.toString()).toContain(metadata?.uid);
      expect(String(stored?.modRevision)).toBe(metadata?.resourceVersion);
    });
  }));
