// What an operator does with etcd: compare members, copy everything, make room, look how it is.

import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startEtcd } from '#etcd';
import { systemClock, systemRandom } from '#kit/clock';
import { silentLogger } from '#kit/log';
import { EtcdClient, failureOf, prefixEnd } from '#kit/testing/etcd-client';

describe('etcd, maintained', () => {
  let folder: string;
  const cleanUp: (() => unknown)[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubekata-etcd-'));
  });
  afterEach(async () => {
    for (let step = cleanUp.pop(); step; step = cleanUp.pop()) await step();
    await rm(folder, { recursive: true, force: true });
  });
  const start = async (name: string) => {
    const context = { clock: systemClock, random: systemRandom, log: silentLogger };
    const server = await startEtcd({ dataDir: join(folder, name), listen: { host: '127.0.0.1', port: 0 }, ...context });
    cleanUp.push(() => server.stop());
    const client = new EtcdClient(server.url);
    cleanUp.push(() => client.close());
    return { client, stop: () => server.stop() };
  };
  const fill = async (client: EtcdClient) => {
    await client.leaseGrant({ TTL: 1000, ID: 9 });
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: 50 }, (_, index) => client.put({ key: `key/${index}`, value: 'x'.repeat(1000) })));
    }
    await client.put({ key: 'leased', lease: 9 });
    await client.compact(100);
    await client.deleteRange({ key: 'key/1' });
  };
  const everything = { key: '\0', rangeEnd: '\0' };

  it('gives a copy of everything that a server starts from', async () => {
    const { client } = await start('one');
    await fill(client);
    const copy = Buffer.concat((await client.snapshot()).map(({ blob }) => blob));
    await client.put({ key: 'too late' });
    // etcdctl checks the size: whole blocks and a hash.
    expect(copy.length % 512).toBe(32);
    await mkdir(join(folder, 'copy'));
    await writeFile(join(folder, 'copy', 'snapshot-0000000000000000'), copy);
    const restored = (await start('copy')).client;
    const before = await client.range({ ...everything, revision: 253 });
    const after = await restored.range(everything);
    expect(after.kvs).toEqual(before.kvs);
    expect(after.header.revision).toBe(253);
    expect((await restored.range({ key: 'key/1', revision: 150 })).count).toBe(1);
    expect((await failureOf(restored.range({ key: 'key/1', revision: 99 }))).code).toBe('OUT_OF_RANGE');
    expect((await restored.leaseTimeToLive({ ID: 9, keys: true })).keys.map(String)).toEqual(['leased']);
  });

  it('says how many bytes of a copy are still to come', async () => {
    const { client } = await start('one');
    await fill(client);
    const pieces = await client.snapshot();
    const rest = pieces.map((_, index) => pieces.slice(index + 1).reduce((size, { blob }) => size + blob.length, 0));
    expect(pieces.map(({ remainingBytes }) => remainingBytes)).toEqual(rest);
  });

  it('has the same hashes for the same content, and others for another', async () => {
    const [one, two] = [await start('one'), await start('two')];
    await Promise.all([one, two].map(({ client }) => fillInOrder(client)));
    expect(await one.client.hashKv(20)).toMatchObject({ hash: (await two.client.hashKv(20)).hash, compactRevision: 5 });
    expect((await one.client.hash()).hash).toBe((await two.client.hash()).hash);
    const before = (await one.client.hashKv(0)).hash;
    await one.client.put({ key: 'key/3', value: 'other' });
    expect((await one.client.hashKv(0)).hash).not.toBe(before);
    expect((await one.client.hashKv(31)).hash).toBe(before);
    expect((await failureOf(one.client.hashKv(4))).code).toBe('OUT_OF_RANGE');
    expect((await failureOf(one.client.hashKv(400))).code).toBe('OUT_OF_RANGE');

    async function fillInOrder(client: EtcdClient) {
      for (let index = 0; index < 30; index++) await client.put({ key: `key/${index % 10}`, value: `${index}` });
      await client.compact(5);
    }
  });

  it('gives room on the disk back after deleting, compacting and defragmenting', async () => {
    const { client, stop } = await start('one');
    await fill(client);
    const { header } = await client.deleteRange({ key: 'key/', rangeEnd: prefixEnd('key/') });
    await client.compact(header.revision);
    const size = async () => {
      const sizes = (await readdir(join(folder, 'one'))).map(async (name) => (await stat(join(folder, 'one', name))).size);
      return (await Promise.all(sizes)).reduce((sum, each) => sum + each, 0);
    };
    expect(await size()).toBeGreaterThan(250_000);
    await client.defragment();
    await client.put({ key: 'after', value: '1' });
    await client.defragment();
    expect(await size()).toBeLessThan(10_000);
    expect((await client.status()).dbSize).toBeLessThan(10_000);
    await stop();
    const again = (await start('one')).client;
    expect((await again.range(everything)).kvs.map(({ key }) => String(key))).toEqual(['after', 'leased']);
  });
});
