import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { finalizersAfter, gracePeriodOf, markForDeletion, newFinalizerProblems, nextDeletionStep } from '#api-server/deletion';
import type { ApiObject } from '#api-server/object';
import { findResource, type ResourceDefinition } from '#api-server/resources';
import { ConfigMaps, type KubernetesObject, Namespaces, type Pod, Pods } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { type ApiServerUnderTest, type RawAnswer, refusal, startApiServerUnderTest } from '#kit/testing/api-server';
import { pod } from '#kit/testing/builders';

const namespace = 'default';
const hold = 'example.com/hold';
const foreground = 'foregroundDeletion';

const resource = (group: string, plural: string, version = 'v1') => findResource(group, version, plural) as ResourceDefinition;
const pods = resource('', 'pods');
const configMaps = resource('', 'configmaps');
const deployments = resource('apps', 'deployments');

/** Noon of a day, when nothing moves. */
const noon = { now: () => Date.parse('2026-03-01T12:00:00Z'), monotonic: () => 0 } as unknown as Parameters<typeof markForDeletion>[2];

function stored(kind: string, metadata: Partial<ApiObject['metadata']>, rest: object = {}): ApiObject {
  return { apiVersion: 'v1', kind, ...rest, metadata: { name: 'x', namespace, uid: 'u', resourceVersion: '7', ...metadata } } as ApiObject;
}

describe('API server', () =>
  describe('2.9 deleting', () => {
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

    const path = (name = '', plural = 'configmaps', where = namespace) => `/api/v1/namespaces/${where}/${plural}${name && `/${name}`}`;
    const remove = (at: string, options?: object): Promise<RawAnswer> =>
      api().send({ method: 'DELETE', path: at, ...(options ? { body: { kind: 'DeleteOptions', apiVersion: 'v1', ...options } } : {}) });
    const create = (name: string, metadata: object = {}) =>
      client().create(ConfigMaps, { metadata: { name, namespace, ...metadata }, data: { a: '1' } });
    const exists = async (at: string) => (await api().send({ path: at })).code === 200;
    const setFinalizers = async (at: string, finalizers: string[]) => {
      const { body } = await api().send({ path: at });
      return api().send({ method: 'PUT', path: at, body: { ...body, metadata: { ...body.metadata, finalizers } } });
    };

    describe('finalizers', () => {
      it('keep an object that is deleted: it is marked, and stays until they are gone', async () => {
        await create('held', { finalizers: [hold] });
        const { code, body } = await remove(path('held'));
        expect(code).toBe(200);
        expect(body).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'held', finalizers: [hold], deletionGracePeriodSeconds: 0 } });
        expect(Date.parse(body.metadata.deletionTimestamp)).not.toBeNaN();
        expect((await api().send({ path: path('held') })).body).toEqual({ ...body, apiVersion: 'v1' });
      });

      it('that nobody set keep nothing: the object is gone at once, and the answer is a Status', async () => {
        const { metadata } = await create('free');
        const { code, body } = await remove(path('free'));
        expect(code).toBe(200);
        expect(body).toMatchObject({
          kind: 'Status',
          status: 'Success',
          details: { name: 'free', kind: 'configmaps', uid: metadata?.uid },
        });
        expect(await exists(path('free'))).toBe(false);
      });

      it('take the object with them: with the last one that goes, it is gone', async () => {
        await create('two', { finalizers: [hold, 'example.com/other'] });
        await remove(path('two'));
        expect((await setFinalizers(path('two'), ['example.com/other'])).code).toBe(200);
        expect(await exists(path('two'))).toBe(true);
        expect((await setFinalizers(path('two'), [])).code).toBe(200);
        expect(await exists(path('two'))).toBe(false);
      });

      it('can be taken off by a patch as well', async () => {
        await create('patched', { finalizers: [hold] });
        await remove(path('patched'));
        await client().patch(ConfigMaps, { name: 'patched', namespace }, 'merge', { metadata: { finalizers: null } });
        expect(await exists(path('patched'))).toBe(false);
      });

      it('can be taken off without a deletion, and then nothing happens', async () => {
        await create('let-go', { finalizers: [hold] });
        await setFinalizers(path('let-go'), []);
        expect(await exists(path('let-go'))).toBe(true);
      });

      it('can be taken off while the object is being deleted, but not added', async () => {
        await create('ending', { finalizers: [hold] });
        await remove(path('ending'));
        const { code, body } = await setFinalizers(path('ending'), [hold, 'example.com/b', 'example.com/c']);
        expect(code).toBe(422);
        expect(body.details.causes[0]).toEqual({
          reason: 'FieldValueForbidden',
          field: 'metadata.finalizers',
          message:
            'Forbidden: no new finalizers can be added if the object is being deleted, ' +
            'found new finalizers []string{"example.com/b", "example.com/c"}',
        });
        expect(newFinalizerProblems(stored('ConfigMap', { finalizers: [hold] }), stored('ConfigMap', {}))).toEqual([]);
      });

      it('are told to watchers: first the mark, then the end', async () => {
        const { metadata } = await create('watched', { finalizers: [hold] });
        const query = `?watch=1&resourceVersion=${metadata?.resourceVersion}&fieldSelector=metadata.name%3Dwatched`;
        const watch = await api().watch(path() + query);
        await remove(path('watched'));
        await setFinalizers(path('watched'), []);
        const events = await watch.first(2);
        expect(events.map(({ type }) => type)).toEqual(['MODIFIED', 'DELETED']);
        expect(events[0]?.object.metadata.deletionTimestamp).toBeDefined();
        await watch.close();
      });
    });

    describe('an object that is marked', () => {
      it('is marked once: a second DELETE changes nothing', async () => {
        await create('twice', { finalizers: [hold] });
        const first = await remove(path('twice'));
        const second = await remove(path('twice'));
        expect(second.body.metadata).toEqual(first.body.metadata);
      });

      it('can still be changed, but nobody takes the mark off', async () => {
        await create('changing', { finalizers: [hold] });
        const { body } = await remove(path('changing'));
        const { deletionTimestamp, deletionGracePeriodSeconds, ...unmarked } = body.metadata;
        const put = { ...body, metadata: unmarked, data: { a: '2' } };
        const changed = await api().send({ method: 'PUT', path: path('changing'), body: put });
        expect(changed.body.data).toEqual({ a: '2' });
        expect(changed.body.metadata).toMatchObject({ deletionTimestamp, deletionGracePeriodSeconds: 0 });
      });

      it('counts the mark as a wish: one generation more, once', () => {
        const marked = markForDeletion(stored('Deployment', { generation: 3, finalizers: [hold] }), 0, noon);
        expect(marked.metadata).toMatchObject({
          generation: 4,
          deletionTimestamp: '2026-03-01T12:00:00Z',
          deletionGracePeriodSeconds: 0,
        });
        expect(markForDeletion(marked, 0, noon)).toEqual(marked);
        const unspecified = markForDeletion(stored('ConfigMap', {}), 0, noon);
        expect(unspecified.metadata).not.toHaveProperty('generation');
        expect(unspecified).not.toHaveProperty('status');
      });

      it('is not written on dryRun=All', async () => {
        await create('rehearsed', { finalizers: [hold] });
        const { body } = await remove(`${path('rehearsed')}?dryRun=All`);
        expect(body.metadata.deletionTimestamp).toBeDefined();
        expect((await client().get(ConfigMaps, { name: 'rehearsed', namespace })).metadata).not.toHaveProperty('deletionTimestamp');
      });
    });

    describe('time to stop', () => {
      const running = (metadata: Partial<ApiObject['metadata']> = {}, { phase = 'Running', ...spec }: Record<string, unknown> = {}) =>
        stored('Pod', metadata, { spec: { nodeName: 'node-1', ...spec }, status: { phase } });
      const marked = (given: number) =>
        running({ deletionTimestamp: '2026-03-01T12:01:00Z', deletionGracePeriodSeconds: given, generation: 2 });

      it.each<[string, ApiObject, object, number]>([
        ['a pod on a node gets 30 seconds', running(), {}, 30],
        ['or as many as its spec says', running({}, { terminationGracePeriodSeconds: 5 }), {}, 5],
        ['also none', running({}, { terminationGracePeriodSeconds: 0 }), {}, 0],
        ['or as many as the options say', running({}, { terminationGracePeriodSeconds: 5 }), { gracePeriodSeconds: 90 }, 90],
        ['also none', running(), { gracePeriodSeconds: 0 }, 0],
        ['less than none is one', running(), { gracePeriodSeconds: -1 }, 1],
        ['on no node there is nothing to stop', running({}, { nodeName: undefined }), { gracePeriodSeconds: 90 }, 0],
        ['one that succeeded has stopped', running({}, { phase: 'Succeeded' }), {}, 0],
        ['one that failed has stopped', running({}, { phase: 'Failed' }), { gracePeriodSeconds: 90 }, 0],
        ['a marked pod gets less if asked', marked(60), { gracePeriodSeconds: 10 }, 10],
        ['a marked pod gets no more', marked(60), { gracePeriodSeconds: 90 }, 60],
        ['a marked pod keeps what it was given if nothing is asked', marked(60), {}, 60],
      ])('%s', (_, object, options, seconds) => {
        expect(gracePeriodOf(object, options, pods)).toBe(seconds);
      });

      it('is for pods alone', () => {
        const placed = { spec: { nodeName: 'node-1' } };
        expect(gracePeriodOf(stored('ConfigMap', {}, placed), { gracePeriodSeconds: 90 }, configMaps)).toBe(0);
        const podsOfOthers = { ...pods, group: 'example.com' };
        expect(gracePeriodOf(stored('Pod', {}, placed), { gracePeriodSeconds: 90 }, podsOfOthers)).toBe(0);
      });

      it('counts from the moment when the deletion was first asked for', () => {
        const first = markForDeletion(running({ generation: 1 }), 60, noon);
        expect(first.metadata).toMatchObject({ deletionTimestamp: '2026-03-01T12:01:00Z', deletionGracePeriodSeconds: 60, generation: 2 });
        const later = { ...noon, now: () => noon.now() + 45_000 };
        expect(markForDeletion(first, 90, later)).toEqual(first);
        const shortened = markForDeletion(first, 10, later);
        expect(shortened.metadata).toMatchObject({
          deletionTimestamp: '2026-03-01T12:00:10Z',
          deletionGracePeriodSeconds: 10,
          generation: 2,
        });
      });

      it('keeps a pod until its kubelet deletes it once more, with no time left', async () => {
        const bound = pod('graceful').boundTo('node-1');
        await client().create<Pod>(Pods, { metadata: bound.metadata, spec: bound.spec });
        const { code, body } = await remove(path('graceful', 'pods'));
        expect([code, body.kind]).toEqual([200, 'Pod']);
        expect(body.metadata).toMatchObject({ deletionGracePeriodSeconds: 30 });
        expect(await exists(path('graceful', 'pods'))).toBe(true);
        await remove(path('graceful', 'pods'), { gracePeriodSeconds: 0, preconditions: { uid: body.metadata.uid } });
        expect(await exists(path('graceful', 'pods'))).toBe(false);
      });

      it('is none for a pod that no node has: it is gone at once, and the answer is the pod', async () => {
        const unbound = pod('homeless');
        await client().create<Pod>(Pods, { metadata: unbound.metadata, spec: unbound.spec });
        const { body } = await remove(path('homeless', 'pods'));
        expect([body.kind, body.metadata.name]).toEqual(['Pod', 'homeless']);
        expect(await exists(path('homeless', 'pods'))).toBe(false);
      });

      it('and finalizers are both waited for', async () => {
        const bound = pod('both').boundTo('node-1');
        await client().create<Pod>(Pods, { metadata: { ...bound.metadata, finalizers: [hold] }, spec: bound.spec });
        await remove(path('both', 'pods'));
        const { body } = await remove(path('both', 'pods'), { gracePeriodSeconds: 0 });
        expect(body.metadata).toMatchObject({ deletionGracePeriodSeconds: 0, finalizers: [hold] });
        await setFinalizers(path('both', 'pods'), []);
        expect(await exists(path('both', 'pods'))).toBe(false);
      });

      it('is left when the finalizers go first', () => {
        const step = nextDeletionStep(running({ finalizers: [] }), {}, pods, noon);
        expect(step).toMatchObject({ remove: false, next: { metadata: { deletionGracePeriodSeconds: 30 } } });
        expect(nextDeletionStep(marked(60), { gracePeriodSeconds: 0 }, pods, noon)).toEqual({ remove: true });
      });
    });

    describe('what happens to the dependents', () => {
      const jobs = resource('batch', 'jobs');
      const controllers = resource('', 'replicationcontrollers');

      it.each<[string, string[], object, ResourceDefinition, string[]]>([
        ['Foreground waits for them', [], { propagationPolicy: 'Foreground' }, deployments, [foreground]],
        ['Orphan lets go of them first', [], { propagationPolicy: 'Orphan' }, deployments, ['orphan']],
        ['Background leaves them to the garbage collector', [hold], { propagationPolicy: 'Background' }, deployments, [hold]],
        ['nothing said is Background', [hold], {}, deployments, [hold]],
        ['other finalizers stay, in front', [hold], { propagationPolicy: 'Foreground' }, deployments, [hold, foreground]],
        ['a new policy takes the place of the old', [foreground, hold], { propagationPolicy: 'Orphan' }, deployments, [hold, 'orphan']],
        ['also Background', ['orphan', hold], { propagationPolicy: 'Background' }, deployments, [hold]],
        ['the same policy again changes nothing', [foreground], { propagationPolicy: 'Foreground' }, deployments, [foreground]],
        ['nothing said leaves what was asked before', [foreground], {}, deployments, [foreground]],
        ['the old word for Orphan', [], { orphanDependents: true }, deployments, ['orphan']],
        ['the old word for Background', ['orphan'], { orphanDependents: false }, deployments, []],
        ['jobs leave orphans if nothing is said', [], {}, jobs, ['orphan']],
        ['so do replication controllers', [], {}, controllers, ['orphan']],
        ['but not if it was said', [], { propagationPolicy: 'Background' }, jobs, []],
        ['or said before', [foreground], {}, jobs, [foreground]],
      ])('%s', (_, finalizers, options, of, expected) => {
        expect(finalizersAfter(finalizers, options, of)).toEqual(expected);
      });

      it('is a finalizer’s business: the owner waits until the garbage collector takes it off', async () => {
        await create('owner');
        const { code, body } = await remove(path('owner'), { propagationPolicy: 'Foreground' });
        expect([code, body.metadata.finalizers]).toEqual([200, [foreground]]);
        expect(body.metadata.deletionTimestamp).toBeDefined();
        await setFinalizers(path('owner'), []);
        expect(await exists(path('owner'))).toBe(false);
      });

      it('can be asked for in the query', async () => {
        await create('asked');
        const { body } = await remove(`${path('asked')}?propagationPolicy=Orphan`);
        expect(body.metadata.finalizers).toEqual(['orphan']);
      });

      it('can be decided anew: Background lets go of what waited', async () => {
        await create('impatient');
        await remove(path('impatient'), { propagationPolicy: 'Foreground' });
        await remove(path('impatient'), { propagationPolicy: 'Background' });
        expect(await exists(path('impatient'))).toBe(false);
      });
    });

    describe('a namespace', () => {
      it('is Terminating until all its finalizers are off, its own kind in the spec as well', async () => {
        await client().create(Namespaces, { metadata: { name: 'ending' } });
        const { body } = await remove('/api/v1/namespaces/ending');
        expect(body).toMatchObject({ status: { phase: 'Terminating' }, spec: { finalizers: ['kubernetes'] } });
        expect(await refusal(client().create(ConfigMaps, { metadata: { name: 'late', namespace: 'ending' } }))).toMatchObject({
          code: 403,
        });
        const emptied = { ...body, spec: { finalizers: [] } };
        await api().send({ method: 'PUT', path: '/api/v1/namespaces/ending/finalize', body: emptied });
        expect(await exists('/api/v1/namespaces/ending')).toBe(false);
      });
    });

    describe('a collection', () => {
      const fill = async (where: string, names: string[], metadata: object = {}) => {
        await client().create(Namespaces, { metadata: { name: where } });
        for (const name of names) {
          const own = (metadata as Record<string, object>)[name] ?? {};
          await client().create(ConfigMaps, { metadata: { name, namespace: where, ...own } });
        }
      };
      const names = async (where: string) => {
        const { body } = await api().send({ path: path('', 'configmaps', where) });
        return body.items.map(({ metadata }: KubernetesObject) => metadata?.name);
      };

      it('loses what the selector chooses, and nothing else; the answer is the list', async () => {
        await fill('chosen', ['a', 'b', 'c'], { a: { labels: { app: 'echo' } }, c: { labels: { app: 'echo' } } });
        await fill('spared', ['a']);
        const { code, body } = await remove(`${path('', 'configmaps', 'chosen')}?labelSelector=app%3Decho`);
        expect([code, body.kind]).toEqual([200, 'ConfigMapList']);
        expect(body.items.map(({ metadata }: KubernetesObject) => metadata?.name)).toEqual(['a', 'c']);
        expect(await names('chosen')).toEqual(['b']);
        expect(await names('spared')).toEqual(['a']);
      });

      it('gives each object the same options', async () => {
        await fill('together', ['a', 'b']);
        await remove(path('', 'configmaps', 'together'), { propagationPolicy: 'Foreground' });
        const { body } = await api().send({ path: path('', 'configmaps', 'together') });
        expect(body.items.map(({ metadata }: KubernetesObject) => metadata?.finalizers)).toEqual([[foreground], [foreground]]);
      });

      it('only marks those that are held, and is not held up by them', async () => {
        await fill('mixed', ['a', 'b', 'c'], { a: { finalizers: [hold] } });
        await remove(path('', 'configmaps', 'mixed'));
        expect(await names('mixed')).toEqual(['a']);
      });

      it('can be deleted by many at once: what another one has deleted is no error', async () => {
        const all = Array.from({ length: 20 }, (_, index) => `c${index}`);
        await fill('contested', all);
        const answers = await Promise.all(Array.from({ length: 5 }, () => remove(path('', 'configmaps', 'contested'))));
        expect(answers.map(({ code, body }) => [code, body.message])).toEqual(answers.map(() => [200, undefined]));
        expect(await names('contested')).toEqual([]);
      });

      it('stays on dryRun=All', async () => {
        await fill('rehearsal', ['a', 'b']);
        const { body } = await remove(path('', 'configmaps', 'rehearsal'), { dryRun: ['All'] });
        expect(body.items).toHaveLength(2);
        expect(await names('rehearsal')).toEqual(['a', 'b']);
      });
    });
  }));
