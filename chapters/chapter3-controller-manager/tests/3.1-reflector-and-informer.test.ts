import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Informer, type InformerOptions } from '#controller-manager/informer';
import { ObjectCache } from '#controller-manager/object-cache';
import { mustListAgain } from '#controller-manager/reflector';
import { type Pod, Pods } from '#kit/api';
import { type Clock, FakeClock, type Random, systemClock } from '#kit/clock';
import { silentLogger } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import { ApiError, failure } from '#kit/status';
import { pod } from '#kit/testing/builders';
import { eventually, withDeadline } from '#kit/testing/wait';
import { ConnectionError } from '#kit/transport';
import { ScriptedApiServer } from './scripted-api-server.ts';

const within = 3_000;
const context = { clock: systemClock, random: () => 0, log: silentLogger };

let server: ScriptedApiServer;
let informer: Informer<Pod> | undefined;
/** What the handlers were told, e.g. `added default/a`. */
let told: string[];

beforeEach(async () => {
  NotImplemented.forget();
  told = [];
  informer = undefined;
  server = await new ScriptedApiServer().start();
});

afterEach(async () => {
  await informer?.stop();
  await server.stop();
});

function make(options: InformerOptions<Pod> = {}, instead: { clock?: Clock; random?: Random } = {}): Informer<Pod> {
  const made = new Informer(server.client(), Pods, { ...context, ...instead }, options);
  informer = made;
  const name = ({ metadata }: Pod) => metadata?.name;
  made.onChange({
    added: (object) => told.push(`added ${name(object)}`),
    updated: (object, old) => told.push(`updated ${name(object)} from ${old.metadata?.labels?.color} to ${object.metadata?.labels?.color}`),
    deleted: (object) => told.push(`deleted ${name(object)}`),
  });
  return made;
}

async function started(options: InformerOptions<Pod> = {}): Promise<Informer<Pod>> {
  const made = make(options);
  await withDeadline('the informer has its first list', made.start(), { within });
  return made;
}

const tells = (expected: string[]) =>
  eventually(
    `the handlers are told: ${expected.join(', ')}`,
    () => {
      expect(told).toEqual(expected);
      return true;
    },
    { within, story: () => `  told: ${told.join(', ') || '(nothing)'}` },
  );

const watching = () => eventually('a watch is open', () => server.openWatches === 1, { within });

describe('controller manager', () => {
  describe('3.1 reflector and informer', () => {
    describe('the cache', () => {
      const byNode = ({ spec }: Pod) => (spec?.nodeName ? [spec.nodeName] : []);

      it('finds an object by its key, by its namespace and by an index', () => {
        const cache = new ObjectCache<Pod>({ node: byNode });
        cache.set(pod('a').boundTo('node-1'));
        cache.set(pod('b', 'other').boundTo('node-1'));
        expect(cache.get('other/b')?.metadata?.name).toBe('b');
        expect(cache.list('default').map(({ metadata }) => metadata?.name)).toEqual(['a']);
        expect(cache.byIndex('node', 'node-1')).toHaveLength(2);
        expect(cache.list()).toHaveLength(2);
      });

      it('moves a changed object from its old index values to its new ones, and returns the old object', () => {
        const cache = new ObjectCache<Pod>({ node: byNode });
        const old = pod('a').boundTo('node-1');
        expect(cache.set(old)).toBeUndefined();
        expect(cache.set(pod('a').boundTo('node-2'))).toBe(old);
        expect(cache.byIndex('node', 'node-1')).toEqual([]);
        expect(cache.byIndex('node', 'node-2')).toHaveLength(1);
      });

      it('goes on finding the others when one of several under the same index value moves or goes', () => {
        const cache = new ObjectCache<Pod>({ node: byNode });
        for (const name of ['a', 'b', 'c']) cache.set(pod(name).boundTo('node-1'));
        cache.delete('default/a');
        cache.set(pod('b').boundTo('node-2'));
        expect(cache.byIndex('node', 'node-1').map(({ metadata }) => metadata?.name)).toEqual(['c']);
        expect(
          cache
            .list('default')
            .map(({ metadata }) => metadata?.name)
            .sort(),
        ).toEqual(['b', 'c']);
      });

      it('gives the newest state of an object through an index whose value did not change', () => {
        const cache = new ObjectCache<Pod>({ node: byNode });
        cache.set(pod('a').boundTo('node-1'));
        cache.set(pod('a').boundTo('node-1').labelled({ color: 'blue' }));
        expect(cache.byIndex('node', 'node-1').map(({ metadata }) => metadata?.labels)).toEqual([{ color: 'blue' }]);
      });

      it('takes a value that an index function gives twice for one', () => {
        const cache = new ObjectCache<Pod>({ twice: () => ['same', 'same'] });
        cache.set(pod('a'));
        expect(cache.byIndex('twice', 'same')).toHaveLength(1);
        cache.delete('default/a');
        expect(cache.byIndex('twice', 'same')).toEqual([]);
      });

      it('forgets a deleted object in every index', () => {
        const cache = new ObjectCache<Pod>({ node: byNode });
        cache.set(pod('a').boundTo('node-1'));
        expect(cache.delete('default/a')?.metadata?.name).toBe('a');
        expect(cache.delete('default/a')).toBeUndefined();
        expect([cache.get('default/a'), ...cache.byIndex('node', 'node-1'), ...cache.list('default')]).toEqual([undefined]);
      });
    });

    it('has the whole list in the cache, and told as added, when start resolves', async () => {
      server.put('a');
      server.put('b');
      const pods = await started();
      expect(told).toEqual(['added a', 'added b']);
      expect(pods.list('default').map(({ metadata }) => metadata?.name)).toEqual(['a', 'b']);
    });

    it('gives every cached object its apiVersion and kind, which lists leave out', async () => {
      server.put('a');
      expect((await started()).get('default/a')).toMatchObject({ apiVersion: 'v1', kind: 'Pod' });
    });

    it('reads a list that is longer than a page to its end', async () => {
      for (let index = 0; index < 1_203; index++) server.put(`pod-${index}`);
      expect((await started()).list()).toHaveLength(1_203);
    });

    it('misses nothing that happens between the list and the watch', async () => {
      server.put('a');
      server.afterList = () => {
        server.afterList = () => {};
        server.put('between');
      };
      await started();
      await tells(['added a', 'added between']);
    });

    it('tells what is added, updated and deleted, with the state before', async () => {
      const pods = await started();
      await watching();
      server.put('a', { color: 'red' });
      server.put('a', { color: 'blue' });
      server.remove('a');
      await tells(['added a', 'updated a from red to blue', 'deleted a']);
      expect(pods.get('default/a')).toBeUndefined();
    });

    it('asks for bookmarks, and goes on from one when the watch ends', async () => {
      await started();
      await watching();
      server.bookmark();
      server.put('a');
      server.bookmark();
      await tells(['added a']);
      server.endWatches();
      await eventually('a second watch is open', () => server.watches.length === 2 && server.openWatches === 1, { within });
      const [first, second] = server.watches.map(({ query }) => Number(query.get('resourceVersion')));
      expect(server.watches[0]?.query.get('allowWatchBookmarks')).toBe('true');
      expect(second).toBe((first as number) + 21);
      expect(server.lists).toHaveLength(1);
    });

    it('asks for watches of five to ten minutes, one for longer than another', async () => {
      await withDeadline('the informer has its first list', make({}, { random: () => 0.5 }).start(), { within });
      await watching();
      const seconds = Number(server.watches[0]?.query.get('timeoutSeconds'));
      expect(seconds).toBeGreaterThan(300);
      expect(seconds).toBeLessThan(600);
    });

    it('goes on from a deletion too', async () => {
      await started();
      await watching();
      server.put('a');
      server.remove('a');
      await tells(['added a', 'deleted a']);
      server.endWatches();
      await eventually('a second watch', () => server.watches.length === 2, { within });
      const [first, second] = server.watches.map(({ query }) => Number(query.get('resourceVersion')));
      expect({ first, second }).toEqual({ first, second: (first as number) + 2 });
    });

    it('asks for its namespace and its selectors, in the list and in the watch', async () => {
      await started({ namespace: 'shop', labelSelector: 'app=echo', fieldSelector: 'spec.nodeName=node-1' });
      await watching();
      const asked = server.requests.map(({ isWatch, path, query }) => ({
        isWatch,
        path,
        labels: query.get('labelSelector'),
        fields: query.get('fieldSelector'),
      }));
      const wanted = { path: '/api/v1/namespaces/shop/pods', labels: 'app=echo', fields: 'spec.nodeName=node-1' };
      expect(asked).toEqual([
        { isWatch: false, ...wanted },
        { isWatch: true, ...wanted },
      ]);
    });

    it('goes on after a broken connection from where it was, without a new list', async () => {
      server.put('a');
      await started();
      await watching();
      server.breakWatches();
      server.put('b');
      await tells(['added a', 'added b']);
      expect(server.lists).toHaveLength(1);
    });

    it('lists again when its version has expired, and tells only the differences, deletions too', async () => {
      server.put('stays', { color: 'red' });
      server.put('changes', { color: 'red' });
      server.put('goes');
      await started();
      await watching();
      told = [];
      server.breakWatches();
      await eventually('the watch is gone', () => server.openWatches === 0, { within });
      server.forgetHistory();
      server.remove('goes');
      server.put('changes', { color: 'blue' });
      server.put('comes');
      server.forgetHistory();
      await eventually('a second list', () => server.lists.length === 2, { within });
      await eventually('three differences', () => told.length === 3, { within, story: () => told.join(', ') });
      expect([...told].sort()).toEqual(['added comes', 'deleted goes', 'updated changes from red to blue']);
    });

    it('tells a deletion and an addition when a name comes back with another uid', async () => {
      server.put('a', { color: 'red' });
      const pods = await started();
      await watching();
      const other = server.put('a', { color: 'blue' }, { anew: true });
      await tells(['added a', 'deleted a', 'added a']);
      expect(pods.get('default/a')?.metadata?.uid).toBe(other.metadata?.uid);
    });

    it('keeps its indexes true while it watches', async () => {
      server.put('a', { color: 'red' });
      const pods = await started({ indexes: { color: ({ metadata }) => [metadata?.labels?.color ?? ''] } });
      await watching();
      server.put('a', { color: 'blue' });
      await eventually('the pod is found under its new color', () => pods.byIndex('color', 'blue').length === 1, { within });
      expect(pods.byIndex('color', 'red')).toEqual([]);
    });

    it('waits for a server that refuses at first', async () => {
      server.put('a');
      server.refuse = 2;
      await started();
      expect(told).toEqual(['added a']);
      expect(server.lists).toHaveLength(3);
    });

    it('waits between two tries', async () => {
      const clock = new FakeClock();
      server.refuse = 1;
      const starting = make({}, { clock }).start();
      await withDeadline(
        'the first try',
        Promise.race([starting, eventually('a refused list', () => server.refuse === 0 && clock.pending > 0)]),
        { within },
      );
      expect(server.lists).toHaveLength(1);
      await clock.advance(60_000);
      await withDeadline('the second try', starting, { within });
      expect(server.lists).toHaveLength(2);
    });

    it('waits before the next try when a watch ends after less than a second without an event', async () => {
      const clock = new FakeClock();
      await withDeadline('the informer has its first list', make({}, { clock }).start(), { within });
      await watching();
      await clock.advance(999);
      server.endWatches();
      await eventually('it waits, or watches again', () => clock.pending > 0 || server.watches.length > 1, { within });
      expect(server.watches).toHaveLength(1);
      await clock.advance(60_000);
      await eventually('a second watch', () => server.watches.length === 2, { within });
    });

    it.each([
      ['lasted a second', 1_000, () => {}],
      ['told an event', 0, () => void server.put('a')],
    ])('watches on at once when the watch %s', async (_what, lasts, happens) => {
      const clock = new FakeClock();
      await withDeadline('the informer has its first list', make({}, { clock }).start(), { within });
      await watching();
      happens();
      await clock.advance(lasts);
      server.endWatches();
      await eventually('it watches again, or waits', () => server.watches.length > 1 || clock.pending > 0, { within });
      expect({ watches: server.watches.length, waits: clock.pending }).toEqual({ watches: 2, waits: 0 });
    });

    it('has changed the cache when it calls a handler', async () => {
      const pods = make();
      const cached: (string | undefined)[] = [];
      const look = () => cached.push(pods.get('default/a')?.metadata?.labels?.color);
      pods.onChange({ added: look, updated: look, deleted: look });
      server.put('a', { color: 'red' });
      await withDeadline('the informer has its first list', pods.start(), { within });
      await watching();
      server.put('a', { color: 'blue' });
      server.remove('a');
      await tells(['added a', 'updated a from red to blue', 'deleted a']);
      expect(cached).toEqual(['red', 'blue', undefined]);
    });

    it('calls the other handlers when one of them throws', async () => {
      const pods = make();
      const seen: string[] = [];
      pods.onChange({
        added: () => {
          throw new Error('a faulty handler');
        },
      });
      pods.onChange({ added: ({ metadata }) => seen.push(metadata?.name ?? '') });
      server.put('a');
      await withDeadline('the informer has its first list', pods.start(), { within });
      expect(seen).toEqual(['a']);
    });

    it('ends its watch when it is stopped', async () => {
      const pods = await started();
      await watching();
      await pods.stop();
      await eventually('no watch is open', () => server.openWatches === 0, { within });
    });

    it.each([
      ['the version has expired (410)', true, new ApiError(failure(410, 'Expired', 'too old resource version'))],
      ['the server answers another error', true, new ApiError(failure(500, 'InternalError', 'no'))],
      ['the connection breaks', false, new ConnectionError('https://127.0.0.1:6443', new Error('socket hang up'))],
    ])('when %s, listing again is %s', (_what, expected, error) => {
      expect(mustListAgain(error)).toBe(expected);
    });
  });
});
