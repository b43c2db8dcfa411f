import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { revisionReached } from '#api-server/etcd-watch';
import { WatchCache } from '#api-server/watch-cache';
import { changesOf } from '#api-server/watch-events';
import { type ConfigMap, ConfigMaps, Pods } from '#kit/api';
import { type Random, seededRandom } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';
import type { ApiError } from '#kit/status';
import { type ApiServerUnderTest, type RawEvent, refusal, startApiServerUnderTest } from '#kit/testing/api-server';
import { pod } from '#kit/testing/builders';
import { eventually, withDeadline } from '#kit/testing/wait';

/** `ADDED a`, `MODIFIED a`, …; an ERROR with what its Status says. */
function told(events: RawEvent[]): string[] {
  return events.map(({ type, object }) => `${type} ${object.metadata?.name ?? object.message ?? ''}`.trim());
}

function versionOf({ object }: RawEvent): number {
  return Number(object.metadata.resourceVersion);
}

/** A server that has lost its way to etcd may take its time before it tries again. */
const patientMs = 10_000;

describe('API server', () =>
  describe('2.4 watch', () => {
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

    /** A namespace of one test alone. */
    async function namespaceOf(name: string): Promise<string> {
      await api().send({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name } } });
      return name;
    }
    const create = (namespace: string, name: string, rest: ConfigMap = {}) =>
      client().create(ConfigMaps, { ...rest, metadata: { ...rest.metadata, name, namespace } });
    /** Each object has one author here, so nobody is in the way of a read and a write. */
    const update = async (namespace: string, name: string, change: (object: ConfigMap) => ConfigMap) =>
      client().update(ConfigMaps, change(await client().get(ConfigMaps, { name, namespace })));
    const relabel = (namespace: string, name: string, labels: Record<string, string>) =>
      update(namespace, name, (object) => ({ ...object, metadata: { ...object.metadata, labels } }));
    const change = (namespace: string, name: string, value: string) =>
      update(namespace, name, (object) => ({ ...object, data: { value } }));
    const remove = (namespace: string, name: string) => client().delete(ConfigMaps, { name, namespace });
    const watch = (namespace: string, query = '') => api().watch(`/api/v1/namespaces/${namespace}/configmaps?watch=true&${query}`);
    const versionNow = async (namespace: string) => (await client().list(ConfigMaps, { namespace })).metadata.resourceVersion ?? '';
    const watchFromNow = async (namespace: string, query = '') =>
      watch(namespace, `resourceVersion=${await versionNow(namespace)}&${query}`);

    /** The API server has no way to etcd for a moment; in it `key` is deleted, and the history forgotten. */
    async function etcdForgetsWhatTheServerMissed(key = '/registry/elsewhere'): Promise<void> {
      const { wire, etcd } = api();
      wire.block();
      await etcd.client.put({ key, value: '' });
      const { header } = await etcd.client.deleteRange({ key });
      await etcd.client.compact(header.revision);
      wire.mend();
    }

    /** What a watch from this version is refused with, at once or by its first event. A server may ask for patience (429) first. */
    const refusedWatch = async (namespace: string, resourceVersion = '') => {
      const firstEvent = async () => {
        for await (const event of client().watch(ConfigMaps, { namespace, resourceVersion })) return event;
        return undefined;
      };
      const refused = () => refusal(withDeadline(`the refusal of a watch from ${resourceVersion}`, firstEvent(), { within: 3000 }));
      return eventually('an answer for good', async () => {
        const status = await refused();
        return status.code !== 429 && status;
      });
    };

    describe('tells what happens', () => {
      it('after the list that it goes on from: added, modified, deleted, in order', async () => {
        const namespace = await namespaceOf('in-order');
        await create(namespace, 'old');
        const watching = await watchFromNow(namespace);
        await create(namespace, 'a');
        await change(namespace, 'a', '1');
        await change(namespace, 'old', '1');
        await remove(namespace, 'a');
        const events = await watching.first(4);
        expect(told(events)).toEqual(['ADDED a', 'MODIFIED a', 'MODIFIED old', 'DELETED a']);
        expect(events.map(versionOf)).toEqual([...events.map(versionOf)].sort((a, b) => a - b));
        expect(new Set(events.map(versionOf)).size).toBe(4);
      });

      it('with whole objects, as a get would answer them', async () => {
        const namespace = await namespaceOf('whole');
        const watching = await watchFromNow(namespace);
        const created = await create(namespace, 'a', { data: { value: '1' } });
        const [event] = await watching.first(1);
        expect(event?.object).toEqual(created);
      });

      it('with the last state of a deleted object, and the resourceVersion of its deletion', async () => {
        const namespace = await namespaceOf('last-state');
        const created = await create(namespace, 'a', { data: { value: 'last' } });
        const watching = await watchFromNow(namespace);
        await remove(namespace, 'a');
        const after = await create(namespace, 'b');
        const [deleted] = await watching.first(1);
        expect(deleted).toMatchObject({
          type: 'DELETED',
          object: { kind: 'ConfigMap', data: { value: 'last' }, metadata: { uid: created.metadata?.uid } },
        });
        expect(deleted && versionOf(deleted)).toBeGreaterThan(Number(created.metadata?.resourceVersion));
        expect(deleted && versionOf(deleted)).toBeLessThan(Number(after.metadata?.resourceVersion));
      });

      it('in its own namespace only, and in all of them when none is named', async () => {
        const [left, right] = [await namespaceOf('left'), await namespaceOf('right')];
        const one = await watchFromNow(left);
        const all = await api().watch(`/api/v1/configmaps?watch=true&resourceVersion=${await versionNow(left)}`);
        await create(right, 'in-right');
        await create(left, 'in-left');
        expect(told(await one.first(1))).toEqual(['ADDED in-left']);
        expect(told(await all.first(2))).toEqual(['ADDED in-right', 'ADDED in-left']);
      });

      it('of one object, when a field selector names it', async () => {
        const namespace = await namespaceOf('just-one');
        await create(namespace, 'b');
        const revision = await versionNow(namespace);
        const byField = await watch(namespace, `resourceVersion=${revision}&fieldSelector=metadata.name=a`);
        await change(namespace, 'b', '1');
        await create(namespace, 'a');
        expect(told(await byField.first(1))).toEqual(['ADDED a']);
      });

      it('of a resource and of no other whose name begins alike', async () => {
        const namespace = await namespaceOf('alike');
        const watching = await api().watch(
          `/api/v1/namespaces/${namespace}/services?watch=true&resourceVersion=${await versionNow(namespace)}`,
        );
        await api().send({ method: 'POST', path: `/api/v1/namespaces/${namespace}/serviceaccounts`, body: { metadata: { name: 'a' } } });
        await api().send({ method: 'POST', path: `/api/v1/namespaces/${namespace}/endpoints`, body: { metadata: { name: 'a' } } });
        const service = { metadata: { name: 'b' }, spec: { ports: [{ port: 80 }] } };
        await api().send({ method: 'POST', path: `/api/v1/namespaces/${namespace}/services`, body: service });
        expect(told(await watching.first(1))).toEqual(['ADDED b']);
      });
    });

    describe('begins', () => {
      it('with the present state as ADDED, when no resourceVersion is given', async () => {
        const namespace = await namespaceOf('present');
        await create(namespace, 'a');
        await create(namespace, 'b');
        await change(namespace, 'a', '1');
        const watching = await watch(namespace);
        await create(namespace, 'c');
        expect(told(await watching.first(3))).toEqual(['ADDED a', 'ADDED b', 'ADDED c']);
      });

      it('with the present state for resourceVersion=0, too', async () => {
        const namespace = await namespaceOf('zero');
        await create(namespace, 'a');
        const watching = await watch(namespace, 'resourceVersion=0');
        expect(told(await watching.first(1))).toEqual(['ADDED a']);
      });

      it('with the present state or without it, as sendInitialEvents says, whatever the resourceVersion', async () => {
        const namespace = await namespaceOf('initial');
        await create(namespace, 'a');
        const query = `resourceVersionMatch=NotOlderThan&resourceVersion=${await versionNow(namespace)}`;
        const [withState, without] = [
          await watch(namespace, `sendInitialEvents=true&${query}`),
          await watch(namespace, `sendInitialEvents=false&${query}`),
        ];
        await create(namespace, 'b');
        expect(told(await withState.first(2))).toEqual(['ADDED a', 'ADDED b']);
        expect(told(await without.first(1))).toEqual(['ADDED b']);
      });

      it('exactly behind the resourceVersion it is given, also in the middle of the past', async () => {
        const namespace = await namespaceOf('middle');
        const first = await create(namespace, 'a');
        for (const value of ['1', '2', '3']) await change(namespace, 'a', value);
        const everything = await watch(namespace, `resourceVersion=${first.metadata?.resourceVersion}`);
        const events = await everything.first(3);
        expect(events.map(({ object }) => object.data.value)).toEqual(['1', '2', '3']);
        for (const [index, event] of events.entries()) {
          const resumed = await watch(namespace, `resourceVersion=${event.object.metadata.resourceVersion}`);
          await change(namespace, 'a', `after-${index}`);
          const [next] = await resumed.first(1);
          expect(next?.object.data.value).toBe(events[index + 1]?.object.data.value ?? 'after-0');
        }
      });
    });

    describe('shows a part of the world', () => {
      it('that objects enter (ADDED), change in (MODIFIED) and leave (DELETED)', async () => {
        const namespace = await namespaceOf('part');
        await create(namespace, 'a');
        const watching = await watchFromNow(namespace, 'labelSelector=on%3Dyes');
        await change(namespace, 'a', 'unseen');
        await relabel(namespace, 'a', { on: 'yes' });
        await change(namespace, 'a', 'seen');
        await relabel(namespace, 'a', { on: 'no' });
        await change(namespace, 'a', 'unseen again');
        await remove(namespace, 'a');
        await create(namespace, 'b', { metadata: { labels: { on: 'yes' } } });
        expect(told(await watching.first(4))).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a', 'ADDED b']);
      });

      it('and whoever leaves is told as it was when it was still inside, at the revision at which it left', async () => {
        const namespace = await namespaceOf('leaver');
        await create(namespace, 'a', { metadata: { labels: { on: 'yes' } } });
        const watching = await watchFromNow(namespace, 'labelSelector=on%3Dyes');
        const left = await relabel(namespace, 'a', { on: 'no' });
        const [deleted] = await watching.first(1);
        expect(deleted).toMatchObject({ type: 'DELETED', object: { metadata: { labels: { on: 'yes' } } } });
        expect(deleted && versionOf(deleted)).toBe(Number(left.metadata?.resourceVersion));
      });

      it('by fields as well: the pods of one node', async () => {
        const namespace = await namespaceOf('by-field');
        const watching = await api().watch(`/api/v1/namespaces/${namespace}/pods?watch=true&fieldSelector=spec.nodeName%3Dnode-1`);
        for (const name of ['a', 'b']) await client().create(Pods, pod(name, namespace));
        const bind = (name: string, node: string) =>
          client().createSubresource(Pods, { name, namespace }, 'binding', { metadata: { name }, target: { kind: 'Node', name: node } });
        await bind('a', 'node-2');
        await bind('b', 'node-1');
        const [event] = await watching.first(1);
        expect(event).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'b' }, spec: { nodeName: 'node-1' } } });
      });
    });

    describe('says how far it has come', () => {
      it('with a bookmark before it ends, from which one can go on', async () => {
        const namespace = await namespaceOf('bookmarks');
        const revision = await versionNow(namespace);
        const watching = await watch(namespace, `resourceVersion=${revision}&allowWatchBookmarks=true&timeoutSeconds=3&labelSelector=none`);
        const unseen = await create(namespace, 'unseen');
        const bookmarks = await watching.end(5000);
        expect(new Set(bookmarks.map(({ type }) => type))).toEqual(new Set(['BOOKMARK']));
        for (const { object } of bookmarks) expect(object.metadata.annotations ?? {}).not.toHaveProperty(['k8s.io/initial-events-end']);
        const bookmark = bookmarks.at(-1);
        expect(bookmark).toMatchObject({ type: 'BOOKMARK', object: { kind: 'ConfigMap', apiVersion: 'v1' } });
        expect(bookmark && versionOf(bookmark)).toBeGreaterThanOrEqual(Number(unseen.metadata?.resourceVersion));
        const resumed = await watch(namespace, `resourceVersion=${bookmark?.object.metadata.resourceVersion}`);
        await create(namespace, 'next');
        expect(told(await resumed.first(1))).toEqual(['ADDED next']);
      });

      it('to nobody who does not ask for bookmarks; and ends after timeoutSeconds without an error', async () => {
        const namespace = await namespaceOf('no-bookmarks');
        const watching = await watchFromNow(namespace, 'timeoutSeconds=1');
        expect(await watching.end()).toEqual([]);
      });

      it('where the present state ends, when it is asked to send it (streaming list)', async () => {
        const namespace = await namespaceOf('streaming');
        await create(namespace, 'a');
        const last = await create(namespace, 'b');
        const watching = await watch(namespace, 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true');
        const [first, second, bookmark] = await watching.first(3);
        expect(told([first as RawEvent, second as RawEvent])).toEqual(['ADDED a', 'ADDED b']);
        expect(bookmark).toMatchObject({
          type: 'BOOKMARK',
          object: { metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
        });
        expect(bookmark && versionOf(bookmark)).toBeGreaterThanOrEqual(Number(last.metadata?.resourceVersion));
        await create(namespace, 'c');
        expect(told((await watching.first(4)).slice(3))).toEqual(['ADDED c']);
      });

      it('also for a streaming list of nothing', async () => {
        const namespace = await namespaceOf('streaming-nothing');
        const watching = await watch(
          namespace,
          'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=',
        );
        expect((await watching.first(1))[0]?.object.metadata.annotations).toMatchObject({ 'k8s.io/initial-events-end': 'true' });
      });

      it.each(['sendInitialEvents=true', 'sendInitialEvents=true&resourceVersionMatch=Exact', 'resourceVersionMatch=NotOlderThan'])(
        'but not to %s, which makes no sense',
        async (query) => {
          const { code } = await api().send({ path: `/api/v1/configmaps?watch=true&${query}` });
          expect([400, 422]).toContain(code);
        },
      );

      it('nor to resourceVersion=abc, which makes no sense', async () => {
        const { code } = await api().send({ path: '/api/v1/configmaps?watch=true&resourceVersion=abc' });
        expect(code).toBeGreaterThanOrEqual(400);
      });
    });

    describe('loses nothing, repeats nothing, keeps the order', () => {
      /** Writers that create, change and delete objects of their own, in an order that only the seed knows. */
      async function writeMuch(namespace: string, writers: number, writes: number, random: Random): Promise<void> {
        const write = async (writer: number) => {
          const alive = new Set<string>();
          for (let step = 0; step < writes; step++) {
            const name = `w${writer}-${Math.floor(random() * 3)}`;
            if (alive.has(name) && random() < 0.3) {
              await remove(namespace, name);
              alive.delete(name);
            } else {
              await (alive.has(name) ? change(namespace, name, `${step}`) : create(namespace, name));
              alive.add(name);
            }
          }
        };
        await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
      }

      /** What etcd itself says happened: every revision that changed something in the namespace, in order. */
      async function revisionsInEtcd(namespace: string, after: string, until: number): Promise<number[]> {
        const connection = api().etcd.client.watch();
        const prefix = `/registry/configmaps/${namespace}/`;
        const seen: number[] = [];
        try {
          await connection.create({ key: prefix, rangeEnd: `${prefix.slice(0, -1)}0`, startRevision: Number(after) + 1 });
          while ((seen.at(-1) ?? 0) < until) seen.push(...(await connection.next()).events.map(({ kv }) => kv.modRevision));
        } finally {
          connection.close();
        }
        return seen;
      }

      it('while many write: every watcher sees every change once, in etcd’s order', async () => {
        const namespace = await namespaceOf('busy');
        const start = await versionNow(namespace);
        const watchers = await Promise.all(Array.from({ length: 5 }, () => watch(namespace, `resourceVersion=${start}`)));
        await writeMuch(namespace, 6, 12, seededRandom(24));
        const end = await create(namespace, 'end');
        const expected = await revisionsInEtcd(namespace, start, Number(end.metadata?.resourceVersion));
        for (const watching of watchers) {
          await watching.until('the last change', ({ object }) => object.metadata?.name === 'end');
          expect(watching.events.map(versionOf)).toEqual(expected);
        }
        // The stories of all objects make sense: added, changed, deleted, added again.
        const alive = new Set<string>();
        for (const { type, object } of watchers[0]?.events ?? []) {
          const { name } = object.metadata;
          expect(`${name} is ${alive.has(name) ? 'there' : 'not there'}, then ${type}`).toBe(
            `${name} is ${type === 'ADDED' ? 'not there' : 'there'}, then ${type}`,
          );
          if (type === 'DELETED') alive.delete(name);
          else alive.add(name);
        }
      });

      it('for whoever comes back with what was seen last, again and again', async () => {
        const namespace = await namespaceOf('comes-back');
        const start = await versionNow(namespace);
        const writing = writeMuch(namespace, 4, 10, seededRandom(7)).then(() => create(namespace, 'end'));
        const seen: RawEvent[] = [];
        while (seen.at(-1)?.object.metadata?.name !== 'end') {
          const watching = await watch(namespace, `resourceVersion=${seen.at(-1)?.object.metadata.resourceVersion ?? start}`);
          await watching.first(1);
          await watching.close();
          seen.push(...watching.events);
        }
        const end = await writing;
        expect(seen.map(versionOf)).toEqual(await revisionsInEtcd(namespace, start, Number(end.metadata?.resourceVersion)));
      });

      it('when the connection to etcd breaks, also in the middle of much to tell', async () => {
        const namespace = await namespaceOf('broken-wire');
        const start = await versionNow(namespace);
        const watchers = [await watch(namespace, `resourceVersion=${start}`), await watch(namespace, `resourceVersion=${start}`)];
        const put = (name: string, value: string) => {
          const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, uid: 'u' }, data: { value } };
          return api().etcd.client.put({ key: `/registry/configmaps/${namespace}/${name}`, value: JSON.stringify(object) });
        };
        // Straight into etcd: the API server's own connection is what breaks.
        for (let round = 0; round < 4; round++) {
          for (let index = 0; index < 25; index++) {
            await put(`a-${index % 7}`, `${round}-${index}`);
            if (index === 12) api().wire.cut();
          }
        }
        const { header } = await put('end', '');
        const expected = await revisionsInEtcd(namespace, start, header.revision);
        for (const watching of watchers) {
          await watching.until('the last change, after the connection is back', ({ object }) => object.metadata?.name === 'end', 5000);
          expect(watching.events.map(versionOf)).toEqual(expected);
        }
      });

      it('and asks etcd once, however many watch', async () => {
        const namespace = await namespaceOf('many-watchers');
        const large = { data: { value: 'x'.repeat(20_000) } };
        const bytesFor = async (name: string) => {
          const before = api().wire.received;
          await create(namespace, name, large);
          return api().wire.received - before;
        };
        const [one] = await Promise.all([watchFromNow(namespace)]);
        await bytesFor('warm-up');
        await one?.first(1);
        const withOne = await bytesFor('a');
        await one?.first(2);
        const revision = await versionNow(namespace);
        const many = await Promise.all(Array.from({ length: 20 }, () => watch(namespace, `resourceVersion=${revision}`)));
        await Promise.all([bytesFor('b'), ...many.map((watching) => watching.first(1))]);
        const before = api().wire.received;
        await create(namespace, 'c', large);
        await Promise.all(many.map((watching) => watching.first(2)));
        const withMany = api().wire.received - before;
        expect(`20 watchers cost ${Math.round(withMany / Math.max(withOne, 20_000))} times the bytes of one`).toBe(
          '20 watchers cost 1 times the bytes of one',
        );
      });

      it('or says so: when etcd has forgotten what the server missed, every watch ends, and to go on is refused: 410 Expired', async () => {
        const namespace = await namespaceOf('forgotten-meanwhile');
        await create(namespace, 'a');
        const watching = await watchFromNow(namespace);
        await change(namespace, 'a', '1');
        const [seen] = await watching.first(1);
        await etcdForgetsWhatTheServerMissed(`/registry/configmaps/${namespace}/a`);
        const [, ...more] = await watching.end(patientMs);
        // The server may say it to the watch itself, or to whoever comes back.
        for (const event of more) expect(event).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
        const status = await refusedWatch(namespace, seen?.object.metadata.resourceVersion);
        expect(status).toMatchObject({ code: 410, reason: 'Expired' });
        const anew = await watchFromNow(namespace);
        await create(namespace, 'b');
        expect(told(await anew.first(1))).toEqual(['ADDED b']);
      });

      it('nor goes on from a past that is forgotten: 410 Expired, and the client lists anew', async () => {
        const namespace = await namespaceOf('forgotten');
        const { metadata } = await create(namespace, 'a');
        const watching = await watchFromNow(namespace);
        await etcdForgetsWhatTheServerMissed();
        await watching.end(patientMs);
        const status = await refusedWatch(namespace, metadata?.resourceVersion);
        expect(status).toMatchObject({ code: 410, reason: 'Expired' });
        expect(status.message).toMatch(new RegExp(`^too old resource version: ${metadata?.resourceVersion} \\(\\d+\\)$`));
      });
    });

    describe('where a broken watch on etcd goes on', () => {
      const message = (revisions: number[], headerRevision: number) => ({
        watch_id: '1',
        created: false,
        canceled: false,
        compact_revision: '0',
        cancel_reason: '',
        header: { cluster_id: '1', member_id: '1', revision: String(headerRevision), raft_term: '1' },
        events: revisions.map((revision) => ({ type: 'PUT', kv: { mod_revision: String(revision) } })),
      });
      const reached = (revisions: number[], headerRevision: number, before: number) =>
        revisionReached(message(revisions, headerRevision) as unknown as Parameters<typeof revisionReached>[0], before);

      it('is its last event, whatever the header says: more may be to come below that', () => {
        expect(reached([6, 7, 9], 20, 5)).toBe(9);
      });

      it('is the header where there are no events, and never before what was reached already', () => {
        expect(reached([], 20, 5)).toBe(20);
        expect(reached([], 3, 5)).toBe(5);
      });
    });

    describe('a change without its previous value', () => {
      const value = Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }));
      const changes = (type: string, version: string) => {
        const kv = { key: Buffer.from('/registry/configmaps/default/a'), value, mod_revision: '7', version };
        return changesOf({ events: [{ type, kv }] } as unknown as Parameters<typeof changesOf>[0]);
      };

      it('is the first of its object', () => {
        expect(changes('PUT', '1')).toMatchObject([{ revision: 7, previous: undefined, deleted: false }]);
      });

      it.each([
        ['a deletion', 'DELETE', '0'],
        ['a later version', 'PUT', '2'],
      ])('cannot be told when it is %s: etcd has forgotten what was before', (_what, type, version) => {
        expect(() => changes(type, version)).toThrow('too old resource version: 7 (7)');
      });
    });

    describe('a watch cache', () => {
      const object = (revision: number) => ({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'a', resourceVersion: String(revision) },
      });
      const changeAt = (revision: number) => ({ revision, object: object(revision), previous: object(revision - 1), deleted: false });
      const listener = () => {
        const seen: number[] = [];
        const errors: ApiError[] = [];
        return {
          seen,
          errors,
          onChange: ({ revision }: { revision: number }) => void seen.push(revision),
          onEnd: (error: ApiError) => void errors.push(error),
        };
      };
      const cacheWith = (capacity: number, start: number, revisions: number[]) => {
        const cache = new WatchCache(capacity, start);
        for (const revision of revisions) cache.add(changeAt(revision));
        return cache;
      };

      it('replays what came after a revision, and goes on', () => {
        const cache = cacheWith(10, 5, [7, 8, 12]);
        const late = listener();
        cache.watch(7, late);
        cache.add(changeAt(13));
        expect(late.seen).toEqual([8, 12, 13]);
      });

      it('tells nothing twice to who knows more than it does itself', () => {
        const cache = cacheWith(10, 5, [7]);
        const ahead = listener();
        cache.watch(9, ahead);
        for (const revision of [8, 9, 10]) cache.add(changeAt(revision));
        expect(ahead.seen).toEqual([10]);
      });

      it('tells nothing more to who has stopped', () => {
        const cache = cacheWith(10, 5, []);
        const gone = listener();
        const { stop } = cache.watch(5, gone);
        cache.add(changeAt(6));
        stop();
        cache.add(changeAt(7));
        expect(gone.seen).toEqual([6]);
      });

      it('knows nothing from before its beginning', () => {
        const cache = cacheWith(10, 5, [7]);
        expect(() => cache.watch(4, listener())).toThrow('too old resource version: 4 (5)');
        expect(() => cache.watch(5, listener())).not.toThrow();
      });

      it('forgets the oldest change when it is full, and says so to whoever would miss it, and to nobody else', () => {
        const cache = cacheWith(3, 5, [6, 7, 8, 9]);
        const enough = listener();
        cache.watch(6, enough);
        expect(enough.seen).toEqual([7, 8, 9]);
        expect(() => cache.watch(5, listener())).toThrow('too old resource version: 5 (6)');
      });

      it('lets its watchers stop, or come, while it tells them something', () => {
        const cache = cacheWith(10, 5, []);
        const first = listener();
        const second = listener();
        const third = listener();
        const { stop } = cache.watch(5, {
          ...first,
          onChange: ({ revision }) => {
            first.seen.push(revision);
            stop();
            if (revision !== 6) return;
            cache.watch(6, second);
            cache.watch(5, third);
          },
        });
        for (const revision of [6, 7]) cache.add(changeAt(revision));
        expect([first.seen, second.seen, third.seen]).toEqual([[6], [7], [6, 7]]);
      });
    });
  }));
