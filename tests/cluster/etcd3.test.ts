// etcd3, the client that the API server uses, unmodified: its recipes against our server. With KATA_TARGET=upstream, against the real one.

import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Etcd3, EtcdLockFailedError, type IKeyValue } from 'etcd3';
import { type EtcdUnderTest, startEtcdUnderTest } from '#kit/testing/etcd';
import { eventually, withDeadline } from '#kit/testing/wait';

describe('etcd3', () => {
  const cleanUp: (() => unknown)[] = [];
  let etcd: EtcdUnderTest;
  const connect = () => {
    const client = new Etcd3({ hosts: etcd.url });
    cleanUp.push(() => client.close());
    return client;
  };
  beforeEach(async () => {
    etcd = await startEtcdUnderTest();
    cleanUp.push(() => etcd.stop());
  });
  afterEach(async () => {
    for (let step = cleanUp.pop(); step; step = cleanUp.pop()) await step();
  });

  it('puts, gets, lists and deletes with its builders', async () => {
    const client = connect();
    for (const [index, key] of ['fruit/apple', 'fruit/pear', 'fruit/plum', 'tree'].entries()) await client.put(key).value(index + 1);
    expect(await client.get('tree').number()).toBe(4);
    expect(await client.getAll().prefix('fruit/').sort('Key', 'Descend').limit(2).numbers()).toEqual({ 'fruit/plum': 3, 'fruit/pear': 2 });
    expect(await client.getAll().prefix('fruit/').count()).toBe(3);
    const { deleted } = await client.delete().prefix('fruit/');
    expect(Number(deleted)).toBe(3);
    expect(await client.namespace('tr').getAll().strings()).toEqual({ ee: '4' });
  });

  it('holds a lock that nobody else gets', async () => {
    const [one, other] = [connect(), connect()];
    const lock = await one.lock('door').ttl(10).acquire();
    await expect(other.lock('door').acquire()).rejects.toThrow(EtcdLockFailedError);
    await lock.release();
    const second = await other.lock('door').acquire();
    await second.release();
  });

  it('loses nothing when many transactions of its STM count at once', async () => {
    const clients = [connect(), connect(), connect()];
    await clients[0]?.put('counter').value(0);
    const counts = clients.flatMap((client) =>
      Array.from({ length: 5 }, () =>
        client.stm({ retries: 200 }).transact(async (transaction) => {
          const before = await transaction.get('counter').number();
          await transaction.put('counter').value((before ?? 0) + 1);
        }),
      ),
    );
    await withDeadline('all have counted', Promise.all(counts), { within: 20_000 });
    expect(await clients[0]?.get('counter').number()).toBe(15);
  });

  it('elects one, and another one when that resigns', async () => {
    const [one, other] = [connect(), connect()];
    const first = one.election('throne', 10).campaign('one');
    await withDeadline('one is elected', once(first, 'elected'));
    const observer = await other.election('throne', 10).observe();
    cleanUp.push(() => observer.cancel());
    await eventually('the other one sees who leads', () => observer.leader() === 'one');
    const second = other.election('throne', 10).campaign('other');
    const isElected = withDeadline('the other one is elected', once(second, 'elected'));
    await first.resign();
    await isElected;
    expect(await one.election('throne', 10).leader()).toBe('other');
    await second.resign();
  });

  it('watches a prefix from a revision on, and stops', async () => {
    const client = connect();
    const { header } = await client.put('fruit/apple').value('1');
    await client.delete().key('fruit/apple');
    const seen: string[] = [];
    const note = (type: string) => (kv: IKeyValue) => seen.push(`${type} ${kv.key}=${kv.value}`);
    const watcher = await client.watch().prefix('fruit/').startRevision(header.revision).create();
    watcher.on('put', note('put')).on('delete', note('delete'));
    await client.put('fruit/pear').value('2');
    await client.put('tree').value('3');
    await eventually('three events', () => seen.length >= 3);
    await watcher.cancel();
    await client.put('fruit/plum').value('4');
    expect(seen).toEqual(['put fruit/apple=1', 'delete fruit/apple=', 'put fruit/pear=2']);
  });

  it('hangs keys on a lease that it keeps alive, and takes them along', async () => {
    const client = connect();
    const lease = client.lease(10);
    await lease.put('session').value('mine');
    expect(await client.get('session').string()).toBe('mine');
    await lease.keepaliveOnce();
    await lease.revoke();
    expect(await client.get('session').string()).toBeNull();
  });
});
