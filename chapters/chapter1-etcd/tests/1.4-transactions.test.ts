import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Store } from '#etcd/store';
import { decide } from '#etcd/transactions';
import { NotImplemented } from '#kit/not-implemented';
import { type EtcdUnderTest, startEtcdUnderTest } from '#kit/testing/etcd';
import { type Compare, failureOf, pair, prefixEnd, type RequestOp, RpcFailure, type TxnRequest } from '#kit/testing/etcd-client';
import { NaiveModel, normalized, type Outcome } from './naive-model.ts';

describe('etcd', () =>
  describe('1.4 transactions', () => {
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
    const contentOf = async (key: string) => (await client().range({ key })).kvs.map(pair);
    const presentRevision = async () => (await client().range({ key: 'any' })).header.revision;
    const folder = (prefix: string) => ({ key: prefix, rangeEnd: prefixEnd(prefix) });
    const putOf = (key: string, value = ''): RequestOp => ({ requestPut: { key, value } });
    const deleteOf = (key: string, rangeEnd?: string): RequestOp => ({ requestDeleteRange: { key, ...(rangeEnd ? { rangeEnd } : {}) } });
    const nested = (success: RequestOp[], failure: RequestOp[] = []): RequestOp => ({ requestTxn: { success, failure } });
    const invalid = (details: string) => ({ code: 'INVALID_ARGUMENT', details: `etcdserver: ${details}` });

    it('runs one list of operations if all comparisons hold', async () => {
      const revision = await put('then', 'old');
      const { succeeded, responses } = await client().txn({
        compare: [
          { key: 'then', target: 'MOD', modRevision: revision },
          { key: 'then', target: 'VALUE', value: 'old' },
        ],
        success: [putOf('then', 'new')],
        failure: [putOf('then', 'wrong')],
      });
      expect({ succeeded, responses: responses.length }).toEqual({ succeeded: true, responses: 1 });
      expect(await contentOf('then')).toEqual(['then=new']);
    });

    it('runs the other list if a single comparison fails', async () => {
      const { succeeded, responses } = await client().txn({
        compare: [
          { key: 'else', target: 'VERSION', version: 0 },
          { key: 'else', target: 'VERSION', version: 1 },
        ],
        success: [putOf('else', 'wrong')],
        failure: [putOf('else', 'right')],
      });
      expect({ succeeded, responses: responses.length }).toEqual({ succeeded: false, responses: 1 });
      expect(await contentOf('else')).toEqual(['else=right']);
    });

    it('succeeds without a comparison, and may have nothing to do', async () => {
      const before = await put('nothing');
      const { succeeded, responses, header } = await client().txn({});
      expect({ succeeded, responses, revision: header.revision }).toEqual({ succeeded: true, responses: [], revision: before });
    });

    it.each([
      [{ target: 'VERSION', version: 2 }, true],
      [{ target: 'VERSION', version: 2, result: 'LESS' }, false],
      [{ target: 'VERSION', version: 3, result: 'LESS' }, true],
      [{ target: 'VERSION', version: 1, result: 'GREATER' }, true],
      [{ target: 'VERSION', version: 2, result: 'GREATER' }, false],
      [{ target: 'VERSION', version: 1, result: 'NOT_EQUAL' }, true],
      [{ target: 'VERSION', version: 2, result: 'NOT_EQUAL' }, false],
      [{ target: 'MOD', modRevision: 1 }, false],
      [{ target: 'CREATE', createRevision: 1, result: 'GREATER' }, true],
      [{ target: 'VALUE', value: 'two' }, true],
      [{ target: 'VALUE', value: 'twp', result: 'LESS' }, true],
      [{ target: 'VALUE', value: 'tw', result: 'GREATER' }, true],
      [{ target: 'LEASE', lease: 0 }, true],
      [{ target: 'VERSION', version: 0, key: 'compare/missing' }, true],
      [{ target: 'CREATE', createRevision: 0, key: 'compare/missing' }, true],
      [{ target: 'MOD', modRevision: 1, result: 'LESS', key: 'compare/missing' }, true],
      [{ target: 'VALUE', value: '', key: 'compare/missing' }, false],
      [{ target: 'VALUE', value: 'x', result: 'NOT_EQUAL', key: 'compare/missing' }, false],
    ] as const)('compares: %j holds: %s', async (compare, holds) => {
      await client().deleteRange(folder('compare/'));
      await put('compare/a', 'one');
      await put('compare/a', 'two');
      await put('compare/b', 'one');
      const { succeeded } = await client().txn({ compare: [{ key: 'compare/a', ...compare }] });
      expect(succeeded).toBe(holds);
    });

    it.each([
      ['bytes that are no text', Buffer.of(0xff), Buffer.of(0xfe)],
      ['a longer value with a shorter one that it begins with', Buffer.of(0x61, 0x00), Buffer.of(0x61)],
      ['capitals and small letters', Buffer.from('a'), Buffer.from('B')],
      ['signs beyond the first 65,536', Buffer.from('\u{1f600}'), Buffer.from('\uff5e')],
      ['digits, not numbers', Buffer.from('9'), Buffer.from('10')],
    ])('compares values byte by byte: %s', async (_, greater, less) => {
      await client().put({ key: 'bytes', value: greater });
      const results = (['EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL'] as const).map(async (result) => {
        const { succeeded } = await client().txn({ compare: [{ key: 'bytes', target: 'VALUE', value: less, result }] });
        return succeeded ? [result] : [];
      });
      expect((await Promise.all(results)).flat()).toEqual(['GREATER', 'NOT_EQUAL']);
    });

    it('compares leases as the numbers of 64 bits that they are', () => {
      const store = new Store();
      const lease = '9007199254740993';
      store.commit((change) => store.put(change, 'leased', Buffer.from('x'), lease));
      const holding = (operand: string) =>
        (['EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL'] as const).filter((result) => {
          const compare = { key: Buffer.from('leased'), rangeEnd: Buffer.alloc(0), target: 'LEASE' as const, lease: operand, result };
          return decide(store, { compare: [compare], success: [], failure: [] }).succeeded;
        });
      expect(holding(lease)).toEqual(['EQUAL']);
      expect(holding('9007199254740992')).toEqual(['GREATER', 'NOT_EQUAL']);
      expect(holding('9007199254740994')).toEqual(['LESS', 'NOT_EQUAL']);
      expect(holding('95')).toEqual(['GREATER', 'NOT_EQUAL']);
      expect(holding('10000000000000000')).toEqual(['LESS', 'NOT_EQUAL']);
    });

    it('compares every key of a range, and the missing key where a range is empty', async () => {
      for (const key of ['every/a', 'every/a', 'every/b']) await put(key);
      const holds = async (prefix: string, version: number, result: 'EQUAL' | 'GREATER') =>
        (await client().txn({ compare: [{ ...folder(prefix), target: 'VERSION', version, result }] })).succeeded;
      expect(await holds('every/', 2, 'EQUAL')).toBe(false);
      expect(await holds('every/', 0, 'GREATER')).toBe(true);
      expect(await holds('every/none/', 0, 'EQUAL')).toBe(true);
    });

    it('takes one revision for all it writes', async () => {
      const before = await put('one/deleted');
      const { header } = await client().txn({ success: [putOf('one/a'), deleteOf('one/deleted'), nested([putOf('one/b')])] });
      expect(header.revision).toBe(before + 1);
      const { kvs } = await client().range(folder('one/'));
      expect(kvs.map(({ key, modRevision }) => [key.toString(), modRevision])).toEqual([
        ['one/a', before + 1],
        ['one/b', before + 1],
      ]);
    });

    it('takes no revision when it writes nothing', async () => {
      const before = await put('read');
      const { header, responses } = await client().txn({ success: [{ requestRange: { key: 'read' } }, deleteOf('nobody')] });
      expect(header.revision).toBe(before);
      expect(responses[1]?.responseDeleteRange?.deleted).toBe(0);
    });

    it('needs no place in the log when it can only read, and one when it might have written', async () => {
      await put('log');
      const read: RequestOp = { requestRange: { key: 'log' } };
      const missing = { key: 'log', target: 'VERSION', version: 0 } as const;
      const entriesOf = async (request: TxnRequest) => {
        const before = await client().status();
        await client().txn(request);
        return (await client().status()).raftIndex - before.raftIndex;
      };
      expect(await entriesOf({ compare: [missing], success: [read], failure: [read, read] })).toBe(0);
      expect(await entriesOf({ success: [read], failure: [read, putOf('log')] })).toBe(1);
      expect(await entriesOf({ success: [read, nested([read], [nested([], [deleteOf('log')])])] })).toBe(1);
      expect(await contentOf('log')).toEqual(['log=']);
    });

    it('answers each operation in its place, and each sees what those before it wrote', async () => {
      await put('sees/old', '0');
      const { responses } = await client().txn({
        success: [
          { requestRange: folder('sees/') },
          { requestPut: { key: 'sees/new', value: '1' } },
          { requestDeleteRange: { key: 'sees/old', prevKv: true } },
          { requestRange: folder('sees/') },
        ],
      });
      expect(responses[0]?.responseRange?.kvs.map(pair)).toEqual(['sees/old=0']);
      expect(responses[1]?.responsePut).toBeDefined();
      expect(responses[2]?.responseDeleteRange?.prevKvs.map(pair)).toEqual(['sees/old=0']);
      expect(responses[3]?.responseRange?.kvs.map(pair)).toEqual(['sees/new=1']);
    });

    it('says at which revision an operation was made', async () => {
      const before = await put('stamp');
      const { responses } = await client().txn({
        success: [{ requestRange: { key: 'stamp' } }, putOf('stamp'), { requestRange: { key: 'stamp' } }],
      });
      const headers = [responses[0]?.responseRange?.header, responses[1]?.responsePut?.header, responses[2]?.responseRange?.header];
      expect(headers.map((header) => header?.revision)).toEqual([before, before + 1, before + 1]);
    });

    it('reads a revision of the past between its writes', async () => {
      const past = await put('past', 'then');
      const { responses } = await client().txn({ success: [putOf('past', 'now'), { requestRange: { key: 'past', revision: past } }] });
      expect(responses[1]?.responseRange?.kvs.map(pair)).toEqual(['past=then']);
    });

    it('lets one of many clients win that create a key if it is not there', async () => {
      const create = (value: string) =>
        client().txn({ compare: [{ key: 'race', target: 'VERSION', version: 0 }], success: [putOf('race', value)] });
      const outcomes = await Promise.all(Array.from({ length: 20 }, (_, index) => create(`${index}`)));
      expect(outcomes.filter(({ succeeded }) => succeeded)).toHaveLength(1);
      expect(await contentOf('race')).toEqual([`race=${outcomes.findIndex(({ succeeded }) => succeeded)}`]);
    });

    it('loses no update of many clients that read, compare and write', async () => {
      await put('counter', '0');
      const increment = async (): Promise<void> => {
        const [kv] = (await client().range({ key: 'counter' })).kvs;
        const { succeeded } = await client().txn({
          compare: [{ key: 'counter', target: 'MOD', modRevision: kv?.modRevision ?? 0 }],
          success: [putOf('counter', `${Number(kv?.value.toString()) + 1}`)],
        });
        if (!succeeded) await increment();
      };
      await Promise.all(Array.from({ length: 12 }, increment));
      expect(await contentOf('counter')).toEqual(['counter=12']);
    });

    it('makes all comparisons before anything is written', async () => {
      const { responses } = await client().txn({
        success: [
          putOf('nest/a', '1'),
          {
            requestTxn: {
              compare: [{ key: 'nest/a', target: 'VERSION', version: 0 }],
              success: [putOf('nest/b', 'then')],
              failure: [putOf('nest/b', 'else')],
            },
          },
        ],
      });
      expect(responses[1]?.responseTxn?.succeeded).toBe(true);
      expect(await contentOf('nest/b')).toEqual(['nest/b=then']);
    });

    it.each<[string, RequestOp[]]>([
      ['two puts of a key', [putOf('dup'), putOf('dup')]],
      ['a put of a key that was deleted', [deleteOf('dup'), putOf('dup')]],
      ['a delete of a key that was put', [putOf('dup'), deleteOf('dup')]],
      ['a put into a range that was deleted', [deleteOf('dup/', 'dup0'), putOf('dup/a')]],
      ['a delete of a range in which was put', [putOf('dup/a'), deleteOf('dup/', 'dup0')]],
      ['a put here and in a nested transaction', [putOf('dup'), nested([], [putOf('dup')])]],
      ['a put in a nested transaction of a key that is deleted here', [deleteOf('dup'), nested([putOf('dup')])]],
      ['a put in each of two nested transactions', [nested([putOf('dup')]), nested([putOf('dup')])]],
    ])('refuses %s', async (_, operations) => {
      const before = await put('dup');
      const refusals = [await failureOf(client().txn({ success: operations })), await failureOf(client().txn({ failure: operations }))];
      expect(refusals).toEqual(Array(2).fill(invalid('duplicate key given in txn request')));
      expect(await presentRevision()).toBe(before);
    });

    it('may delete a key twice', async () => {
      await put('twice');
      const { responses } = await client().txn({ success: [deleteOf('twice'), deleteOf('twice')] });
      expect(responses.map(({ responseDeleteRange }) => responseDeleteRange?.deleted)).toEqual([1, 0]);
    });

    it('may put a key where a deleted range ends', async () => {
      const { responses } = await client().txn({ success: [deleteOf('end/', 'end0'), putOf('end0', 'behind')] });
      expect(responses).toHaveLength(2);
      expect(await contentOf('end0')).toEqual(['end0=behind']);
    });

    it('lets both branches write the same key', async () => {
      await client().txn({ success: [nested([putOf('either', 'then')], [putOf('either', 'else')])], failure: [putOf('either')] });
      expect(await contentOf('either')).toEqual(['either=then']);
    });

    it('takes 128 operations in each list and refuses 129', async () => {
      const many = (count: number) => Array.from({ length: count }, (_, index) => putOf(`bulk/${index}`));
      const compare = (count: number) => Array.from({ length: count }, () => ({ key: 'bulk', target: 'VERSION', version: 0 }) as const);
      expect((await client().txn({ compare: compare(128), success: many(128), failure: many(128) })).responses).toHaveLength(128);
      const tooMany = [{ success: many(129) }, { failure: many(129) }, { compare: compare(129) }];
      for (const request of tooMany) expect(await failureOf(client().txn(request))).toEqual(invalid('too many operations in txn request'));
    });

    it('gives a nested transaction as many operations as its parent leaves over', async () => {
      const many = (count: number, name: string) => Array.from({ length: count }, (_, index) => putOf(`deep/${name}/${index}`));
      const withNested = (count: number) => ({ success: [...many(99, 'a'), nested(many(count, 'b'))] });
      expect((await client().txn(withNested(28))).responses).toHaveLength(100);
      const compare = Array.from({ length: 100 }, () => ({ key: 'deep', target: 'VERSION', version: 0 }) as const);
      const tooMany: TxnRequest[] = [
        withNested(29),
        { failure: withNested(29).success },
        { compare, success: [nested(many(29, 'b'))] },
        { success: many(100, 'a'), failure: [nested(many(29, 'b'))] },
        { success: [...many(63, 'a'), nested([...many(31, 'b'), nested(many(33, 'c'))])] },
      ];
      for (const request of tooMany) expect(await failureOf(client().txn(request))).toEqual(invalid('too many operations in txn request'));
    });

    it('writes nothing when one of its operations cannot be done', async () => {
      const before = await put('whole', 'before');
      const first = putOf('whole', 'after');
      const failures = [
        await failureOf(client().txn({ success: [first, { requestPut: { key: 'leased', lease: 12345 } }] })),
        await failureOf(client().txn({ success: [first, { requestRange: { key: 'a', revision: before + 100 } }] })),
        await failureOf(client().txn({ success: [first, { requestPut: { key: 'nobody', ignoreValue: true } }] })),
        await failureOf(client().txn({ success: [first, nested([{ requestPut: { key: 'leased', lease: 12345 } }])] })),
        await failureOf(client().txn({ success: [first, putOf('')] })),
        await failureOf(client().txn({ success: [first, deleteOf('')] })),
        await failureOf(client().txn({ success: [first, { requestRange: { key: '' } }] })),
        await failureOf(client().txn({ success: [first, nested([putOf('')])] })),
        await failureOf(client().txn({ success: [first, {}] })),
        await failureOf(client().txn({ success: [first], compare: [{ key: '', target: 'VERSION', version: 0 }] })),
      ];
      expect(failures.map(({ details }) => details)).toEqual([
        'etcdserver: requested lease not found',
        'etcdserver: mvcc: required revision is a future revision',
        'etcdserver: key not found',
        'etcdserver: requested lease not found',
        ...Array(4).fill('etcdserver: key is not provided'),
        'etcdserver: key not found',
        'etcdserver: key is not provided',
      ]);
      expect((await client().range({ key: 'whole' })).kvs).toMatchObject([{ modRevision: before }]);
      expect(await presentRevision()).toBe(before);
    });

    it('minds only the operations that it will run', async () => {
      const before = await put('minds');
      const impossible: RequestOp[] = [
        { requestPut: { key: 'leased', lease: 12345 } },
        { requestPut: { key: 'nobody', ignoreValue: true } },
        { requestRange: { key: 'a', revision: before + 100 } },
      ];
      const { succeeded, header } = await client().txn({ success: [nested([putOf('minds', 'done')], impossible)], failure: impossible });
      expect({ succeeded, revision: header.revision }).toEqual({ succeeded: true, revision: before + 1 });
      expect(await contentOf('minds')).toEqual(['minds=done']);
    });

    describe('compared with a naive model that keeps a copy of everything for every revision', () => {
      const name = fc.constantFrom('a', 'b', 'c', 'd');
      const value = fc.constantFrom('', 'x', 'y');
      const span: fc.Arbitrary<{ key: string; rangeEnd?: string }> = fc.oneof(
        fc.record({ key: name }),
        fc.record({ key: name, rangeEnd: fc.constantFrom('b', 'd', 'e') }),
      );
      /** Before, at and after what there is: relative to the model's revision when the request is made. */
      const moment = fc.option(fc.integer({ min: -8, max: 1 }), { nil: undefined });
      const put = fc.record({ key: name, value, prevKv: fc.boolean() });
      const keepingPut = fc.record({ key: name, ignoreValue: fc.constant(true), prevKv: fc.boolean() });
      const deletion = fc.tuple(span, fc.boolean()).map(([keys, prevKv]) => ({ ...keys, prevKv }));
      const range = fc.tuple(span, fc.integer({ min: 0, max: 3 })).map(([keys, limit]) => ({ ...keys, limit }));
      const operation: fc.Arbitrary<RequestOp> = fc.oneof(
        put.map((requestPut) => ({ requestPut })),
        keepingPut.map((requestPut) => ({ requestPut })),
        deletion.map((requestDeleteRange) => ({ requestDeleteRange })),
        range.map((requestRange) => ({ requestRange })),
      );
      const compare: fc.Arbitrary<Compare> = fc
        .tuple(
          span,
          fc.constantFrom('EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL'),
          fc.constantFrom('VERSION', 'VALUE', 'CREATE'),
          value,
          fc.nat(2),
        )
        .map(([keys, result, target, text, count]) => ({
          ...keys,
          result,
          target,
          ...(target === 'VALUE' ? { value: text } : target === 'VERSION' ? { version: count } : { createRevision: count }),
        }));
      const listOf = (operations: fc.Arbitrary<RequestOp>) => fc.array(operations, { maxLength: 3 });
      const flat: fc.Arbitrary<TxnRequest> = fc.record({
        compare: fc.array(compare, { maxLength: 2 }),
        success: listOf(operation),
        failure: listOf(operation),
      });
      // One nested transaction a list at most: etcd finds writes that meet in two of them in one order, and not in the other.
      const withNested = fc
        .tuple(flat, flat)
        .map(([outer, requestTxn]) => ({ ...outer, success: [...(outer.success ?? []), { requestTxn }] }));
      const request = fc.oneof(
        { weight: 3, arbitrary: put.map((each) => ({ kind: 'put' as const, request: each })) },
        { weight: 2, arbitrary: deletion.map((each) => ({ kind: 'deleteRange' as const, request: each })) },
        { weight: 4, arbitrary: fc.tuple(range, moment).map(([each, at]) => ({ kind: 'range' as const, request: each, at })) },
        { weight: 4, arbitrary: fc.oneof(flat, withNested).map((each) => ({ kind: 'txn' as const, request: each })) },
        { weight: 1, arbitrary: moment.map((at) => ({ kind: 'compact' as const, at: at ?? 0 })) },
      );

      it('answers every sequence of requests as the model does', async () => {
        let run = 0;
        let compactedRevision = 0;
        const property = fc.asyncProperty(fc.array(request, { minLength: 5, maxLength: 25 }), async (requests) => {
          run += 1;
          const prefix = `model/${run}/`;
          const model = new NaiveModel(await presentRevision(), compactedRevision);
          try {
            for (const each of requests) {
              const revision = Math.max(1, model.revision + ('at' in each ? (each.at ?? 0) : 0));
              const asked = 'request' in each ? prefixed(prefix, each.request) : {};
              const at = each.kind === 'range' && each.at !== undefined ? { revision } : {};
              const [expected, call] = {
                put: () => [model.put(asked as never), client().put(asked as never)] as const,
                deleteRange: () => [model.deleteRange(asked as never), client().deleteRange(asked as never)] as const,
                range: () => [model.range({ ...asked, ...at } as never), client().range({ ...asked, ...at } as never)] as const,
                txn: () => [model.txn(asked as never), client().txn(asked as never)] as const,
                compact: () => [model.compact(revision), client().compact(revision)] as const,
              }[each.kind]();
              expect({ request: { ...each, ...at }, ...(await outcomeOf(call)) }).toEqual({ request: { ...each, ...at }, ...expected });
            }
          } finally {
            compactedRevision = model.compactedRevision;
          }
        });
        const options = { seed: 1404, numRuns: Number(process.env.KATA_RUNS ?? 60), endOnFailure: true };
        await fc.assert(property, options).catch((error) => {
          throw NotImplemented.first ?? error;
        });
      }, 60_000);
    });
  }));

async function outcomeOf(call: Promise<object>): Promise<Outcome> {
  try {
    const { header, ...result } = (await call) as { header: { revision: number } };
    return { revision: header.revision, result: normalized(result) };
  } catch (error) {
    if (error instanceof RpcFailure) return { error: error.details };
    throw error;
  }
}

/** The request with the prefix before every key. */
function prefixed(prefix: string, request: object): object {
  const nested = (value: unknown) => (typeof value === 'object' && value !== null ? prefixed(prefix, value) : value);
  if (Array.isArray(request)) return request.map(nested);
  const field = ([name, value]: [string, unknown]) => [name, name === 'key' || name === 'rangeEnd' ? `${prefix}${value}` : nested(value)];
  return Object.fromEntries(Object.entries(request).map(field));
}
