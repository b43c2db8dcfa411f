import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Store } from '#etcd/store';
import { WatchStream } from '#etcd/watch-stream';
import { WatcherIndex } from '#etcd/watcher-index';
import { NotImplemented } from '#kit/not-implemented';
import { type EtcdUnderTest, startEtcdUnderTest } from '#kit/testing/etcd';
import { describeEvent, type Event, prefixEnd, type RequestOp, type WatchConnection } from '#kit/testing/etcd-client';

describe('etcd', () =>
  describe('1.5 watch', () => {
    let etcd: EtcdUnderTest | undefined;
    const open: WatchConnection[] = [];
    beforeAll(async () => {
      etcd = await startEtcdUnderTest();
    });
    beforeEach(() => NotImplemented.forget());
    afterEach(() => {
      for (const connection of open.splice(0)) connection.close();
    });
    afterAll(() => etcd?.stop());
    const client = () => {
      if (!etcd) throw new Error('etcd did not start');
      return etcd.client;
    };
    const watch = () => {
      const connection = client().watch();
      open.push(connection);
      return connection;
    };
    const prefix = (text: string) => ({ key: text, rangeEnd: prefixEnd(text) });
    const put = async (key: string, value = '') => (await client().put({ key, value })).header.revision;
    const remove = async (key: string) => (await client().deleteRange({ key })).header.revision;

    it('answers that the watch was created, before any event', async () => {
      await put('created', 'one');
      const revision = await put('created', 'two');
      const stream = watch();
      const answer = await stream.create({ key: 'created', startRevision: revision });
      expect(answer).toMatchObject({ created: true, canceled: false, events: [] });
      expect(answer.header.revision).toBeGreaterThanOrEqual(revision);
      expect((await stream.events(1, answer.watchId)).map(describeEvent)).toEqual([`PUT created=two at revision ${revision}`]);
    });

    it('tells of every change from now on, in the order in which they were made', async () => {
      const stream = watch();
      await stream.create({ key: 'now' });
      const revisions = [await put('now', 'one'), await put('now', 'two'), await remove('now'), await put('now', 'three')];
      expect((await stream.events(4)).map(describeEvent)).toEqual([
        `PUT now=one at revision ${revisions[0]}`,
        `PUT now=two at revision ${revisions[1]}`,
        `DELETE now at revision ${revisions[2]}`,
        `PUT now=three at revision ${revisions[3]}`,
      ]);
    });

    it('says nothing of what was before, when no start was given', async () => {
      await put('before', 'old');
      const stream = watch();
      await stream.create({ key: 'before' });
      const revision = await put('before', 'new');
      expect((await stream.events(1)).map(describeEvent)).toEqual([`PUT before=new at revision ${revision}`]);
    });

    it('sends the whole key-value with a put', async () => {
      const createRevision = await put('whole', 'one');
      const stream = watch();
      await stream.create({ key: 'whole' });
      const modRevision = await put('whole', 'two');
      const [event] = await stream.events(1);
      expect(event?.kv).toEqual({
        key: Buffer.from('whole'),
        value: Buffer.from('two'),
        createRevision,
        modRevision,
        version: 2,
        lease: 0,
      });
    });

    it('tells the past from the start revision on, oldest first, and goes on with the present', async () => {
      await put('past', 'zero');
      const start = await put('past', 'one');
      await put('past', 'two');
      await remove('past');
      const stream = watch();
      await stream.create({ key: 'past', startRevision: start });
      await put('past', 'three');
      expect((await stream.events(4)).map(({ type, kv }) => `${type} ${kv.value} +${kv.modRevision - start}`)).toEqual([
        'PUT one +0',
        'PUT two +1',
        'DELETE  +2',
        'PUT three +3',
      ]);
    });

    it('waits for a start revision that is still to come', async () => {
      const present = await put('future', 'zero');
      const stream = watch();
      await stream.create({ key: 'future', startRevision: present + 2 });
      await put('future', 'one');
      await put('future', 'two');
      expect((await stream.events(1)).map(describeEvent)).toEqual([`PUT future=two at revision ${present + 2}`]);
    });

    it('tells of every key of a range and of no other', async () => {
      const stream = watch();
      await stream.create(prefix('range/'));
      for (const key of ['range', 'range/a', 'range0', 'ranger', 'range/b/c', 'range/']) await put(key);
      await remove('range');
      await remove('range/a');
      expect((await stream.events(4)).map(({ type, kv }) => `${type} ${kv.key}`)).toEqual([
        'PUT range/a',
        'PUT range/b/c',
        'PUT range/',
        'DELETE range/a',
      ]);
    });

    it('watches one key, not those that begin with it', async () => {
      const stream = watch();
      await stream.create({ key: 'exact' });
      await put('exact/not', '1');
      await put('exact\0', '1');
      await put('exact', '1');
      expect((await stream.events(1)).map(({ kv }) => kv.key.toString())).toEqual(['exact']);
    });

    it('watches every key there is, from a zero byte to a zero byte', async () => {
      const stream = watch();
      await stream.create({ key: '\0', rangeEnd: '\0' });
      await put('anything');
      await put('zzz');
      expect((await stream.events(2)).map(({ kv }) => kv.key.toString())).toEqual(['anything', 'zzz']);
    });

    it('sends what was there before if the watch asks for it, and only then', async () => {
      await put('prev', 'one');
      const stream = watch();
      const { watchId: asking } = await stream.create({ key: 'prev', prevKv: true });
      const { watchId: notAsking } = await stream.create({ key: 'prev' });
      await put('prev', 'two');
      await remove('prev');
      await put('prev', 'three');
      const valuesBefore = (events: Event[]) => events.map(({ prevKv }) => prevKv?.value.toString());
      expect(valuesBefore(await stream.events(3, asking))).toEqual(['one', 'two', undefined]);
      expect(valuesBefore(await stream.events(3, notAsking))).toEqual([undefined, undefined, undefined]);
    });

    it('names the key and the revision of a delete, and no value', async () => {
      await put('deleted', 'one');
      const stream = watch();
      await stream.create({ key: 'deleted' });
      const revision = await remove('deleted');
      const [event] = await stream.events(1);
      expect(event).toEqual({
        type: 'DELETE',
        kv: { key: Buffer.from('deleted'), value: Buffer.alloc(0), createRevision: 0, modRevision: revision, version: 0, lease: 0 },
        prevKv: null,
      });
    });

    it.each([
      { filters: ['NOPUT'] as const, expected: ['DELETE'] },
      { filters: ['NODELETE'] as const, expected: ['PUT', 'PUT'] },
    ])('leaves out what a filter excludes: $filters', async ({ filters, expected }) => {
      const stream = watch();
      const start = await put('filter', 'one');
      await remove('filter');
      await put('filter', 'two');
      await stream.create({ key: 'filter', startRevision: start, filters: [...filters] });
      expect((await stream.events(expected.length)).map(({ type }) => type)).toEqual(expected);
      await expectNothingMore(stream);
    });

    it('carries many watches on one stream, each with an id of its own', async () => {
      const stream = watch();
      const ids = [];
      for (const key of ['many/a', 'many/b', 'many/c']) ids.push((await stream.create({ key })).watchId);
      expect(new Set(ids).size).toBe(3);
      for (const key of ['many/c', 'many/a', 'many/b', 'many/a']) await put(key);
      const told = [];
      for (const [index, count] of [2, 1, 1].entries()) {
        told.push((await stream.events(count, ids[index])).map(({ kv }) => kv.key.toString()));
      }
      expect(told).toEqual([['many/a', 'many/a'], ['many/b'], ['many/c']]);
    });

    it('gives a watch the id that the client chose, unless another watch of the stream has it', async () => {
      const stream = watch();
      expect(await stream.create({ key: 'chosen', watchId: 7 })).toMatchObject({ watchId: 7, created: true, canceled: false });
      expect(await stream.create({ key: 'chosen-too', watchId: 7 })).toMatchObject({
        watchId: -1,
        created: true,
        canceled: true,
        cancelReason: 'mvcc: duplicate watch ID provided on the WatchStream',
      });
      await put('chosen-too');
      await put('chosen');
      expect((await stream.events(1, 7)).map(({ kv }) => kv.key.toString())).toEqual(['chosen']);
    });

    it('chooses no id that a client has chosen', async () => {
      const stream = watch();
      await stream.create({ key: 'ids', watchId: 1 });
      const ids = [];
      for (let count = 0; count < 3; count++) ids.push((await stream.create({ key: 'ids' })).watchId);
      expect(new Set([1, ...ids]).size).toBe(4);
    });

    it('refuses to watch a range in which no key can lie', async () => {
      expect(await watch().create({ key: 'b', rangeEnd: 'a' })).toMatchObject({
        created: true,
        canceled: true,
        cancelReason: 'mvcc: watcher range is empty',
      });
    });

    it('says that a watch was cancelled, and nothing more of it; the others go on', async () => {
      const stream = watch();
      const { watchId: first } = await stream.create({ key: 'cancel' });
      const { watchId: second } = await stream.create({ key: 'cancel' });
      stream.cancel(first);
      expect(await stream.next('the answer to a cancel request')).toMatchObject({
        watchId: first,
        canceled: true,
        created: false,
        events: [],
      });
      await put('cancel', 'one');
      expect(await stream.next()).toMatchObject({ watchId: second, events: [{ type: 'PUT' }] });
      await expectNothingMore(stream);
    });

    it('says nothing when a watch is cancelled that is not there', async () => {
      const stream = watch();
      stream.cancel(4711);
      const { created, canceled } = await stream.create({ key: 'cancel-nothing' });
      expect({ created, canceled }).toEqual({ created: true, canceled: false });
    });

    it('sends all that a transaction did in one response: nobody sees half of it', async () => {
      const stream = watch();
      await stream.create(prefix('txn/'));
      const start = await put('txn/c', 'gone soon');
      await client().txn({
        success: [
          { requestPut: { key: 'txn/b', value: '1' } },
          { requestDeleteRange: { key: 'txn/c' } },
          { requestPut: { key: 'txn/a', value: '1' } },
        ],
      });
      let response = await stream.next();
      while (!response.events.some(({ kv }) => kv.modRevision === start + 1)) response = await stream.next();
      const together = response.events.filter(({ kv }) => kv.modRevision === start + 1);
      expect(together.map(({ type, kv }) => `${type} ${kv.key}`).toSorted()).toEqual(['DELETE txn/c', 'PUT txn/a', 'PUT txn/b']);
      expect(response.header.revision).toBeGreaterThanOrEqual(start + 1);
    });

    it('answers a request for progress with the revision up to which everything was told', async () => {
      const stream = watch();
      await stream.create({ key: 'progress' });
      const told = await put('progress', 'one');
      await stream.events(1);
      const latest = await put('elsewhere');
      stream.requestProgress();
      const progress = await stream.next('the answer to a progress request');
      expect(progress).toMatchObject({ watchId: -1, created: false, canceled: false, events: [] });
      expect(progress.header.revision).toBe(latest);
      expect(latest).toBeGreaterThan(told);
    });

    it('sends no event after a progress that had promised there was none', async () => {
      const start = await put('promise', '0');
      await Promise.all(Array.from({ length: 99 }, () => put('promise', 'before')));
      const stream = watch();
      await stream.create({ key: 'promise', startRevision: start });
      await stream.events(100);
      stream.requestProgress();
      const puts = Array.from({ length: 50 }, () => put('promise', 'more'));
      let promised = 0;
      for (let told = 0; told < 50; ) {
        const { events, header } = await stream.next();
        for (const event of events) expect(event.kv.modRevision).toBeGreaterThan(promised);
        if (events.length === 0) promised = header.revision;
        told += events.length;
      }
      await Promise.all(puts);
    });

    it('promises a slow client no progress before it has its events', () => {
      const store = new Store();
      for (const value of ['one', 'two']) store.commit((change) => store.put(change, 'slow', Buffer.from(value)));
      const told: string[] = [];
      const sink = {
        hasRoom: true,
        send: ({ created, events = [] }: { created?: boolean; events?: { kv: { value: Buffer } }[] }) => {
          told.push(created ? 'created' : events.map(({ kv }) => kv.value).join(' ') || 'progress');
          sink.hasRoom = false;
        },
      };
      const stream = new WatchStream(store, sink, new WatcherIndex());
      const request = { key: Buffer.from('slow'), rangeEnd: Buffer.alloc(0), startRevision: '2', watchId: '0', filters: [] };
      stream.create({ ...request, prevKv: false, progressNotify: false, fragment: false });
      stream.requestProgress();
      expect(told).toEqual(['created']);
      sink.hasRoom = true;
      stream.deliver();
      sink.hasRoom = true;
      stream.deliver();
      expect(told).toEqual(['created', 'one two', 'progress']);
      sink.hasRoom = true;
      stream.deliver();
      expect(told).toHaveLength(3);
    });

    it('cancels a watch whose start was compacted away, and says where a new one can start', async () => {
      const start = await put('compacted', 'one');
      await put('compacted', 'two');
      const revision = await put('compacted', 'three');
      await client().compact(revision);
      const stream = watch();
      const { watchId } = await stream.create({ key: 'compacted', startRevision: start });
      expect(await stream.next()).toMatchObject({ watchId, canceled: true, compactRevision: revision, events: [] });
      const { watchId: retried } = await stream.create({ key: 'compacted', startRevision: revision });
      expect((await stream.events(1, retried)).map(describeEvent)).toEqual([`PUT compacted=three at revision ${revision}`]);
      // The cancelled one is over: nothing more is said of it, and nobody waits for it.
      stream.requestProgress();
      expect(await stream.next('the answer to a progress request')).toMatchObject({ watchId: -1 });
    });

    it('tells a long past completely, whatever happens meanwhile, and tears no transaction apart', async () => {
      const transactions = 300;
      const changeFour = (round: number) =>
        client().txn({ success: ['a', 'b', 'c', 'd'].map((name) => ({ requestPut: { key: `long/${name}`, value: `${round}` } })) });
      const start = await put('long/start');
      for (let round = 0; round < transactions; round += 50) {
        await Promise.all(Array.from({ length: 50 }, (_, index) => changeFour(round + index)));
      }
      const stream = watch();
      await stream.create({ ...prefix('long/'), startRevision: start + 1 });
      const meanwhile = Array.from({ length: 50 }, (_, index) => changeFour(transactions + index));
      const revisions: number[] = [];
      while (revisions.length < 4 * (transactions + 50)) {
        const { events } = await stream.next();
        expect(events.length % 4).toBe(0);
        revisions.push(...events.map(({ kv }) => kv.modRevision));
      }
      await Promise.all(meanwhile);
      const expected = Array.from({ length: 4 * (transactions + 50) }, (_, index) => start + 1 + Math.floor(index / 4));
      expect(revisions).toEqual(expected);
    });

    it('tells every watcher the same story, of any number of clients that write at once', async () => {
      const watchers = [watch(), watch(), watch()];
      for (const stream of watchers) await stream.create(prefix('story/'));
      const writers = Array.from({ length: 10 }, (_, index) => index);
      await Promise.all(
        writers.map(async (writer) => {
          for (let round = 0; round < 10; round++) await put(`story/${(writer + round) % 4}`, `${writer}.${round}`);
        }),
      );
      const [first, ...others] = await Promise.all(watchers.map(async (stream) => (await stream.events(100)).map(describeEvent)));
      for (const story of others) expect(story).toEqual(first);
      expect(new Set(first).size).toBe(100);
    });

    it('waits for a slow client, which misses nothing, and holds up nobody else', async () => {
      const slow = watch();
      await slow.create(prefix('slow/'));
      slow.pause();
      const quick = etcd?.connect().watch() as WatchConnection;
      open.push(quick);
      await quick.create(prefix('slow/'));
      const value = 'x'.repeat(50_000);
      for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 20 }, (_, index) => put(`slow/${index}`, value)));
      const story = (await quick.events(200)).map(({ kv }) => kv.modRevision);
      slow.resume();
      expect((await slow.events(200)).map(({ kv }) => kv.modRevision)).toEqual(story);
    });

    it('sends a large response in several messages to a client that can put them together', async () => {
      const start = await put('large', 'x'.repeat(1_000_000));
      for (let round = 0; round < 3; round++) await put('large', 'x'.repeat(1_000_000));
      const stream = watch();
      await stream.create({ key: 'large', startRevision: start, fragment: true });
      const revisions: number[] = [];
      while (revisions.length < 4) {
        const response = await stream.next();
        expect(response.events.reduce((size, { kv }) => size + kv.value.length, 0)).toBeLessThan(3_000_000);
        revisions.push(...response.events.map(({ kv }) => kv.modRevision));
        if (revisions.length === 4) expect(response.fragment).toBe(false);
      }
      expect(revisions).toEqual([start, start + 1, start + 2, start + 3]);
    });

    it('wakes whom a change concerns: one key among many, the same range twice, ranges that overlap', async () => {
      const stream = watch();
      const ranges = [prefix('wake/'), prefix('wake/'), prefix('wake/a'), { key: 'wake/b', rangeEnd: 'wake/d' }];
      const ids: number[] = [];
      for (const each of ranges) ids.push((await stream.create(each)).watchId);
      for (let index = 0; index < 50; index++) await stream.create({ key: `wake/single/${index}` });
      const told = async (key: string, expected: number[]) => {
        await put(key);
        stream.requestProgress();
        const responses = [];
        for (let response = await stream.next(); response.events.length > 0; response = await stream.next())
          responses.push(response.watchId);
        expect(responses.toSorted((left, right) => left - right)).toEqual(expected.map((index) => ids[index]));
      };
      await told('wake/a', [0, 1, 2]);
      await told('wake/c', [0, 1, 3]);
      await told('wake/d', [0, 1]);
      await told('elsewhere', []);
      stream.cancel(ids[1] as number);
      expect(await stream.next()).toMatchObject({ watchId: ids[1], canceled: true });
      await told('wake/ab', [0, 2]);
      await put('wake/single/49');
      const both = [await stream.next(), await stream.next()].map(({ watchId }) => watchId);
      expect(both).toContain(ids[0]);
    });

    it('does not mind a client that goes away', async () => {
      const leaving = watch();
      await leaving.create(prefix('leaving/'));
      const staying = watch();
      await staying.create(prefix('leaving/'));
      await put('leaving/a');
      await leaving.events(1);
      leaving.close();
      await put('leaving/b');
      expect((await staying.events(2)).map(({ kv }) => kv.key.toString())).toEqual(['leaving/a', 'leaving/b']);
    });

    describe('compared with a naive history of all that was written', () => {
      const name = fc.constantFrom('a', 'b', 'c', 'd');
      const span = fc.oneof(
        name.map((key) => ({ from: key, to: `${key}\0` })),
        fc.constantFrom({ from: 'a', to: 'c' }, { from: 'b', to: 'e' }, { from: 'a', to: 'e' }),
      );
      const write = fc.record({ key: name, deletes: fc.boolean() });
      const transaction = fc.uniqueArray(write, { selector: ({ key }) => key, minLength: 1, maxLength: 3 });
      const watcher = fc.record({
        span,
        /** Counted from the first revision of the run; undefined: from now on. */
        start: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
        prevKv: fc.boolean(),
        filters: fc.constantFrom<('NOPUT' | 'NODELETE')[]>([], [], ['NOPUT'], ['NODELETE']),
      });
      /** All that is done at once. */
      const batch = fc.record({ transactions: fc.array(transaction, { maxLength: 4 }), watchers: fc.array(watcher, { maxLength: 2 }) });

      it('tells each watch what happened in its range since its start, all of it, in order, and once', async () => {
        let run = 0;
        const property = fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 4 }), async (batches) => {
          run += 1;
          const prefix = `model/${run}/`;
          const before = (await client().range({ key: 'any' })).header.revision;
          const written: { revision: number; changes: { key: string; value: string | undefined }[] }[] = [];
          let values = 0;
          const writes = async (changes: { key: string; deletes: boolean }[]) => {
            const valued = changes.map(({ key, deletes }) => ({ key, value: deletes ? undefined : `${++values}` }));
            const success = valued.map(
              ({ key, value }): RequestOp =>
                value === undefined ? { requestDeleteRange: { key: prefix + key } } : { requestPut: { key: prefix + key, value } },
            );
            const { header, responses } = await client().txn({ success });
            const hasWritten = responses.some(({ responsePut, responseDeleteRange }) => responsePut || responseDeleteRange?.deleted === 1);
            if (hasWritten) written.push({ revision: header.revision, changes: valued });
          };
          const watches = async ({ span: { from, to }, start, ...wanted }: (typeof batches)[number]['watchers'][number]) => {
            const stream = watch();
            const startRevision = start === undefined ? 0 : before + start;
            const { header } = await stream.create({ key: prefix + from, rangeEnd: prefix + to, startRevision, ...wanted });
            return { stream, from, to, start: startRevision || header.revision + 1, ...wanted };
          };
          const watchers = [];
          for (const each of batches) {
            const created = Promise.all(each.watchers.map(watches));
            await Promise.all(each.transactions.map(writes));
            watchers.push(...(await created));
          }

          const alive = new Map<string, string>();
          const history = written
            .toSorted((left, right) => left.revision - right.revision)
            .flatMap(({ revision, changes }) =>
              changes.flatMap(({ key, value }) => {
                const previous = alive.get(key);
                if (value === undefined) alive.delete(key);
                else alive.set(key, value);
                const type = value === undefined ? 'DELETE' : 'PUT';
                return type === 'PUT' || previous !== undefined ? [{ revision, type, key, value: value ?? '', previous }] : [];
              }),
            );
          for (const { stream, from, to, start, prevKv, filters } of watchers) {
            const expected = history
              .filter(({ revision, key }) => revision >= start && key >= from && key < to)
              .filter(({ type }) => !filters.some((filter) => filter === `NO${type}`))
              .map((event) => ({ ...event, previous: prevKv ? event.previous : undefined }));
            const told = (await stream.events(expected.length)).map(({ type, kv, prevKv: previous }) => ({
              revision: kv.modRevision,
              type,
              key: kv.key.toString().slice(prefix.length),
              value: kv.value.toString(),
              previous: previous?.value.toString(),
            }));
            expect(told).toEqual(expected);
            await expectNothingMore(stream);
            stream.close();
          }
        });
        const options = { seed: 1505, numRuns: Number(process.env.KATA_RUNS ?? 40), endOnFailure: true };
        await fc.assert(property, options).catch((error) => {
          throw NotImplemented.first ?? error;
        });
      }, 60_000);
    });

    /** All that was said before a progress response has arrived when it arrives: if it comes next, there was nothing more. */
    async function expectNothingMore(stream: WatchConnection): Promise<void> {
      await put('the last word');
      stream.requestProgress();
      expect(await stream.next('the answer to a progress request')).toMatchObject({ watchId: -1, events: [] });
    }
  }));
