// What etcd does that the cluster needs and no stage asks for yet: the disk, TLS, its own state.
// The first half is about the protocol, and holds for the real etcd too (KATA_TARGET=upstream).

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { startEtcd } from '#etcd';
import { FakeClock, systemClock, systemRandom } from '#kit/clock';
import type { RunningComponent, ServingTls } from '#kit/component';
import { silentLogger } from '#kit/log';
import { createCertificateAuthority } from '#kit/pki';
import { type EtcdUnderTest, startEtcdUnderTest } from '#kit/testing/etcd';
import { EtcdClient, failureOf } from '#kit/testing/etcd-client';

describe('etcd, as a client sees it', () => {
  let etcd: EtcdUnderTest;
  let client: EtcdClient;
  beforeAll(async () => {
    etcd = await startEtcdUnderTest();
    client = etcd.client;
  });
  afterAll(() => etcd?.stop());
  const invalid = (details: string) => ({ code: 'INVALID_ARGUMENT', details: `etcdserver: ${details}` });

  it('refuses a request of more than 1.5 MiB, and takes one of a little less', async () => {
    await client.put({ key: 'large', value: Buffer.alloc(1.5 * 1024 * 1024 - 100) });
    expect(await failureOf(client.put({ key: 'larger', value: Buffer.alloc(1.5 * 1024 * 1024 + 1) }))).toEqual(
      invalid('request is too large'),
    );
  });

  it('knows its members and its own state', async () => {
    const { members, header } = await client.memberList();
    expect(members).toMatchObject([{ ID: header.memberId, name: 'default', clientURLs: [etcd.url] }]);
    expect(await client.status()).toMatchObject({ leader: Number(header.memberId), version: expect.stringMatching(/^3\.\d+\.\d+$/) });
  });
});

describe('etcd, as the machine sees it', () => {
  let dataDir: string;
  const running: { stop(): Promise<void> }[] = [];
  const clients: EtcdClient[] = [];
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'kubekata-etcd-'));
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    for (const server of running.splice(0)) await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  const start = async ({
    clock = systemClock,
    directory = dataDir,
    tls,
  }: {
    clock?: FakeClock | typeof systemClock;
    directory?: string;
    tls?: ServingTls;
  } = {}) => {
    const listen = { host: '127.0.0.1', port: 0 };
    const server = await startEtcd({ dataDir: directory, listen, clock, random: systemRandom, log: silentLogger, ...(tls ? { tls } : {}) });
    running.push(server);
    return server;
  };
  const connect = ({ url }: RunningComponent, tls?: ConstructorParameters<typeof EtcdClient>[1]) => {
    const client = new EtcdClient(url.replace('127.0.0.1', 'localhost'), tls);
    clients.push(client);
    return client;
  };

  it('does not start on a directory that another server has open', async () => {
    const first = await start();
    await expect(start()).rejects.toThrow(`is in use by process ${process.pid}`);
    await first.stop();
    await connect(await start()).put({ key: 'free again' });
  });

  it('says which address is taken', async () => {
    const { url } = await start();
    const listen = { host: '127.0.0.1', port: Number(new URL(url).port) };
    const directory = join(dataDir, 'other');
    const context = { clock: systemClock, random: systemRandom, log: silentLogger };
    await expect(startEtcd({ dataDir: directory, listen, ...context })).rejects.toThrow(`cannot listen on 127.0.0.1:${listen.port}`);
    await connect(await start({ directory })).put({ key: 'the directory is free' });
  });

  it('keeps a watch that has nothing to tell informed, if the watch asked for it', async () => {
    const clock = new FakeClock();
    const client = connect(await start({ clock }));
    const stream = client.watch();
    const { watchId } = await stream.create({ key: 'quiet', progressNotify: true });
    const { header } = await client.put({ key: 'elsewhere' });
    await clock.advance(20 * 60 * 1000);
    expect(await stream.next('a progress notification')).toMatchObject({ watchId, events: [], header: { revision: header.revision } });
    stream.close();
  });

  it('speaks to clients of its CA only, when it is told to', async () => {
    const [authority, stranger] = await Promise.all([createCertificateAuthority('test'), createCertificateAuthority('stranger')]);
    const serving = await authority.issue({ commonName: 'etcd', hosts: ['localhost'], usages: ['server'] });
    const server = await start({ tls: { ...serving, clientCa: authority.cert } });
    expect(server.url).toMatch(/^https:/);
    const known = connect(server, { ca: authority.cert, ...(await authority.issue({ commonName: 'client', usages: ['client'] })) });
    await known.put({ key: 'secret', value: '1' });
    const strangers = [
      connect(server, { ca: authority.cert }),
      connect(server, { ca: authority.cert, ...(await stranger.issue({ commonName: 'client', usages: ['client'] })) }),
    ];
    for (const client of strangers) expect(await failureOf(client.range({ key: 'secret' }))).toMatchObject({ code: 'UNAVAILABLE' });
  });
});
