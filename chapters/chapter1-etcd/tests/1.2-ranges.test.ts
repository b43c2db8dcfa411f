import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { contains, keyRange } from '#etcd/keys';
import { NotImplemented } from '#kit/not-implemented';
import { type EtcdUnderTest, startEtcdUnderTest } from '#kit/testing/etcd';
import { pair, prefixEnd, type RangeRequest } from '#kit/testing/etcd-client';

const everyKeyFromThere = '\0';

describe('etcd', () =>
  describe('1.2 ranges', () => {
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
    /** Puts the keys, each with its own name as the value, in the order given. */
    const putAll = async (...keys: string[]) => {
      for (const key of keys) await client().put({ key, value: key });
    };
    const keysIn = async (request: RangeRequest) => (await client().range(request)).kvs.map(({ key }) => key.toString());

    it('lists every key that begins with a prefix, in order, and no other', async () => {
      await putAll('/pods/web-2', '/pods/web-10', '/pods', '/nodes/one', '/podsters', '/pods/', '/pods/web-1', '/services/web');
      expect(await keysIn({ key: '/pods/', rangeEnd: prefixEnd('/pods/') })).toEqual([
        '/pods/',
        '/pods/web-1',
        '/pods/web-10',
        '/pods/web-2',
      ]);
    });

    it('takes the start of a range in, and leaves its end out', async () => {
      await putAll('half-open/a', 'half-open/b', 'half-open/c', 'half-open/d');
      expect(await keysIn({ key: 'half-open/b', rangeEnd: 'half-open/d' })).toEqual(['half-open/b', 'half-open/c']);
    });

    it('begins at a key that does not exist', async () => {
      await putAll('gap/a', 'gap/c');
      expect(await keysIn({ key: 'gap/b', rangeEnd: prefixEnd('gap/') })).toEqual(['gap/c']);
    });

    it('finds nothing, and no fault, in a range that ends before it starts', async () => {
      await putAll('backwards/a', 'backwards/b');
      expect(await client().range({ key: 'backwards/b', rangeEnd: 'backwards/a' })).toMatchObject({ kvs: [], count: 0, more: false });
      expect(await client().range({ key: 'backwards/b', rangeEnd: 'backwards/b' })).toMatchObject({ kvs: [], count: 0, more: false });
    });

    it('lists every key from a key on, when the range ends with a zero byte', async () => {
      await putAll('~from/1', '~from/2', '~zzz');
      expect(await keysIn({ key: '~from/2', rangeEnd: everyKeyFromThere })).toEqual(['~from/2', '~zzz']);
    });

    it.each([
      ['b', '', ['b']],
      ['b', 'c', ['b', 'b\0', 'bb']],
      ['b', '\0', ['b', 'b\0', 'bb', 'c', 'd']],
      ['b', 'a', []],
    ])('says which keys are in the range from %j to %j', (key, rangeEnd, inside) => {
      const range = keyRange(Buffer.from(key), Buffer.from(rangeEnd));
      expect(['a', 'b', 'b\0', 'bb', 'c', 'd'].filter((each) => contains(range, each))).toEqual(inside);
    });

    it('lists every key there is, when the range is from a zero byte to a zero byte', async () => {
      const fresh = await startEtcdUnderTest();
      try {
        for (const key of ['b', Buffer.from([0xff, 0xff]), Buffer.from([0]), 'a', Buffer.from([0xff])]) await fresh.client.put({ key });
        const { kvs, count } = await fresh.client.range({ key: '\0', rangeEnd: everyKeyFromThere });
        expect(kvs.map(({ key }) => key.toString('hex'))).toEqual(['00', '61', '62', 'ff', 'ffff']);
        expect(count).toBe(5);
      } finally {
        await fresh.stop();
      }
    });

    it('orders keys by their bytes, whatever characters or numbers they spell', async () => {
      // In UTF-8 the emoji (f0 …) comes after U+FFFF (ef …); counted in UTF-16 units it would come before.
      const keys = [
        'order/!',
        'order/1',
        'order/10',
        'order/2',
        'order/A',
        'order/Z',
        'order/a',
        'order/aa',
        'order/b',
        'order/é',
        'order/\uffff',
        'order/😀',
      ];
      await putAll(...keys.toReversed());
      expect(await keysIn({ key: 'order/', rangeEnd: prefixEnd('order/') })).toEqual(keys);
    });

    it('lists each key once, with its latest value, and no deleted one', async () => {
      await putAll('latest/a', 'latest/b', 'latest/c');
      await client().put({ key: 'latest/a', value: 'new' });
      await client().deleteRange({ key: 'latest/b' });
      const { kvs, count } = await client().range({ key: 'latest/', rangeEnd: prefixEnd('latest/') });
      expect(kvs.map(pair)).toEqual(['latest/a=new', 'latest/c=latest/c']);
      expect(count).toBe(2);
    });

    it('stops at the limit, says that there is more, and still counts all', async () => {
      await putAll('limit/a', 'limit/b', 'limit/c');
      const { kvs, more, count } = await client().range({ key: 'limit/', rangeEnd: prefixEnd('limit/'), limit: 2 });
      expect(kvs.map(({ key }) => key.toString())).toEqual(['limit/a', 'limit/b']);
      expect({ more, count }).toEqual({ more: true, count: 3 });
    });

    it('does not claim that there is more when the limit just suffices', async () => {
      await putAll('suffices/a', 'suffices/b');
      const exact = await client().range({ key: 'suffices/', rangeEnd: prefixEnd('suffices/'), limit: 2 });
      expect({ length: exact.kvs.length, more: exact.more, count: exact.count }).toEqual({ length: 2, more: false, count: 2 });
      const generous = await client().range({ key: 'suffices/', rangeEnd: prefixEnd('suffices/'), limit: 3 });
      expect({ length: generous.kvs.length, more: generous.more }).toEqual({ length: 2, more: false });
    });

    it('counts without listing', async () => {
      await putAll('count/a', 'count/b', 'count/c');
      const request = { key: 'count/', rangeEnd: prefixEnd('count/'), countOnly: true };
      expect(await client().range(request)).toMatchObject({ kvs: [], count: 3, more: false });
      expect(await client().range({ ...request, limit: 1 })).toMatchObject({ kvs: [], count: 3 });
    });

    it('lists keys without their values, which stay in the store', async () => {
      await client().put({ key: 'keys-only/a', value: 'precious' });
      const { kvs } = await client().range({ key: 'keys-only/', rangeEnd: prefixEnd('keys-only/'), keysOnly: true });
      expect(kvs).toMatchObject([{ key: Buffer.from('keys-only/a'), value: Buffer.alloc(0), version: 1 }]);
      expect(kvs[0]?.modRevision).toBeGreaterThan(1);
      expect((await client().range({ key: 'keys-only/a' })).kvs.map(pair)).toEqual(['keys-only/a=precious']);
    });

    describe('sorted', () => {
      const all = { key: 'sort/', rangeEnd: prefixEnd('sort/') };
      beforeAll(async () => {
        if (!etcd) return;
        // Created in the order c a b, changed last in the order b c a; b has one version, a two, c three.
        const puts = ['c=x', 'a=x', 'b=3', 'c=x', 'c=2', 'a=1'];
        for (const [key, value] of puts.map((text) => text.split('='))) {
          await etcd.client.put({ key: `sort/${key}`, value: value as string }).catch(ignoreNotImplemented);
        }
      });

      it.each([
        ['KEY', 'ASCEND', 'abc'],
        ['KEY', 'DESCEND', 'cba'],
        ['CREATE', 'ASCEND', 'cab'],
        ['CREATE', 'DESCEND', 'bac'],
        ['MOD', 'ASCEND', 'bca'],
        ['MOD', 'DESCEND', 'acb'],
        ['VERSION', 'ASCEND', 'bac'],
        ['VERSION', 'DESCEND', 'cab'],
        ['VALUE', 'ASCEND', 'acb'],
        ['VALUE', 'DESCEND', 'bca'],
        ['VALUE', 'NONE', 'acb'],
        ['KEY', 'NONE', 'abc'],
      ] as const)('by %s, %s: %s', async (sortTarget, sortOrder, expected) => {
        const keys = await keysIn({ ...all, sortTarget, sortOrder });
        expect(keys.map((key) => key.slice('sort/'.length)).join('')).toBe(expected);
      });

      it('sorts first and cuts at the limit then', async () => {
        const { kvs, more, count } = await client().range({ ...all, sortTarget: 'CREATE', sortOrder: 'DESCEND', limit: 1 });
        expect(kvs.map(({ key }) => key.toString())).toEqual(['sort/b']);
        expect({ more, count }).toEqual({ more: true, count: 3 });
      });
    });

    it('leaves out what was changed or created outside the revisions asked for, and counts it all the same', async () => {
      const { header: first } = await client().put({ key: 'filter/a', value: '1' });
      const { header: second } = await client().put({ key: 'filter/b', value: '1' });
      const { header: third } = await client().put({ key: 'filter/a', value: '2' });
      const all = { key: 'filter/', rangeEnd: prefixEnd('filter/') };
      expect(await keysIn({ ...all, minModRevision: third.revision })).toEqual(['filter/a']);
      expect(await keysIn({ ...all, maxModRevision: second.revision })).toEqual(['filter/b']);
      expect(await keysIn({ ...all, maxCreateRevision: first.revision })).toEqual(['filter/a']);
      expect(await keysIn({ ...all, minCreateRevision: second.revision })).toEqual(['filter/b']);
      expect((await client().range({ ...all, minModRevision: third.revision })).count).toBe(2);
    });

    it('sorts keys and values by their bytes, too, whatever they spell', async () => {
      // Text would put the emoji first, and could not tell ff from fe; a dictionary puts a before B.
      const last = ['B', 'a', '\u{ff61}', '\u{1f600}'].map((text) => Buffer.from(text));
      const bytes = [...last, Buffer.of(0xfe), Buffer.of(0xff)];
      const keys = bytes.map((end) => Buffer.concat([Buffer.from('bytes/'), end]));
      const shuffled = [3, 0, 5, 2, 4, 1];
      for (const index of shuffled) await client().put({ key: keys[index] as Buffer, value: bytes.at(-1 - index) as Buffer });
      const all = { key: 'bytes/', rangeEnd: prefixEnd('bytes/') };
      const byKey = await client().range({ ...all, sortTarget: 'KEY', sortOrder: 'DESCEND' });
      expect(byKey.kvs.map(({ key }) => key.toString('hex'))).toEqual(keys.toReversed().map((key) => key.toString('hex')));
      const byValue = await client().range({ ...all, sortTarget: 'VALUE', sortOrder: 'ASCEND' });
      expect(byValue.kvs.map(({ value }) => value.toString('hex'))).toEqual(bytes.map((value) => value.toString('hex')));
    });

    it('takes a range end that only begins with a zero byte for what it is', async () => {
      for (const key of ['\0a', '\0b', 'zero']) await client().put({ key, value: '1' });
      expect(await keysIn({ key: '\0a', rangeEnd: '\0b' })).toEqual(['\0a']);
    });

    it('deletes keys that are no text', async () => {
      const keys = [Buffer.of(0x62, 0xfe), Buffer.of(0x62, 0xff, 0x00)];
      for (const key of keys) await client().put({ key, value: '1' });
      const { deleted } = await client().deleteRange({ key: Buffer.of(0x62, 0xf8), rangeEnd: Buffer.of(0x63) });
      expect(deleted).toBe(2);
      for (const key of keys) expect((await client().range({ key })).count).toBe(0);
    });

    it('deletes a range in one change', async () => {
      await putAll('delete/a', 'delete/b', 'delete/c', 'deleted-not');
      const { header: before } = await client().range({ key: 'delete/a' });
      const { header, deleted } = await client().deleteRange({ key: 'delete/', rangeEnd: prefixEnd('delete/') });
      expect({ deleted, revision: header.revision }).toEqual({ deleted: 3, revision: before.revision + 1 });
      expect(await keysIn({ key: 'delete', rangeEnd: 'deletf' })).toEqual(['deleted-not']);
    });

    it('returns all that it deleted, in order, if it is asked to', async () => {
      await putAll('gone/b', 'gone/a');
      const { prevKvs } = await client().deleteRange({ key: 'gone/', rangeEnd: prefixEnd('gone/'), prevKv: true });
      expect(prevKvs.map(pair)).toEqual(['gone/a=gone/a', 'gone/b=gone/b']);
    });

    it('takes no revision for deleting an empty range', async () => {
      const { header: before } = await client().put({ key: 'unrelated', value: '1' });
      const { header, deleted } = await client().deleteRange({ key: 'nothing-here/', rangeEnd: prefixEnd('nothing-here/') });
      expect({ deleted, revision: header.revision }).toEqual({ deleted: 0, revision: before.revision });
    });

    it('keeps many keys in order that came in no order', async () => {
      const count = 1500;
      // 1009 is prime and no divisor of 1500, so every number below 1500 comes once.
      const numbers = Array.from({ length: count }, (_, index) => (index * 1009) % count);
      const name = (number: number) => `many/${String(number).padStart(4, '0')}`;
      for (let from = 0; from < count; from += 100) {
        await Promise.all(numbers.slice(from, from + 100).map((number) => client().put({ key: name(number), value: '' })));
      }
      const all = { key: 'many/', rangeEnd: prefixEnd('many/') };
      expect(await keysIn(all)).toEqual(numbers.toSorted((left, right) => left - right).map(name));
      expect(await keysIn({ key: name(748), rangeEnd: name(751) })).toEqual([name(748), name(749), name(750)]);
      const { deleted } = await client().deleteRange({ key: name(500), rangeEnd: name(1100) });
      expect(deleted).toBe(600);
      expect((await client().range({ ...all, countOnly: true })).count).toBe(900);
    });
  }));

/** A `beforeAll` that prepares data does not fail on a starter: the tests then say what is missing. */
function ignoreNotImplemented(error: unknown): void {
  if (!(error instanceof NotImplemented)) throw error;
}
