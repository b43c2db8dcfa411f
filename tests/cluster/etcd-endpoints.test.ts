// What etcd serves beside gRPC, on the same port: /health, /version and /metrics over HTTP/1.1, with and without TLS, whoever speaks gRPC.

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import { type RequestOptions, request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type EtcdOptions, startEtcd } from '#etcd';
import { FakeClock, systemClock, systemRandom } from '#kit/clock';
import type { ClientTls } from '#kit/component';
import { silentLogger } from '#kit/log';
import { createCertificateAuthority } from '#kit/pki';
import { EtcdClient, failureOf } from '#kit/testing/etcd-client';

interface Answer {
  code: number;
  type: string;
  body: string;
}

function fetchFrom(url: string, path: string, options: RequestOptions = {}): Promise<Answer> {
  const send = url.startsWith('https') ? request : plainRequest;
  return new Promise((resolve, reject) => {
    const asked = send(`${url}${path}`, { agent: false, ...options }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      response.on('end', () => resolve({ code: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', body }));
    });
    asked.on('error', reject).end();
  });
}

describe.each(['grpc-js', 'lean'] as const)('etcd over HTTP/1.1, beside gRPC by %s', (transport) => {
  const cleanUp: (() => unknown)[] = [];
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'kubekata-etcd-'));
    cleanUp.push(() => rm(dataDir, { recursive: true, force: true }));
  });
  afterEach(async () => {
    for (let step = cleanUp.pop(); step; step = cleanUp.pop()) await step();
  });
  const start = async (options: Partial<EtcdOptions> = {}, tls?: ClientTls) => {
    const context = { clock: systemClock, random: systemRandom, log: silentLogger };
    const server = await startEtcd({ dataDir, listen: { host: '127.0.0.1', port: 0 }, transport, ...context, ...options });
    cleanUp.push(() => server.stop());
    const url = server.url.replace('127.0.0.1', 'localhost');
    const client = new EtcdClient(url, tls);
    cleanUp.push(() => client.close());
    return { url, client };
  };

  it('is healthy until there is an alarm, and says which', async () => {
    const { url, client } = await start({ quotaBytes: 10_000 });
    expect(await fetchFrom(url, '/health')).toMatchObject({ code: 200, body: '{"health":"true"}' });
    expect((await failureOf(client.put({ key: 'large', value: Buffer.alloc(20_000) }))).code).toBe('RESOURCE_EXHAUSTED');
    expect(await fetchFrom(url, '/health')).toMatchObject({ code: 503, body: '{"health":"false","reason":"ALARM NOSPACE"}' });
    await client.disarmAlarms();
    expect(await fetchFrom(url, '/health?serializable=true')).toMatchObject({ code: 200 });
  });

  it('says its version, and nothing where there is nothing', async () => {
    const { url, client } = await start();
    const { version } = await client.status();
    expect(JSON.parse((await fetchFrom(url, '/version')).body)).toEqual({ etcdserver: version, etcdcluster: version.replace(/\d+$/, '0') });
    expect(await fetchFrom(url, '/constructor')).toMatchObject({ code: 404 });
    expect(await fetchFrom(url, '/health', { method: 'POST' })).toMatchObject({ code: 405 });
  });

  it('counts RPCs by their outcome, and tells what Prometheus asks an etcd', async () => {
    const { url, client } = await start();
    await client.put({ key: 'a' });
    await client.put({ key: 'a' });
    await failureOf(client.put({ key: '' }));
    const watch = client.watch();
    await watch.create({ key: 'a' });
    watch.close();
    const { type, body } = await fetchFrom(url, '/metrics');
    expect(type).toMatch(/^text\/plain; version=0\.0\.4/);
    const value = (name: string) =>
      Number(
        body
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.slice(name.length),
      );
    const puts = (code: string) =>
      `grpc_server_handled_total{grpc_code="${code}",grpc_method="Put",grpc_service="etcdserverpb.KV",grpc_type="unary"}`;
    expect(value(puts('OK'))).toBe(2);
    expect(value(puts('InvalidArgument'))).toBe(1);
    expect(value('etcd_server_has_leader')).toBe(1);
    expect(value('etcd_debugging_mvcc_current_revision')).toBe(3);
    expect(value('etcd_server_proposals_committed_total')).toBeGreaterThanOrEqual(2);
    expect(value('etcd_mvcc_db_total_size_in_bytes')).toBeGreaterThan(0);
    expect(value('etcd_disk_wal_fsync_duration_seconds_count')).toBeGreaterThanOrEqual(2);
    expect(value('etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"}')).toBe(value('etcd_disk_wal_fsync_duration_seconds_count'));
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
  });

  it('asks for a certificate there, too', async () => {
    const authority = await createCertificateAuthority('test');
    const serving = await authority.issue({ commonName: 'etcd', hosts: ['localhost'], usages: ['server'] });
    const mine = { ca: authority.cert, ...(await authority.issue({ commonName: 'client', usages: ['client'] })) };
    const { url, client } = await start({ tls: { ...serving, clientCa: authority.cert } }, mine);
    await client.put({ key: 'a' });
    expect(await fetchFrom(url, '/health', mine)).toMatchObject({ code: 200 });
    await expect(fetchFrom(url, '/health', { ca: authority.cert })).rejects.toThrow();
    // curl and Prometheus offer both; only who speaks gRPC offers nothing but h2.
    const both = connectTls({ port: Number(new URL(url).port), host: 'localhost', ...mine, ALPNProtocols: ['h2', 'http/1.1'] });
    cleanUp.push(() => both.destroy());
    await once(both, 'secureConnect');
    expect(both.alpnProtocol).toBe('http/1.1');
  });

  it('cuts off who connects and says nothing', async () => {
    const clock = new FakeClock();
    const { url } = await start({ clock });
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    cleanUp.push(() => socket.destroy());
    await once(socket, 'connect');
    socket.write('PR');
    // The server has taken the connection when it answers a later one.
    await fetchFrom(url, '/health');
    const closed = once(socket.resume(), 'close');
    await clock.advance(10_000);
    await closed;
  });
});
