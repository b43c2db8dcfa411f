import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { applyPatch } from '#api-server/patch';
import { findResource, type ResourceDefinition } from '#api-server/resources';
import { type ConfigMap, ConfigMaps, type Deployment, Deployments, Pods } from '#kit/api';
import type { PatchType } from '#kit/client';
import { NotImplemented } from '#kit/not-implemented';
import { pod } from '#kit/testing/builders';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';

const deployments = findResource('apps', 'v1', 'deployments') as ResourceDefinition;
const mediaTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
};

/** What becomes of the object; checks on the way that the object itself stays as it was. */
function patched(language: keyof typeof mediaTypes, object: object, patch: unknown): unknown {
  const before = structuredClone(object);
  const result = applyPatch(mediaTypes[language], object, patch, deployments);
  expect(object).toEqual(before);
  return result;
}

/** The containers of a pod template after a strategic merge. */
function containersAfter(containers: object[], patch: object): unknown {
  const result = patched('strategic', { spec: { template: { spec: { containers } } } }, { spec: { template: { spec: patch } } });
  return (result as { spec: { template: { spec: { containers: unknown } } } }).spec.template.spec.containers;
}

function refusal(language: keyof typeof mediaTypes, object: object, patch: unknown): { code?: number; message?: string } {
  try {
    applyPatch(mediaTypes[language], object, patch, deployments);
  } catch (error) {
    if (error instanceof NotImplemented) throw error;
    const { code, message } = error as { code?: number; message?: string };
    return { ...(code === undefined ? {} : { code }), ...(message === undefined ? {} : { message }) };
  }
  throw new Error('the patch was accepted');
}

describe('API server', () => {
  describe('2.5 patch', () => {
    beforeEach(() => NotImplemented.forget());

    describe('a merge patch', () => {
      // RFC 7386, appendix A, without those that make something else than an object of an object
      it.each([
        [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
        [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
        [{ a: 'b' }, { a: null }, {}],
        [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
        [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
        [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
        [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
        [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
        [{ e: null }, { a: 1 }, { e: null, a: 1 }],
        [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
      ])('makes of %j with %j the object %j', (object, patch, result) => {
        expect(patched('merge', object, patch)).toEqual(result);
      });

      it('is an object, or nothing that this language knows', () => {
        expect(refusal('merge', {}, ['a'])).toMatchObject({ code: 400 });
      });
    });

    describe('a JSON patch', () => {
      const object = { metadata: { labels: { app: 'echo' } }, spec: { replicas: 2 } };

      it('does one operation after the other', () => {
        const patch = [
          { op: 'test', path: '/spec/replicas', value: 2 },
          { op: 'replace', path: '/spec/replicas', value: 3 },
          { op: 'add', path: '/metadata/labels/tier', value: 'front' },
          { op: 'remove', path: '/metadata/labels/app' },
        ];
        expect(patched('json', object, patch)).toEqual({ metadata: { labels: { tier: 'front' } }, spec: { replicas: 3 } });
      });

      it('does nothing at all when one operation fails', () => {
        const patch = [
          { op: 'replace', path: '/spec/replicas', value: 3 },
          { op: 'test', path: '/metadata/labels/app', value: 'other' },
        ];
        expect(refusal('json', object, patch)).toMatchObject({ code: 422 });
        expect(object.spec.replicas).toBe(2);
      });

      it('cannot remove what is not there', () => {
        const message = expect.stringContaining('/spec/paused');
        expect(refusal('json', object, [{ op: 'remove', path: '/spec/paused' }])).toMatchObject({ code: 422, message });
      });

      it('cannot reach what every JavaScript object seems to have', () => {
        const { code, message } = refusal('json', object, [{ op: 'add', path: '/__proto__/polluted', value: 'yes' }]);
        expect(code).toBe(422);
        expect(message).toContain('path');
        expect(message).not.toContain('undefined');
        expect(object).not.toHaveProperty('polluted');
      });

      it('is a list', () => {
        const message = expect.stringMatching(/list|array/);
        expect(refusal('json', object, { spec: { replicas: 3 } })).toMatchObject({ code: 400, message });
      });
    });

    describe('a strategic merge patch', () => {
      const app = { name: 'app', image: 'echo:v1' };
      const proxy = { name: 'proxy', image: 'proxy:v1' };
      const logger = { name: 'logger', image: 'logger:v1' };

      it('is a merge patch where there are no lists', () => {
        expect(patched('strategic', { spec: { replicas: 2, paused: true } }, { spec: { replicas: 3, paused: null } })).toEqual({
          spec: { replicas: 3 },
        });
      });

      it('finds the item that it means by its name, and leaves the others alone', () => {
        expect(containersAfter([app, proxy], { containers: [{ name: 'proxy', image: 'proxy:v2' }] })).toEqual([
          app,
          { name: 'proxy', image: 'proxy:v2' },
        ]);
      });

      it('changes only the fields that it names in the item', () => {
        const before = [{ ...app, command: ['echo', '-v'], resources: { limits: { cpu: '1' } } }];
        expect(
          containersAfter(before, { containers: [{ name: 'app', command: ['echo'], resources: { limits: { memory: '1Gi' } } }] }),
        ).toEqual([{ ...app, command: ['echo'], resources: { limits: { cpu: '1', memory: '1Gi' } } }]);
      });

      it('adds an item with a new name', () => {
        expect(containersAfter([app], { containers: [app, proxy] })).toEqual([app, proxy]);
      });

      it('takes an item away with $patch: delete', () => {
        expect(containersAfter([app, proxy], { containers: [{ $patch: 'delete', name: 'proxy' }] })).toEqual([app]);
        expect(containersAfter([app, proxy], { containers: [{ $patch: 'delete', name: 'app' }] })).toEqual([proxy]);
      });

      it('does not mind when the item to take away is gone already', () => {
        expect(containersAfter([app, proxy], { containers: [{ $patch: 'delete', name: 'logger' }] })).toEqual([app, proxy]);
      });

      it('replaces the whole list with $patch: replace', () => {
        expect(containersAfter([app, proxy], { containers: [{ $patch: 'replace' }, logger] })).toEqual([logger]);
      });

      it('replaces a whole object with $patch: replace', () => {
        const result = patched(
          'strategic',
          { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
          {
            spec: { strategy: { $patch: 'replace', type: 'Recreate' } },
          },
        );
        expect(result).toEqual({ spec: { strategy: { type: 'Recreate' } } });
      });

      it('empties an object with $patch: delete', () => {
        const object = { spec: { strategy: { type: 'Recreate' }, replicas: 1 } };
        expect(patched('strategic', object, { spec: { strategy: { $patch: 'delete' } } })).toEqual({ spec: { strategy: {}, replicas: 1 } });
      });

      it('replaces a list whose items have no names', () => {
        const before = [{ ...app, args: ['a', 'b'] }];
        expect(containersAfter(before, { containers: [{ name: 'app', args: ['c'] }] })).toEqual([{ ...app, args: ['c'] }]);
      });

      it.each([
        ["a container's ports", 'ports', { containerPort: 80 }, { containerPort: 81 }],
        ["a container's variables", 'env', { name: 'A', value: '1' }, { name: 'B', value: '2' }],
        ["a container's mounts", 'volumeMounts', { mountPath: '/a', name: 'v' }, { mountPath: '/b', name: 'v' }],
      ])('knows what tells %s apart', (_, list, one, other) => {
        const before = [{ ...app, [list]: [one] }];
        const changed = { ...one, readOnly: true };
        const result = containersAfter(before, { containers: [{ name: 'app', [list]: [changed, other] }] });
        expect(result).toEqual([{ ...app, [list]: [changed, other] }]);
      });

      it('puts items into the order of $setElementOrder', () => {
        const order = [{ name: 'logger' }, { name: 'app' }, { name: 'proxy' }];
        const result = containersAfter([app, proxy], { '$setElementOrder/containers': order, containers: [logger] });
        expect(result).toEqual([logger, app, proxy]);
      });

      it('leaves items that the patch knows nothing of where they stood', () => {
        const order = [{ name: 'proxy' }, { name: 'app' }];
        const added = { name: 'added-by-somebody', image: 'x' };
        expect(containersAfter([added, app, proxy], { '$setElementOrder/containers': order })).toEqual([added, proxy, app]);
        const same = [{ name: 'app' }, { name: 'proxy' }];
        expect(containersAfter([app, added, proxy], { '$setElementOrder/containers': same })).toEqual([app, added, proxy]);
      });

      it('treats finalizers as a set: adds, and removes with $deleteFromPrimitiveList', () => {
        const object = { metadata: { finalizers: ['a', 'b'] } };
        expect(patched('strategic', object, { metadata: { finalizers: ['b', 'c'] } })).toEqual({
          metadata: { finalizers: expect.arrayContaining(['a', 'b', 'c']) },
        });
        expect(patched('strategic', object, { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } })).toEqual({
          metadata: { finalizers: ['b'] },
        });
        const ordered = { '$setElementOrder/finalizers': ['c', 'a', 'b'], finalizers: ['c'] };
        expect(patched('strategic', object, { metadata: ordered })).toEqual({ metadata: { finalizers: ['c', 'a', 'b'] } });
      });

      it('keeps of a union only what $retainKeys names', () => {
        const template = (volume: object) => ({ spec: { template: { spec: { volumes: [volume] } } } });
        const result = patched(
          'strategic',
          template({ name: 'data', emptyDir: {} }),
          template({ name: 'data', $retainKeys: ['name', 'configMap'], configMap: { name: 'settings' } }),
        );
        expect(result).toEqual(template({ name: 'data', configMap: { name: 'settings' } }));
      });

      it('never stores a directive, not even in what it adds', () => {
        const added = {
          name: 'proxy',
          $retainKeys: ['name', 'image', 'ports'],
          image: 'proxy:v1',
          ports: [{ $patch: 'replace' }, { containerPort: 80 }],
        };
        const result = containersAfter([app], { containers: [added], '$setElementOrder/containers': [{ name: 'app' }, { name: 'proxy' }] });
        expect(result).toEqual([app, { name: 'proxy', image: 'proxy:v1', ports: [{ containerPort: 80 }] }]);
      });

      it('refuses an item without a name, and a directive that it does not know', () => {
        const patch = { spec: { template: { spec: { containers: [{ image: 'x' }] } } } };
        const object = { spec: { template: { spec: { containers: [app] } } } };
        expect(refusal('strategic', object, patch)).toMatchObject({
          code: 422,
          message: expect.stringContaining('map: {"image":"x"} does not contain declared merge key: name'),
        });
        const unknown = { code: 400, message: expect.stringContaining('improve') };
        expect(refusal('strategic', object, { spec: { $patch: 'improve' } })).toMatchObject(unknown);
      });

      it('refuses an item that is no object where items have names', () => {
        const patch = { spec: { template: { spec: { containers: [app, 'proxy'] } } } };
        const message = expect.stringContaining('containers');
        expect(refusal('strategic', {}, patch)).toMatchObject({ code: 422, message });
      });
    });

    describe('over HTTP', () => {
      let plane: TestControlPlane | undefined;

      beforeAll(async () => {
        plane = await startTestControlPlane();
      });

      afterAll(() => plane?.stop());

      function client() {
        if (!plane) throw new Error('the control plane did not start');
        return plane.client;
      }

      async function configMap(name: string, data: Record<string, string>): Promise<ConfigMap> {
        return client().create(ConfigMaps, { metadata: { name, namespace: 'default' }, data });
      }

      it('changes the stored object and answers it', async () => {
        const created = await configMap('answered', { color: 'blue' });
        const answer = await client().patch(ConfigMaps, { namespace: 'default', name: 'answered' }, 'merge', { data: { size: 'big' } });
        expect(answer.data).toEqual({ color: 'blue', size: 'big' });
        expect(answer.metadata?.uid).toBe(created.metadata?.uid);
        expect(Number(answer.metadata?.resourceVersion)).toBeGreaterThan(Number(created.metadata?.resourceVersion));
        expect(await client().get(ConfigMaps, { namespace: 'default', name: 'answered' })).toEqual(answer);
      });

      it('loses none of many patches that come at the same time', async () => {
        await configMap('busy', {});
        const names = Array.from({ length: 10 }, (_, index) => `key-${index}`);
        const types: PatchType[] = ['merge', 'strategic-merge'];
        await Promise.all(
          names.map((name, index) =>
            client().patch(ConfigMaps, { namespace: 'default', name: 'busy' }, types[index % 2] ?? 'merge', { data: { [name]: 'x' } }),
          ),
        );
        const { data } = await client().get(ConfigMaps, { namespace: 'default', name: 'busy' });
        expect(Object.keys(data ?? {}).sort()).toEqual(names);
      });

      it('answers Conflict when the patch names a resourceVersion that is no longer the latest', async () => {
        const { metadata } = await configMap('contested', {});
        const name = { namespace: 'default', name: 'contested' };
        await client().patch(ConfigMaps, name, 'merge', { data: { first: 'x' } });
        const late = { metadata: { resourceVersion: metadata?.resourceVersion }, data: { second: 'x' } };
        await expect(client().patch(ConfigMaps, name, 'merge', late)).rejects.toMatchObject({ reason: 'Conflict' });
      });

      it('counts a changed spec as a new generation, a changed label not', async () => {
        const deployment: Deployment = {
          metadata: { name: 'echo', namespace: 'default' },
          spec: {
            selector: { matchLabels: { app: 'echo' } },
            template: { metadata: { labels: { app: 'echo' } }, spec: { containers: [{ name: 'echo', image: 'kubekata/echo:v1' }] } },
          },
        };
        await client().create(Deployments, deployment);
        const name = { namespace: 'default', name: 'echo' };
        const labelled = await client().patch(Deployments, name, 'merge', { metadata: { labels: { tier: 'front' } } });
        expect(labelled.metadata?.generation).toBe(1);
        const scaled = await client().patch(Deployments, name, 'strategic-merge', { spec: { replicas: 3 } });
        expect(scaled.metadata?.generation).toBe(2);
      });

      it('leaves no empty list behind: with the last owner goes the list of owners', async () => {
        const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid: 'its-uid' };
        const metadata = { name: 'released', namespace: 'default', labels: { a: 'b' }, ownerReferences: [owner] };
        await client().create(ConfigMaps, { metadata });
        const patch = { metadata: { labels: { a: null }, ownerReferences: [{ $patch: 'delete', uid: 'its-uid' }] } };
        const released = await client().patch(ConfigMaps, metadata, 'strategic-merge', patch);
        expect(released.metadata).not.toHaveProperty('ownerReferences');
        expect(released.metadata).not.toHaveProperty('labels');
      });

      it('changes nothing but the status through /status', async () => {
        await client().create(Pods, pod('patched'));
        const patch = { spec: { activeDeadlineSeconds: 5 }, status: { conditions: [{ type: 'Ready', status: 'True' }] } };
        const name = { namespace: 'default', name: 'patched' };
        const answer = await client().patch(Pods, name, 'strategic-merge', patch, { subresource: 'status' });
        expect(answer.status?.conditions).toMatchObject([{ type: 'Ready', status: 'True' }]);
        expect(answer.spec?.activeDeadlineSeconds).toBeUndefined();
      });

      it('answers 415 to a language that it does not know', async () => {
        await configMap('spoken-to', {});
        const request = {
          method: 'PATCH',
          path: '/api/v1/namespaces/default/configmaps/spoken-to',
          headers: { 'content-type': 'application/klingon' },
          body: '{}',
        };
        await expect(client().send(request)).rejects.toMatchObject({ code: 415 });
      });

      it('answers NotFound when there is nothing to patch', async () => {
        const nobody = client().patch(ConfigMaps, { namespace: 'default', name: 'nobody' }, 'merge', { data: {} });
        await expect(nobody).rejects.toMatchObject({ reason: 'NotFound' });
      });
    });
  });
});
