import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Store } from '#etcd/store';
import { NotImplemented } from '#kit/not-implemented';
import { type EtcdUnderTest, startEtcdUnderTest } from '#kit/testing/etcd';
import { failureOf, pair, prefixEnd } from '#kit/testing/etcd-client';
import { memoryKept } from '#kit/testing/memory';

describe('etcd', () =>
  describe('1.3 history', () => {
    let etcd: EtcdUnderTest | undefined;
    beforeAll(async () => {
      etcd = await startEtcdUnderTest();
    });
    beforeEach(() => NotImplemented.forget());
    afterAll(() => etcd?.stop());
    const client = () => {
      if (!etcd) throw new Error('etcd did not start');
      return etcd.client;
    };
    const put = async (key: string, value = '') => (await client().put({ key, value })).header.revision;
    const putAll = async (...keys: string[]) => {
      for (const key of keys) await put(key);
    };
    const remove = async (key: string) => (await client().deleteRange({ key })).header.revision;
    const folder = (prefix: string) => ({ key: prefix, rangeEnd: prefixEnd(prefix) });
    const listAt = async (prefix: string, revision: number) => (await client().range({ ...folder(prefix), revision })).kvs.map(pair);
    const compacted = { code: 'OUT_OF_RANGE', details: 'etcdserver: mvcc: required revision has been compacted' };
    const future = { code: 'OUT_OF_RANGE', details: 'etcdserver: mvcc: required revision is a future revision' };

    it('shows a key as it was at each revision', async () => {
      const first = await put('key', 'one');
      await put('another', 'in between');
      const third = await put('key', 'two');
      const deletion = await remove('key');
      const last = await put('key', 'three');
      const at = async (revision: number) => (await client().range({ key: 'key', revision })).kvs.map(pair);
      expect(await Promise.all([first - 1, first, first + 1, third, deletion, last].map(at))).toEqual([
        [],
        ['key=one'],
        ['key=one'],
        ['key=two'],
        [],
        ['key=three'],
      ]);
    });

    it('lists a range as it was: without what came later, with what was deleted since', async () => {
      const first = await put('list/a', 'one');
      const second = await put('list/b', 'one');
      const third = await put('list/a', 'two');
      const deletion = await remove('list/a');
      await put('list/c', 'later');
      expect(await Promise.all([first, second, third, deletion].map((revision) => listAt('list/', revision)))).toEqual([
        ['list/a=one'],
        ['list/a=one', 'list/b=one'],
        ['list/a=two', 'list/b=one'],
        ['list/b=one'],
      ]);
    });

    it('tells of a key-value of the past what was true then', async () => {
      const createRevision = await put('numbers', 'one');
      const modRevision = await put('numbers', 'two');
      await put('numbers', 'three');
      await remove('numbers');
      await put('numbers', 'four');
      const { kvs } = await client().range({ key: 'numbers', revision: modRevision });
      expect(kvs).toMatchObject([{ value: Buffer.from('two'), createRevision, modRevision, version: 2 }]);
    });

    it('says in the header how far the store is, not which revision was read', async () => {
      const past = await put('header', 'one');
      const present = await put('header', 'two');
      expect((await client().range({ key: 'header', revision: past })).header.revision).toBe(present);
    });

    it('reads the present at revision 0, and at the present revision', async () => {
      const revision = await put('present', 'now');
      for (const asked of [0, revision]) {
        expect((await client().range({ key: 'present', revision: asked })).kvs.map(pair)).toEqual(['present=now']);
      }
    });

    it('counts, limits and sorts in the past as in the present', async () => {
      for (const [key, value] of Object.entries({ a: '3', b: '1', c: '2' })) await put(`options/${key}`, value);
      const revision = (await client().range({ key: 'options/a' })).header.revision;
      await client().deleteRange(folder('options/'));
      const past = await client().range({ ...folder('options/'), revision, limit: 2, sortTarget: 'VALUE', sortOrder: 'ASCEND' });
      expect({ kvs: past.kvs.map(pair), more: past.more, count: past.count }).toEqual({
        kvs: ['options/b=1', 'options/c=2'],
        more: true,
        count: 3,
      });
      expect((await client().range({ ...folder('options/'), revision, countOnly: true })).count).toBe(3);
    });

    it('lists page after page without losing, doubling or renaming a key, whatever is written in between', async () => {
      const keys = Array.from({ length: 25 }, (_, index) => `page/${String(index).padStart(2, '0')}`);
      await putAll(...keys);
      const listed: string[] = [];
      let from = Buffer.from('page/');
      let revision = 0;
      for (let page = 0; page < 4; page++) {
        const answer = await client().range({ key: from, rangeEnd: prefixEnd('page/'), limit: 7, revision });
        listed.push(...answer.kvs.map(({ key }) => key.toString()));
        expect(answer.more).toBe(page < 3);
        revision ||= answer.header.revision;
        from = Buffer.concat([answer.kvs.at(-1)?.key ?? Buffer.of(), Buffer.of(0)]);
        await client().deleteRange({ key: `page/${20 + page}` });
        await client().put({ key: `page/0${page}+`, value: 'new' });
      }
      expect(listed).toEqual(keys);
    });

    it('finds each of many versions of one key', async () => {
      const start = await put('busy', '0');
      for (let round = 0; round < 10; round++) {
        await Promise.all(Array.from({ length: 40 }, () => client().put({ key: 'busy', value: 'again' })));
      }
      for (const version of [1, 2, 3, 100, 255, 256, 257, 400, 401]) {
        const { kvs } = await client().range({ key: 'busy', revision: start + version - 1 });
        expect(kvs).toMatchObject([{ version, modRevision: start + version - 1 }]);
      }
    });

    it('refuses to tell the future', async () => {
      const revision = (await put('oracle')) + 1;
      expect(await failureOf(client().range({ key: 'oracle', revision }))).toEqual(future);
      expect(await failureOf(client().range({ ...folder('oracle'), revision: revision + 1000 }))).toEqual(future);
    });

    it('answers at the compacted revision and after it, and not before', async () => {
      const first = await put('cut/a', 'one');
      await put('cut/a', 'two');
      const third = await put('cut/a', 'three');
      const fourth = await put('cut/a', 'four');
      await client().compact(third);
      expect(await listAt('cut/', third)).toEqual(['cut/a=three']);
      expect(await listAt('cut/', fourth)).toEqual(['cut/a=four']);
      for (const revision of [first, third - 1]) expect(await failureOf(listAt('cut/', revision))).toEqual(compacted);
      expect(await failureOf(client().range({ key: 'cut/a', revision: third - 1, countOnly: true }))).toEqual(compacted);
    });

    it('forgets all that was before the present, if that is asked for', async () => {
      const first = await put('present', 'one');
      const second = await put('present', 'two');
      await client().compact(second);
      expect(await failureOf(client().range({ key: 'present', revision: first }))).toEqual(compacted);
      expect(await listAt('present', second)).toEqual(['present=two']);
    });

    it('keeps what is alive at the compacted revision, however old it is', async () => {
      const old = await put('old', 'still true');
      await put('elsewhere', '1');
      const revision = await put('elsewhere', '2');
      await client().compact(revision);
      for (const asked of [0, revision]) {
        expect((await client().range({ key: 'old', revision: asked })).kvs).toMatchObject([
          { value: Buffer.from('still true'), modRevision: old, version: 1 },
        ]);
      }
    });

    it('shows no trace of a key whose deletion was compacted', async () => {
      await put('trace', 'one');
      await put('trace', 'two');
      const deletion = await remove('trace');
      await client().compact(deletion);
      expect((await client().range({ key: 'trace', revision: deletion })).count).toBe(0);
      expect((await client().range({ key: 'trace' })).count).toBe(0);
      const createRevision = await put('trace', 'new life');
      expect((await client().range({ key: 'trace' })).kvs).toMatchObject([{ createRevision, version: 1 }]);
    });

    it('goes on counting the versions of a key whose first ones were compacted', async () => {
      const createRevision = await put('goes-on', 'one');
      const second = await put('goes-on', 'two');
      await client().compact(second);
      await put('goes-on', 'three');
      expect((await client().range({ key: 'goes-on' })).kvs).toMatchObject([{ createRevision, version: 3 }]);
    });

    it('does not count a compaction as a change', async () => {
      const revision = await put('no-change');
      expect((await client().compact(revision)).header.revision).toBe(revision);
      expect(await put('no-change')).toBe(revision + 1);
    });

    it('refuses a compaction that was made already, and one of the future', async () => {
      const past = await put('refused', 'one');
      const revision = await put('refused', 'two');
      await client().compact(revision);
      expect(await failureOf(client().compact(revision))).toEqual(compacted);
      expect(await failureOf(client().compact(past))).toEqual(compacted);
      expect(await failureOf(client().compact(revision + 1))).toEqual(future);
      expect((await client().range({ key: 'refused', revision })).kvs.map(pair)).toEqual(['refused=two']);
    });

    describe('in a store that is compacted at the revision of a change', () => {
      const compactedAt = (...revisions: number[]) => {
        const store = new Store();
        const write = (key: string, value?: string) =>
          store.commit((change) => (value === undefined ? store.delete(change, key) : store.put(change, key, Buffer.from(value))));
        write('old', 'still true');
        write('twice', 'one');
        write('gone', 'one');
        write('gone');
        write('twice', 'two');
        write('later', 'one');
        for (const revision of revisions) store.compact(revision);
        return store;
      };
      const kept = (store: Store) => store.capture().base.map((kv) => `${kv.key}=${kv.value} (${kv.version})`);

      it('keeps that change, which a watch can still ask for, and none before it', () => {
        const store = compactedAt(6);
        expect([4, 5, 6, 7].map((revision) => store.changeAt(revision)?.revision)).toEqual([undefined, undefined, 6, 7]);
        expect(store.changeAt(6)?.events.map(({ type, kv }) => `${type} ${kv.key}=${kv.value}`)).toEqual(['PUT twice=two']);
      });

      it('keeps no version that the change at that very revision has hidden', () => {
        expect(kept(compactedAt(6))).toEqual(['old=still true (1)']);
        expect(kept(compactedAt(5, 6))).toEqual(['old=still true (1)']);
      });

      it('keeps what a change behind that revision has hidden', () => {
        expect(kept(compactedAt(5))).toEqual(['old=still true (1)', 'twice=one (1)']);
      });
    });

    it('tells each of three thousand changes, and what there was at each, from the last compaction on', () => {
      const store = new Store();
      const then: Map<string, string>[] = [new Map(), new Map()];
      const written: string[] = [];
      const now = () => new Map(then.at(-1));
      const change = (index: number) => {
        const key = `key ${(index * 7) % 20}`;
        const value = `${index} `.repeat(40);
        const next = now();
        if (index % 5 === 0 && next.delete(key)) store.commit((open) => store.delete(open, key));
        else store.commit((open) => store.put(open, key, Buffer.from(next.set(key, value).get(key) ?? '')));
        then.push(next);
        written[store.revision] = key;
      };
      const check = (oldest: number) => {
        expect(store.changeAt(oldest - 1)).toBeUndefined();
        for (let revision = oldest; revision <= store.revision; revision += 61) {
          const key = written[revision] ?? '';
          const [before, after] = [then[revision - 1]?.get(key), then[revision]?.get(key)];
          const event = store.changeAt(revision)?.events[0];
          const { type, kv, prevKv } = event ?? {};
          expect([type, kv?.key.toString(), kv?.value.toString()]).toEqual([after === undefined ? 'DELETE' : 'PUT', key, after ?? '']);
          if (revision > oldest) expect(prevKv?.value.toString()).toBe(before);
          const all = [...(then[revision] ?? [])].sort().map(([name, value]) => `${name}=${value}`);
          const listed = store.list({ from: '', to: undefined }, revision);
          expect(listed.map(({ key: name, value }) => `${name}=${value}`)).toEqual(all);
          expect(store.get(key, revision)?.value.toString()).toBe(after);
        }
      };
      for (let index = 1; index <= 3000; index++) change(index);
      check(2);
      store.compact(1400);
      check(1400);
      for (let index = 3001; index <= 3400; index++) change(index);
      store.compact(2950);
      check(2950);
    });

    it('gives the memory back', async () => {
      const mebibyte = 1024 * 1024;
      const store = new Store();
      const before = await memoryOfValues();
      for (let index = 0; index < 32; index++) {
        // Nothing that could be stored in less.
        store.commit((change) => store.put(change, 'overwritten', randomBytes(mebibyte)));
        store.commit((change) => store.put(change, `deleted ${index % 8}`, randomBytes(mebibyte)));
      }
      for (let index = 0; index < 8; index++) store.commit((change) => store.delete(change, `deleted ${index}`));
      store.commit((change) => store.put(change, 'last', Buffer.of(1)));
      // Garbage may count here: it is only to see that the values can be seen at all.
      expect(process.memoryUsage().arrayBuffers - before).toBeGreaterThan(50 * mebibyte);
      store.compact(store.revision);
      expect(((await memoryOfValues()) - before) / mebibyte).toBeLessThan(8);
      expect(store.get('overwritten')?.value).toHaveLength(mebibyte);
    });

    it('forgets the very names of keys that are gone', async () => {
      const store = new Store();
      const before = await memoryOfNames();
      const names = Array.from({ length: 4000 }, (_, index) => `${index}`.padEnd(8192, '.'));
      for (const name of names) store.commit((change) => store.put(change, name, Buffer.of(1)));
      for (const name of names.splice(0)) store.commit((change) => store.delete(change, name));
      store.commit((change) => store.put(change, 'last', Buffer.of(1)));
      // As above.
      expect(process.memoryUsage().heapUsed - before).toBeGreaterThan(24 * 1024 * 1024);
      store.compact(store.revision);
      expect(((await memoryOfNames()) - before) / 1024 / 1024).toBeLessThan(12);
    });
  }));

/** Bytes that buffers hold. */
function memoryOfValues(): Promise<number> {
  return memoryKept(({ arrayBuffers }) => arrayBuffers);
}

/** Bytes of everything else, texts above all. */
function memoryOfNames(): Promise<number> {
  return memoryKept(({ heapUsed }) => heapUsed);
}
