// What clients should not do, and operators neither: a clear refusal, nothing lost, and everybody else goes on as before.
// KATA_STREAMS=10000 opens so many idle streams, and says what they cost.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ClusterOptions, startEtcd, type TransportName } from '#etcd';
import { seededRandom, systemClock, systemRandom } from '#kit/clock';
import { freePorts } from '#kit/free-ports';
import { silentLogger } from '#kit/log';
import { EtcdClient, failureOf, pair, RpcFailure } from '#kit/testing/etcd-client';

const streams = Number(process.env.KATA_STREAMS ?? 1000);
const methods = [
  'KV/Range',
  'KV/Put',
  'KV/DeleteRange',
  'KV/Txn',
  'KV/Compact',
  'Lease/LeaseGrant',
  'Lease/LeaseRevoke',
  'Maintenance/Alarm',
];

describe('etcd', () => {
  let folder: string;
  const cleanUp: (() => unknown)[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubekata-etcd-'));
    cleanUp.push(() => rm(folder, { recursive: true, force: true }));
  });
  afterEach(async () => {
    for (let step = cleanUp.pop(); step; step = cleanUp.pop()) await step();
  });
  const start = async (options: { transport?: TransportName; cluster?: ClusterOptions; name?: string; directory?: string } = {}) => {
    const { directory = 'data', ...given } = options;
    const context = { clock: systemClock, random: systemRandom, log: silentLogger };
    const server = await startEtcd({ dataDir: join(folder, directory), listen: { host: '127.0.0.1', port: 0 }, ...given, ...context });
    cleanUp.push(() => server.stop());
    return server;
  };
  const connect = (url: string) => {
    const client = new EtcdClient(url);
    cleanUp.push(() => client.close());
    return client;
  };

  describe.each<TransportName>(['grpc-js', 'lean'])('over %s', (transport) => {
    it('survives bytes that are no requests, and stays as it was', async () => {
      const client = connect((await start({ transport })).url);
      await client.put({ key: 'safe', value: '1' });
      const random = seededRandom(5);
      const outcomes = new Set<string>();
      for (let round = 0; round < 200; round++) {
        const bytes = Buffer.from(Array.from({ length: 1 + Math.floor(random() * 40) }, () => Math.floor(random() * 256)));
        const method = methods[round % methods.length];
        // Some of it is a request by chance.
        const outcome = await client.callWithBytes(`/etcdserverpb.${method}`, bytes).catch((error) => error);
        outcomes.add(outcome instanceof RpcFailure ? outcome.code : 'answered');
        if (!Buffer.isBuffer(outcome)) expect(outcome).toBeInstanceOf(RpcFailure);
      }
      expect([...outcomes]).toContain('INTERNAL');
      expect([...outcomes]).not.toContain('DEADLINE_EXCEEDED');
      expect((await client.range({ key: 'safe' })).kvs.map(pair)).toEqual(['safe=1']);
    });

    it('refuses keys, values, transactions and ranges that are too large, and takes large ones', async () => {
      const client = connect((await start({ transport })).url);
      const tooLarge = { code: 'INVALID_ARGUMENT', details: 'etcdserver: request is too large' };
      const key = Buffer.alloc(1.5 * 1024 * 1024 + 1, 'k');
      expect(await failureOf(client.put({ key }))).toEqual(tooLarge);
      expect(await failureOf(client.deleteRange({ key }))).toEqual(tooLarge);
      const half = Buffer.alloc(0.8 * 1024 * 1024);
      const puts = ['a', 'b'].map((name) => ({ requestPut: { key: name, value: half } }));
      expect(await failureOf(client.txn({ success: puts }))).toEqual(tooLarge);
      expect((await failureOf(client.put({ key: 'a', value: Buffer.alloc(8 * 1024 * 1024) }))).code).toBe('RESOURCE_EXHAUSTED');
      await client.put({ key: Buffer.alloc(1024 * 1024, 'k'), value: '1' });
      expect((await client.range({ key: '\0', rangeEnd: '\0', countOnly: true })).count).toBe(1);
    });

    it('says at once that nobody leads, to a watch that requires a leader', async () => {
      const [own, other] = await freePorts(2);
      const listenPeers = { host: '127.0.0.1', port: own as number };
      const initialCluster = `a=http://127.0.0.1:${own},b=http://127.0.0.1:${other}`;
      const client = connect((await start({ transport, name: 'a', cluster: { listenPeers, initialCluster } })).url);
      const stream = client.watch({ requireLeader: true });
      expect(await failureOf(stream.next())).toEqual({ code: 'UNAVAILABLE', details: 'etcdserver: no leader' });
      const patient = client.watch();
      cleanUp.push(() => patient.close());
      expect(await patient.create({ key: 'waiting' })).toMatchObject({ created: true });
    });

    it(`serves others beside ${streams} idle watch streams, and forgets them when their clients go`, async () => {
      const { url } = await start({ transport });
      const client = connect(url);
      const before = process.memoryUsage().rss;
      const connections = Array.from({ length: 10 }, () => new EtcdClient(url));
      cleanUp.push(() => connections.map((connection) => connection.close()));
      const idle = Array.from({ length: streams }, (_, index) => (connections[index % connections.length] as EtcdClient).watch());
      cleanUp.push(() => idle.map((stream) => stream.close()));
      for (let from = 0; from < streams; from += 200) {
        await Promise.all(idle.slice(from, from + 200).map((stream, index) => stream.create({ key: `idle/${from + index}` })));
      }
      const called = performance.now();
      await client.put({ key: 'busy', value: '1' });
      const took = performance.now() - called;
      if (process.env.KATA_STREAMS) {
        const each = (process.memoryUsage().rss - before) / streams / 1024;
        process.stdout.write(
          `${transport}: ${streams} streams, ${each.toFixed(1)} KiB each (client and server), a put takes ${took.toFixed(1)} ms\n`,
        );
      }
      await client.put({ key: `idle/${streams - 1}`, value: 'wake up' });
      expect((await (idle.at(-1) as (typeof idle)[number]).events(1)).map(({ kv }) => pair(kv))).toEqual([`idle/${streams - 1}=wake up`]);
      for (const stream of idle) stream.close();
      expect((await client.put({ key: 'busy', value: '2' })).header.revision).toBe(4);
    });
  });

  it('does not start as a member on the data of another cluster, nor alone on the data of a member', async () => {
    const [port] = await freePorts(1);
    const cluster = { listenPeers: { host: '127.0.0.1', port: port as number }, initialCluster: `a=http://127.0.0.1:${port}` };
    const server = await start({ name: 'a', cluster });
    const client = connect(server.url);
    await client.put({ key: 'kept', value: '1' });
    await server.stop();
    await expect(start({ name: 'a', cluster: { ...cluster, initialClusterToken: 'another' } })).rejects.toThrow(
      `The data directory ${join(folder, 'data')} belongs to another cluster`,
    );
    await expect(start()).rejects.toThrow('belongs to a member of a cluster');
    const again = connect((await start({ name: 'a', cluster })).url);
    expect((await again.range({ key: 'kept' })).kvs.map(pair)).toEqual(['kept=1']);
  });

  it('does not start as two members with one address, or as one that the cluster does not have', async () => {
    const [port] = await freePorts(1);
    const url = `http://127.0.0.1:${port}`;
    const listenPeers = { host: '127.0.0.1', port: port as number };
    await expect(start({ name: 'a', cluster: { listenPeers, initialCluster: `a=${url},b=${url}` } })).rejects.toThrow(
      'two members have the same URLs',
    );
    await expect(start({ name: 'c', cluster: { listenPeers, initialCluster: `a=${url}` } })).rejects.toThrow(
      `couldn't find local name "c"`,
    );
    await expect(start({ name: 'a', cluster: { listenPeers, initialCluster: 'a' } })).rejects.toThrow('it must be NAME=URL');
  });
});
