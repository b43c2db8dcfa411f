// The real kube-apiserver on our etcd, in the hours that no wire test sees: history that is forgotten, objects with a lease, many writers of one
// object, and an etcd that goes away and comes back.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Informer } from '#controller-manager/informer';
import { startEtcd } from '#etcd';
import { type ConfigMap, ConfigMaps, Events } from '#kit/api';
import { Client } from '#kit/client';
import { systemClock, systemRandom } from '#kit/clock';
import type { RunningComponent } from '#kit/component';
import { silentLogger } from '#kit/log';
import { createCertificateAuthority } from '#kit/pki';
import { isConflict, isExpired } from '#kit/status';
import { startUpstreamApiServer, type UpstreamApiServer, upstreamApiServer } from '#kit/testing/upstream-api-server';
import { eventually } from '#kit/testing/wait';

jest.setTimeout(120_000);

const namespace = 'default';
const within = 30_000;

describe('the real kube-apiserver on our etcd', () => {
  let dataDir: string;
  let etcd: RunningComponent;
  let server: UpstreamApiServer;
  let client: Client;

  const context = { clock: systemClock, random: systemRandom, log: silentLogger };
  const startStore = (port = 0) => startEtcd({ dataDir, listen: { host: '127.0.0.1', port }, ...context });

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'kubekata-etcd-'));
    etcd = await startStore();
    const authority = await createCertificateAuthority('kubekata-test');
    const serving = await authority.issue({ commonName: 'kube-apiserver', hosts: ['127.0.0.1'], usages: ['server', 'client'] });
    const flags = { 'etcd-compaction-interval': '2s', 'event-ttl': '3s', 'etcd-healthcheck-timeout': '5s' };
    server = await startUpstreamApiServer({ program: upstreamApiServer ?? '', etcdUrl: etcd.url, authority, serving, flags });
    const admin = await authority.issue({ commonName: 'admin', organizations: ['system:masters'], usages: ['client'] });
    client = new Client({ server: server.url, tls: { ca: authority.cert, ...admin }, userAgent: 'test' });
  });
  afterAll(async () => {
    client?.close();
    await server?.stop();
    await etcd?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const create = (name: string, data: Record<string, string> = {}) =>
    client.create(ConfigMaps, { metadata: { name, namespace }, data }) as Promise<ConfigMap>;

  it('lists page by page, and all pages are of one moment', async () => {
    await Promise.all(Array.from({ length: 60 }, (_, index) => create(`page-${index}`)));
    const first = await client.list(ConfigMaps, { namespace, limit: 25 });
    await create('page-late');
    const names = first.items.map(({ metadata }) => metadata?.name);
    let next = first.metadata.continue;
    while (next) {
      const page = await client.list(ConfigMaps, { namespace, limit: 25, continue: next });
      names.push(...page.items.map(({ metadata }) => metadata?.name));
      next = page.metadata.continue;
    }
    expect(names.filter((name) => name?.startsWith('page-'))).toHaveLength(60);
  });

  it('loses none of many changes of one object', async () => {
    await create('counter', { count: '0' });
    const name = { namespace, name: 'counter' };
    const increment = async (): Promise<void> => {
      const present = await client.get(ConfigMaps, name);
      try {
        await client.update(ConfigMaps, { ...present, data: { count: `${Number(present.data?.count) + 1}` } });
      } catch (error) {
        if (!isConflict(error)) throw error;
        return increment();
      }
    };
    await Promise.all(Array.from({ length: 20 }, increment));
    expect((await client.get(ConfigMaps, name)).data?.count).toBe('20');
  });

  it('lets go of an event when its time is over', async () => {
    const metadata = { name: 'short', namespace };
    const involvedObject = { apiVersion: 'v1', kind: 'ConfigMap', name: 'counter', namespace };
    await client.create(Events, { metadata, involvedObject, reason: 'Test', message: 'soon gone', type: 'Normal' });
    const isGone = async () => !(await client.list(Events, { namespace })).items.some(({ metadata }) => metadata?.name === 'short');
    expect(await isGone()).toBe(false);
    await eventually('the event is gone', isGone, { within });
  });

  it('says Expired to who asks for a moment that etcd was told to forget', async () => {
    const { metadata } = await create('old');
    const resourceVersion = metadata?.resourceVersion ?? '';
    const isForgotten = async () => {
      await client.patch(ConfigMaps, { namespace, name: 'old' }, 'merge', { data: { at: `${systemClock.now()}` } });
      try {
        await client.list(ConfigMaps, { namespace, resourceVersion, resourceVersionMatch: 'Exact', limit: 1 });
        return false;
      } catch (error) {
        if (isExpired(error)) return true;
        throw error;
      }
    };
    await eventually('the moment is forgotten', isForgotten, { within });
  });

  it('goes on when etcd was away, and those who watch miss nothing', async () => {
    const informer = new Informer(client, ConfigMaps, context);
    await informer.start();
    await create('before');
    await eventually('it is seen', () => informer.get(`${namespace}/before`), { within });
    const { port } = new URL(etcd.url);
    await etcd.stop();
    const isReady = () =>
      client.send({ method: 'GET', path: '/readyz' }).then(
        () => true,
        () => false,
      );
    await eventually('it is not ready', async () => !(await isReady()), { within });
    etcd = await startStore(Number(port));
    const writes = () =>
      create('after').then(
        () => true,
        ({ reason }: { reason?: string }) => reason === 'AlreadyExists',
      );
    await eventually('it writes again', writes, { within });
    expect((await client.get(ConfigMaps, { namespace, name: 'before' })).metadata?.name).toBe('before');
    await eventually('it is seen', () => informer.get(`${namespace}/after`), { within });
    await informer.stop();
  });

  it('complains of etcd only because it was away', () => {
    const away = /connection refused|Unavailable|timed out|deadline exceeded|EOF|closing|canceled|required revision has been compacted/i;
    const ofEtcd = server.complaints().filter((line) => /etcd|grpc|compact|revision|watch chan/i.test(line));
    expect([...new Set(ofEtcd.filter((line) => !away.test(line)))]).toEqual([]);
  });
});
