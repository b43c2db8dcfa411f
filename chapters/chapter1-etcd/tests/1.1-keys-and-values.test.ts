import { connect } from 'node:http2';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { put } from '#etcd/key-values';
import { Store } from '#etcd/store';
import { NotImplemented } from '#kit/not-implemented';
import { type EtcdUnderTest, startEtcdUnderTest } from '#kit/testing/etcd';
import { failureOf, pair } from '#kit/testing/etcd-client';
import { withDeadline } from '#kit/testing/wait';

describe('etcd', () =>
  describe('1.1 keys and values', () => {
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

    it('starts at revision 1, with nothing in it', async () => {
      const fresh = await startEtcdUnderTest();
      try {
        const { header, kvs, count, more } = await fresh.client.range({ key: 'anything' });
        expect({ revision: header.revision, kvs, count, more }).toEqual({ revision: 1, kvs: [], count: 0, more: false });
      } finally {
        await fresh.stop();
      }
    });

    it('returns the value that was put', async () => {
      await client().put({ key: 'greeting', value: 'hello' });
      const { kvs, count } = await client().range({ key: 'greeting' });
      expect(kvs.map(pair)).toEqual(['greeting=hello']);
      expect(count).toBe(1);
    });

    it('answers with no key-value, and no error, where nothing was put', async () => {
      const { kvs, count } = await client().range({ key: 'nobody-put-this' });
      expect({ kvs, count }).toEqual({ kvs: [], count: 0 });
    });

    it('takes an empty value for a value', async () => {
      await client().put({ key: 'empty', value: '' });
      const { kvs } = await client().range({ key: 'empty' });
      expect(kvs.map(pair)).toEqual(['empty=']);
    });

    it('keeps keys and values byte for byte', async () => {
      const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      const keys = [Buffer.from([0xff]), Buffer.from([0xfe]), Buffer.from([0xff, 0x00]), Buffer.from([0xc3]), Buffer.from('é'), everyByte];
      for (const [index, key] of keys.entries()) await client().put({ key, value: Buffer.concat([everyByte, Buffer.of(index)]) });
      for (const [index, key] of keys.entries()) {
        const { kvs } = await client().range({ key });
        expect(kvs.map((kv) => [kv.key.toString('hex'), kv.value.toString('hex')])).toEqual([
          [key.toString('hex'), Buffer.concat([everyByte, Buffer.of(index)]).toString('hex')],
        ]);
      }
    });

    it('says in every answer who answers and at which revision', async () => {
      const { header } = await client().put({ key: 'header', value: '1' });
      expect(header.clusterId).toBeGreaterThan(0);
      expect(header.memberId).toBeGreaterThan(0);
      expect(header.raftTerm).toBeGreaterThan(0);
      const answers = [await client().range({ key: 'header' }), await client().range({ key: 'not-there' })];
      expect(answers.map((answer) => answer.header)).toEqual([header, header]);
    });

    it('gives every put the next revision', async () => {
      const { header: first } = await client().put({ key: 'counter-a', value: '1' });
      const { header: second } = await client().put({ key: 'counter-b', value: '1' });
      expect(second.revision).toBe(first.revision + 1);
    });

    it('counts changes, not keys: the same value under the same key is a change', async () => {
      const { header: first } = await client().put({ key: 'same', value: 'same' });
      const { header: second } = await client().put({ key: 'same', value: 'same' });
      expect(second.revision).toBe(first.revision + 1);
    });

    it('takes no revision for reading', async () => {
      const { header: put } = await client().put({ key: 'read-me', value: '1' });
      await client().range({ key: 'read-me' });
      const { header } = await client().range({ key: 'read-me' });
      expect(header.revision).toBe(put.revision);
    });

    it('tells of a key-value when it was created, when it was changed last, and how often', async () => {
      const { header: created } = await client().put({ key: 'history', value: 'one' });
      await client().put({ key: 'something-else', value: '1' });
      const { header: changed } = await client().put({ key: 'history', value: 'two' });
      const { kvs } = await client().range({ key: 'history' });
      expect(kvs).toEqual([
        {
          key: Buffer.from('history'),
          value: Buffer.from('two'),
          createRevision: created.revision,
          modRevision: changed.revision,
          version: 2,
          lease: 0,
        },
      ]);
    });

    it('returns the previous key-value of a put if it is asked to, and only then', async () => {
      const first = await client().put({ key: 'previous', value: 'one', prevKv: true });
      expect(first.prevKv).toBeNull();
      const second = await client().put({ key: 'previous', value: 'two', prevKv: true });
      expect(second.prevKv).toMatchObject({ value: Buffer.from('one'), modRevision: first.header.revision, version: 1 });
      const third = await client().put({ key: 'previous', value: '' });
      expect(third.prevKv).toBeNull();
      const fourth = await client().put({ key: 'previous', value: 'four', prevKv: true });
      expect(fourth.prevKv).toMatchObject({ value: Buffer.alloc(0), version: 3 });
    });

    it('keeps the value it has when a put says ignoreValue, and counts the put', async () => {
      await client().put({ key: 'ignore', value: 'kept' });
      const { header } = await client().put({ key: 'ignore', ignoreValue: true });
      const { kvs } = await client().range({ key: 'ignore' });
      expect(kvs).toMatchObject([{ value: Buffer.from('kept'), version: 2, modRevision: header.revision }]);
      expect(await failureOf(client().put({ key: 'ignore-nothing', ignoreValue: true }))).toEqual({
        code: 'INVALID_ARGUMENT',
        details: 'etcdserver: key not found',
      });
    });

    it('takes a new value, or none, when a put keeps only the lease', async () => {
      await client().put({ key: 'ignore-lease', value: 'old' });
      await client().put({ key: 'ignore-lease', value: 'new', ignoreLease: true });
      const { kvs } = await client().range({ key: 'ignore-lease' });
      expect(kvs).toMatchObject([{ value: Buffer.from('new'), lease: 0, version: 2 }]);
    });

    it('deletes a key, and says that it was one', async () => {
      const { header: put } = await client().put({ key: 'delete-me', value: '1' });
      const { header, deleted, prevKvs } = await client().deleteRange({ key: 'delete-me' });
      expect({ deleted, prevKvs }).toEqual({ deleted: 1, prevKvs: [] });
      expect(header.revision).toBe(put.revision + 1);
      expect(await client().range({ key: 'delete-me' })).toMatchObject({ kvs: [], count: 0 });
    });

    it('deletes no key but the one that was named', async () => {
      for (const key of ['name', 'name2', 'nam', 'name/1']) await client().put({ key, value: '1' });
      await client().deleteRange({ key: 'name' });
      const left = [];
      for (const key of ['nam', 'name', 'name/1', 'name2']) left.push((await client().range({ key })).count);
      expect(left).toEqual([1, 0, 1, 1]);
    });

    it('takes no revision for deleting what is not there', async () => {
      const { header: before } = await client().range({ key: 'never-put' });
      const { header, deleted } = await client().deleteRange({ key: 'never-put' });
      expect({ deleted, revision: header.revision }).toEqual({ deleted: 0, revision: before.revision });
      const { header: next } = await client().put({ key: 'after', value: '1' });
      expect(next.revision).toBe(before.revision + 1);
    });

    it('deletes a key once: the second delete finds nothing', async () => {
      await client().put({ key: 'once', value: '1' });
      const first = await client().deleteRange({ key: 'once' });
      const second = await client().deleteRange({ key: 'once' });
      expect([first.deleted, second.deleted]).toEqual([1, 0]);
      expect(second.header.revision).toBe(first.header.revision);
    });

    it('returns what was deleted if it is asked to', async () => {
      await client().put({ key: 'deleted', value: 'last words' });
      const { prevKvs } = await client().deleteRange({ key: 'deleted', prevKv: true });
      expect(prevKvs.map(pair)).toEqual(['deleted=last words']);
    });

    it('begins a new life for a key that comes back after its deletion', async () => {
      await client().put({ key: 'phoenix', value: 'one' });
      await client().put({ key: 'phoenix', value: 'two' });
      await client().deleteRange({ key: 'phoenix' });
      const { header, prevKv } = await client().put({ key: 'phoenix', value: 'three', prevKv: true });
      expect(prevKv).toBeNull();
      const { kvs } = await client().range({ key: 'phoenix' });
      expect(kvs).toMatchObject([{ version: 1, createRevision: header.revision, modRevision: header.revision }]);
    });

    it.each(['put', 'range', 'deleteRange'] as const)('refuses a %s without a key, and nothing changes', async (method) => {
      const { header: before } = await client().put({ key: 'before', value: '1' });
      expect(await failureOf(client()[method]({ key: '' }))).toEqual({
        code: 'INVALID_ARGUMENT',
        details: 'etcdserver: key is not provided',
      });
      const { header: after } = await client().range({ key: 'before' });
      expect(after.revision).toBe(before.revision);
    });

    it('keeps what each change wrote, in its order, for those who will watch', () => {
      const store = new Store();
      store.commit((change) => {
        store.put(change, 'a', Buffer.from('one'));
        store.put(change, 'b', Buffer.from('one'));
      });
      store.commit((change) => store.delete(change, 'nobody'));
      store.commit((change) => store.delete(change, 'a'));
      const written = [1, 2, 3, 4].map((revision) =>
        store.changeAt(revision)?.events.map(({ type, kv, prevKv }) => `${type} ${kv.key}@${kv.modRevision} before: ${prevKv?.value}`),
      );
      expect(written).toEqual([
        undefined,
        ['PUT a@2 before: undefined', 'PUT b@2 before: undefined'],
        ['DELETE a@3 before: one'],
        undefined,
      ]);
    });

    it('gives fifty clients that put at once fifty revisions, and loses no put', async () => {
      const { header: before } = await client().put({ key: 'crowd', value: 'nobody yet' });
      const crowd = Array.from({ length: 50 }, (_, index) => index);
      const answers = await Promise.all(crowd.map((index) => client().put({ key: 'crowd', value: `${index}` })));
      const revisions = answers.map(({ header }) => header.revision).sort((left, right) => left - right);
      expect(revisions).toEqual(crowd.map((index) => before.revision + 1 + index));
      const { kvs } = await client().range({ key: 'crowd' });
      const last = answers.findIndex(({ header }) => header.revision === before.revision + 50);
      expect(kvs).toMatchObject([{ value: Buffer.from(`${last}`), version: 51 }]);
    });

    it('lets a client read what it has just put, also on another connection', async () => {
      const other = (etcd as EtcdUnderTest).connect();
      for (let round = 0; round < 20; round++) {
        await client().put({ key: 'read-your-write', value: `${round}` });
        const { kvs } = await other.range({ key: 'read-your-write' });
        expect(kvs.map(pair)).toEqual([`read-your-write=${round}`]);
      }
    });

    it('keeps a copy of the value: the bytes that came over the network belong to the network', () => {
      const store = new Store();
      const received = Buffer.alloc(5000, 'a');
      const request = { key: Buffer.from('copied'), value: received, lease: '0', prevKv: false, ignoreValue: false, ignoreLease: false };
      store.commit((change) => put(store, change, request));
      received.fill('z');
      expect(store.get('copied')?.value).toEqual(Buffer.alloc(5000, 'a'));
    });

    it('answers bytes that are no request with an error, and goes on serving the same connection', async () => {
      const fieldThatNeverEnds = Buffer.from([0x0a, 0xff, 0xff, 0xff, 0x7f, 0x01]);
      expect((await failureOf(client().callWithBytes('/etcdserverpb.KV/Put', fieldThatNeverEnds))).code).toBe('INTERNAL');
      const { header } = await client().put({ key: 'after-rubbish', value: '1' });
      const { kvs } = await client().range({ key: 'after-rubbish' });
      expect(kvs).toMatchObject([{ modRevision: header.revision }]);
    });

    it('answers a request that is cut short with an error, and nothing is put', async () => {
      const { header: before } = await client().put({ key: 'whole', value: '1' });
      const outcome = await sendCutShort((etcd as EtcdUnderTest).url, '/etcdserverpb.KV/Put');
      expect(outcome).not.toBe('grpc-status 0');
      const { header: after } = await client().range({ key: 'whole' });
      expect(after.revision).toBe(before.revision);
    });

    it('answers a method that does not exist with UNIMPLEMENTED', async () => {
      expect((await failureOf(client().callWithBytes('/etcdserverpb.KV/Frobnicate', Buffer.alloc(0)))).code).toBe('UNIMPLEMENTED');
      await client().put({ key: 'after-frobnicate', value: '1' });
    });
  }));

/** Sends a gRPC frame that promises 100 bytes and brings 3, and says how the server took it. */
function sendCutShort(url: string, path: string): Promise<string> {
  const session = connect(url);
  const outcome = new Promise<string>((resolve) => {
    session.on('error', (error) => resolve(`connection closed: ${error.message}`));
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' });
    let status: unknown;
    const note = (headers: Record<string, unknown>) => {
      status = headers['grpc-status'] ?? status;
    };
    stream
      .on('response', note)
      .on('trailers', note)
      .on('data', () => {});
    stream.on('error', (error) => resolve(`stream reset: ${error.message}`));
    stream.on('close', () => resolve(`grpc-status ${status}`));
    stream.end(Buffer.from([0, 0, 0, 0, 100, 0x0a, 0x01, 0x61]));
  });
  return withDeadline('an answer to a request that is cut short', outcome, { within: 4000 }).finally(() => session.destroy());
}
