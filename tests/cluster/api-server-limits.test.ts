// What the API server does when too much is asked of it, when something takes too long, and when it is stopped; and what it tells of itself.

import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ApiServerOptions } from '#api-server';
import { ClusterRoleBindings, type ConfigMap, ConfigMaps } from '#kit/api';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';

const configMaps = '/api/v1/namespaces/default/configmaps';

describe('the API server under pressure', () => {
  let plane: TestControlPlane | undefined;
  const open: ClientRequest[] = [];
  afterEach(async () => {
    for (const asked of open.splice(0)) asked.destroy();
    await plane?.stop();
    plane = undefined;
  });

  async function start(apiServer: Partial<ApiServerOptions>): Promise<TestControlPlane> {
    plane = await startTestControlPlane({ apiServer });
    return plane;
  }

  /** Asks as this user; with a name, for a ConfigMap whose second half is sent by `finish`: until then the server is busy with it. */
  async function ask(on: TestControlPlane, user: string, path: string, { create = '', groups = [] as string[] } = {}) {
    const { cert, key } = await on.issue(user, groups);
    const body = create && JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: create } });
    const asked = request(`${on.serverUrl}${path}`, {
      method: create ? 'POST' : 'GET',
      agent: false,
      ca: on.ca,
      cert,
      key,
      headers: create ? { 'content-type': 'application/json', 'content-length': body.length } : {},
    });
    open.push(asked);
    const answered = once(asked, 'response').then(async ([answer]: IncomingMessage[]) => {
      if (!answer) throw new Error('no answer');
      return { code: answer.statusCode, headers: answer.headers, body: await text(answer) };
    });
    // Awaited by who wants to know; one that is cut off is nobody's failure.
    answered.catch(() => {});
    if (create) asked.write(body.slice(0, 10));
    else asked.end();
    return { answered, finish: () => asked.end(body.slice(10)), leave: () => asked.destroy() };
  }

  async function everybodyMayEverything({ client }: TestControlPlane): Promise<void> {
    const apiGroup = 'rbac.authorization.k8s.io';
    const roleRef = { apiGroup, kind: 'ClusterRole', name: 'cluster-admin' };
    const subjects = ['jane', 'joe'].map((name) => ({ apiGroup, kind: 'User', name }));
    await client.create(ClusterRoleBindings, { metadata: { name: 'everything' }, roleRef, subjects });
  }

  /** Jane may do what she likes, and asks for something that takes until she finishes it. */
  async function busyWithJane(on: TestControlPlane) {
    await everybodyMayEverything(on);
    const first = await ask(on, 'jane', configMaps, { create: 'first' });
    await on.eventually('the first is being answered', async () =>
      /inflight_requests{request_kind="mutating"} 1/.test(await metricsOf(on)),
    );
    return first;
  }

  async function waiting(on: TestControlPlane): Promise<number> {
    return Number(/inqueue_requests{request_kind="mutating"} (\d+)/.exec(await metricsOf(on))?.[1]);
  }

  const names = (count: number) => Array.from({ length: count }, (_, number) => `janes-${number}`);
  const revision = ({ metadata }: ConfigMap) => Number(metadata?.resourceVersion);

  const metricsOf = async (on: TestControlPlane) =>
    (await (await ask(on, 'admin', '/metrics', { groups: ['system:masters'] })).answered).body;

  it('lets what is too much wait its turn, and always answers the administrator, who only reads, and who asks for its health', async () => {
    const on = await start({ maxMutatingRequestsInFlight: 1 });
    const first = await busyWithJane(on);
    const second = await ask(on, 'jane', configMaps, { create: 'second' });
    second.finish();
    await on.eventually('the second waits', async () => (await waiting(on)) === 1);
    expect(await (await ask(on, 'jane', configMaps)).answered).toMatchObject({ code: 200 });
    expect(await (await ask(on, 'jane', '/readyz')).answered).toMatchObject({ code: 200 });
    await on.client.create(ConfigMaps, { metadata: { name: 'administrators', namespace: 'default' } });
    expect(await waiting(on)).toBe(1);
    first.finish();
    expect(await first.answered).toMatchObject({ code: 201 });
    expect(await second.answered).toMatchObject({ code: 201 });
    expect(await waiting(on)).toBe(0);
  });

  it('gives every user a turn, however many requests of somebody else came before', async () => {
    const on = await start({ maxMutatingRequestsInFlight: 1 });
    const first = await busyWithJane(on);
    const several = await Promise.all(names(10).map((create) => ask(on, 'jane', configMaps, { create })));
    for (const { finish } of several) finish();
    await on.eventually('all of jane’s wait', async () => (await waiting(on)) === 10);
    const one = await ask(on, 'joe', configMaps, { create: 'joes' });
    one.finish();
    await on.eventually('joe’s waits, too', async () => (await waiting(on)) === 11);
    first.finish();
    await Promise.all([...several, one].map(({ answered }) => answered));
    const { items } = await on.client.list(ConfigMaps, { namespace: 'default' });
    const inOrder = items.filter(({ metadata }) => /^(jane|joe)s/.test(metadata?.name ?? '')).sort((a, b) => revision(a) - revision(b));
    expect(inOrder.findIndex(({ metadata }) => metadata?.name === 'joes')).toBeLessThanOrEqual(1);
  });

  it('refuses what does not fit into a user’s line, says when to come back, and leaves the lines of others as they are', async () => {
    const on = await start({ maxMutatingRequestsInFlight: 1 });
    const first = await busyWithJane(on);
    const lineful = await Promise.all(names(50).map((create) => ask(on, 'jane', configMaps, { create })));
    await on.eventually('the line is full', async () => (await waiting(on)) === 50);
    const refused = await ask(on, 'jane', configMaps, { create: 'refused' });
    expect(await refused.answered).toMatchObject({
      code: 429,
      headers: { 'retry-after': '1' },
      body: 'Too many requests, please try again later.\n',
    });
    const one = await ask(on, 'joe', configMaps, { create: 'joes' });
    one.finish();
    for (const { finish } of [first, ...lineful]) finish();
    const codes = await Promise.all([first, one, ...lineful].map(async ({ answered }) => (await answered).code));
    expect(new Set(codes)).toEqual(new Set([201]));
  });

  it('forgets who went away while they waited, and lets nobody wait for longer than a quarter of the time that a request has', async () => {
    const on = await start({ maxMutatingRequestsInFlight: 1, requestTimeoutMs: 10_000 });
    const first = await busyWithJane(on);
    const gone = await ask(on, 'joe', configMaps, { create: 'gone' });
    await on.eventually('joe’s waits', async () => (await waiting(on)) === 1);
    gone.leave();
    await on.eventually('joe’s is forgotten', async () => (await waiting(on)) === 0);
    const late = await ask(on, 'joe', configMaps, { create: 'late' });
    expect(await late.answered).toMatchObject({ code: 429 });
    first.finish();
    expect(await first.answered).toMatchObject({ code: 201 });
  });

  it('gives up what takes too long, by its own limit or the client’s', async () => {
    const on = await start({ requestTimeoutMs: 400 });
    const asAdmin = { groups: ['system:masters'] };
    const timeout = { code: 504, reason: 'Timeout', message: 'Timeout: request did not complete within the allotted timeout' };
    for (const path of [configMaps, `${configMaps}?timeout=50ms`]) {
      const { answered } = await ask(on, 'admin', path, { ...asAdmin, create: 'half' });
      const { code, body } = await answered;
      expect({ code, ...JSON.parse(body) }).toMatchObject(timeout);
    }
    const nonsense = await (await ask(on, 'admin', `${configMaps}?timeout=soon`, asAdmin)).answered;
    expect(JSON.parse(nonsense.body)).toMatchObject({
      code: 400,
      message: 'invalid timeout specified in the request URL - time: invalid duration "soon"',
    });
  });

  it('lets a watch go on for as long as it likes', async () => {
    // What is asked besides must be answered in this time, on a busy machine, too.
    const requestTimeoutMs = 2000;
    const on = await start({ requestTimeoutMs, maxRequestsInFlight: 1 });
    const name = 'seen-late';
    const over = new AbortController();
    const events = on.client.watch(ConfigMaps, { namespace: 'default', fieldSelector: `metadata.name=${name}`, signal: over.signal });
    const first = events.next();
    // Longer than any other request may take.
    await on.context.clock.sleep(requestTimeoutMs + 200);
    await on.client.create(ConfigMaps, { metadata: { name, namespace: 'default' } });
    expect((await first).value).toMatchObject({ type: 'ADDED', object: { metadata: { name } } });
    expect(await metricsOf(on)).toMatch(/apiserver_longrunning_requests{verb="WATCH",.*resource="configmaps".*} 1/);
    over.abort();
    await on.eventually('the watch is over', async () => /longrunning_requests{verb="WATCH",.*"configmaps".*} 0/.test(await metricsOf(on)));
  });

  it('asks etcd only once for those who take any moment, and tells them what has changed since', async () => {
    const on = await start({});
    const read = async (path: string) => JSON.parse((await (await ask(on, 'admin', path, { groups: ['system:masters'] })).answered).body);
    const namesNow = async () => (await read(`${configMaps}?resourceVersion=0`)).items.map(({ metadata }: ConfigMap) => metadata?.name);
    const listsOfEtcd = async () =>
      /etcd_request_duration_seconds_count{operation="list",type="configmaps"} (\d+)/.exec(await metricsOf(on))?.[1];
    for (const name of ['b', 'c', 'd']) await on.client.create(ConfigMaps, { metadata: { name, namespace: 'default' } });
    expect(await namesNow()).toEqual(['b', 'c', 'd']);
    const before = await listsOfEtcd();
    await on.client.create(ConfigMaps, { metadata: { name: 'a', namespace: 'default' } });
    await on.client.delete(ConfigMaps, { name: 'c', namespace: 'default' });
    await on.eventually('both changes show', async () => (await namesNow()).join() === 'a,b,d');
    expect((await read('/api/v1/namespaces/kube-public/configmaps?resourceVersion=0')).items).toEqual([]);
    const { items, metadata } = await read(`${configMaps}?resourceVersion=0&fieldSelector=metadata.name%3Db`);
    expect(items).toHaveLength(1);
    expect(Number(metadata.resourceVersion)).toBeGreaterThan(Number(items[0].metadata.resourceVersion));
    expect(await listsOfEtcd()).toBe(before);
  });

  it('answers what it was asked before it stops', async () => {
    const on = await start({});
    const { answered, finish } = await ask(on, 'admin', configMaps, { create: 'last', groups: ['system:masters'] });
    await on.eventually('it is being answered', async () => /inflight_requests{request_kind="mutating"} 1/.test(await metricsOf(on)));
    plane = undefined;
    const stopped = on.stop();
    finish();
    expect(await answered).toMatchObject({ code: 201 });
    await stopped;
  });

  describe('tells', () => {
    it('how many requests it answered, how, and in what time', async () => {
      const on = await start({});
      const createsInEtcd = (metrics: string) =>
        Number(/etcd_request_duration_seconds_count{operation="create",type="configmaps"} (\d+)/.exec(metrics)?.[1]);
      const before = createsInEtcd(await metricsOf(on));
      await on.client.create(ConfigMaps, { metadata: { name: 'counted', namespace: 'default' } });
      await on.client.list(ConfigMaps, { namespace: 'default' });
      await ask(on, 'jane', configMaps).then(({ answered }) => answered);
      const metrics = await metricsOf(on);
      const labels = 'group="",version="v1",resource="configmaps",subresource=""';
      for (const line of [
        `apiserver_request_total{code="201",verb="POST",${labels},scope="resource",component="apiserver",dry_run=""} 1`,
        `apiserver_request_total{code="403",verb="LIST",${labels},scope="namespace",component="apiserver",dry_run=""} 1`,
        `apiserver_request_duration_seconds_count{verb="LIST",${labels},scope="namespace",component="apiserver",dry_run=""} 2`,
      ])
        expect(metrics).toContain(`${line}\n`);
      expect(createsInEtcd(metrics)).toBe(before + 1);
      const lines = metrics.split('\n').filter((line) => line.includes('duration_seconds_bucket') && line.includes('verb="POST"'));
      const counts = lines.map((line) => Number(line.split(' ').at(-1)));
      expect(counts).toEqual([...counts].sort((one, other) => one - other));
      expect(lines.at(-1)).toContain('le="+Inf"');
      for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_start_time_seconds'])
        expect(metrics).toMatch(new RegExp(`^${name} [\\d.]+(e\\+\\d+)?$`, 'm'));
    });

    it('whether it is well, check by check', async () => {
      const on = await start({});
      const read = async (path: string) => (await ask(on, 'admin', path, { groups: ['system:masters'] })).answered;
      expect(await read('/readyz')).toMatchObject({ code: 200, body: 'ok' });
      expect((await read('/readyz?verbose')).body).toBe(
        '[+]ping ok\n[+]etcd ok\n[+]poststarthook/rbac/bootstrap-roles ok\n[+]shutdown ok\nreadyz check passed\n',
      );
      expect((await read('/livez/ping')).body).toBe('ok');
      expect((await read('/livez/none')).code).toBe(404);
    });

    it('who signs its tokens, and with which key', async () => {
      const on = await start({});
      const read = async (path: string) => JSON.parse((await (await ask(on, 'admin', path, { groups: ['system:masters'] })).answered).body);
      const issuer = 'https://kubernetes.default.svc.cluster.local';
      expect(await read('/.well-known/openid-configuration')).toEqual({
        issuer,
        jwks_uri: `${issuer}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['ES256'],
      });
      const { keys } = await read('/openid/v1/jwks');
      expect(keys).toEqual([expect.objectContaining({ use: 'sig', kty: 'EC', crv: 'P-256', alg: 'ES256', kid: expect.any(String) })]);
      expect(keys[0]).not.toHaveProperty('d');
    });
  });
});
