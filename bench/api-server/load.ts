// The load, as a process of its own that is given a job and tells what it found. Pods are what it writes and reads: every cluster is full
// of them, and nothing else has as many rules.

import { systemClock } from '#kit/clock';
import type { ClientTls } from '#kit/component';
import { Connection } from './connection.ts';

export type Job =
  | { kind: 'fill'; count: number }
  | { kind: 'creates' | 'gets'; clients: number; seconds: number }
  | { kind: 'lists'; as: keyof typeof listsAs; times: number }
  | { kind: 'fan-out'; watchers: number; times: number }
  | { kind: 'busy'; watchers: number; writesPerSecond: number; seconds: number };

export interface Server {
  url: string;
  tls: ClientTls;
}

/** Milliseconds; the calls of `busy` one by one, all others as `calls`. */
export interface Found {
  perSecond: number;
  calls: Percentiles;
  write?: Percentiles;
  get?: Percentiles;
  list?: Percentiles;
}

export interface Percentiles {
  p50: number;
  p99: number;
}

const listsAs = { JSON: 'application/json', Table: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
const full = '/api/v1/namespaces/full/pods';
const others = '/api/v1/namespaces/default/pods';
/** As many nodes as there may be watchers. */
const nodes = 1000;
/** What comes in the first half second does not count: both have code to load, or to compile. */
const warmUpMs = 500;

const nameOf = (index: number) => `web-${String(index).padStart(6, '0')}`;

function pod(name: string, node?: number): string {
  const resources = { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } };
  const containers = [
    { name: 'web', image: 'nginx:1.27', ports: [{ containerPort: 80 }], env: [{ name: 'MODE', value: 'fast' }], resources },
  ];
  const metadata = { name, labels: { app: 'web', tier: 'front' } };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: { containers, ...(node === undefined ? {} : { nodeName: `node-${node}` }) },
  });
}

const create = (path: string, body: string) => ({ method: 'POST', path, body, headers: { 'content-type': 'application/json' } });
const merge = (path: string, patch: object) => ({
  method: 'PATCH',
  path,
  body: JSON.stringify(patch),
  headers: { 'content-type': 'application/merge-patch+json' },
});

type Open = (count: number, begin?: (connection: Connection, index: number) => Promise<void>) => Promise<Connection[]>;

async function main(server: Server, job: Job): Promise<Found> {
  const opened: Connection[] = [];
  /** What begins on a connection begins at once: a server may close one on which nothing comes. */
  const open = async (count: number, begin: (connection: Connection, index: number) => Promise<void> = async () => {}) => {
    const connections: Connection[] = [];
    for (let index = 0; index < count; index++) {
      const connection = await Connection.connect(server.url, server.tls);
      opened.push(connection);
      connections.push(connection);
      await begin(connection, index);
    }
    return connections;
  };
  try {
    if (job.kind === 'fill') return await fill(await open(20), job.count);
    if (job.kind === 'lists') return await lists((await open(1)) as [Connection], job.as, job.times);
    if (job.kind === 'fan-out') return await fanOut(open, job);
    if (job.kind === 'busy') return await busy(open, job);
    const run = job.kind === 'creates' ? creating() : getting();
    return await steadily(await open(job.clients), job.seconds, run);
  } finally {
    for (const connection of opened) connection.close();
  }
}

async function fill(connections: Connection[], count: number): Promise<Found> {
  const [first] = connections;
  await first?.request(create('/api/v1/namespaces', JSON.stringify({ metadata: { name: 'full' } })));
  let next = 0;
  const loop = async (connection: Connection) => {
    for (let index = next++; index < count; index = next++) await connection.request(create(full, pod(nameOf(index), index % nodes)));
  };
  const startedAt = performance.now();
  await Promise.all(connections.map(loop));
  const elapsed = performance.now() - startedAt;
  return { perSecond: (count / elapsed) * 1000, calls: { p50: elapsed, p99: elapsed } };
}

function creating() {
  const prefix = `new-${process.pid}-${Math.floor(performance.timeOrigin)}`;
  let next = 0;
  return (connection: Connection) => connection.request(create(others, pod(`${prefix}-${next++}`)));
}

function getting() {
  let next = 0;
  return (connection: Connection) => connection.request({ method: 'GET', path: `${full}/${nameOf((next++ * 7919) % 1000)}` });
}

async function steadily(connections: Connection[], seconds: number, call: (connection: Connection) => Promise<unknown>): Promise<Found> {
  const warm = performance.now() + warmUpMs;
  const end = warm + seconds * 1000;
  const latencies: number[] = [];
  const loop = async (connection: Connection) => {
    for (let now = performance.now(); now < end; ) {
      await call(connection);
      const after = performance.now();
      if (now >= warm && after <= end) latencies.push(after - now);
      now = after;
    }
  };
  await Promise.all(connections.map(loop));
  return { perSecond: latencies.length / seconds, calls: percentiles(latencies) };
}

async function lists([connection]: [Connection], as: keyof typeof listsAs, times: number): Promise<Found> {
  const latencies: number[] = [];
  for (let time = 0; time <= times; time++) {
    const startedAt = performance.now();
    await connection.request({ method: 'GET', path: full, headers: { accept: listsAs[as] } });
    if (time > 0) latencies.push(performance.now() - startedAt);
  }
  return { perSecond: 0, calls: percentiles(latencies) };
}

/** One ConfigMap changes, everybody watches it; from the server's memory, as informers do. */
async function fanOut(open: Open, { watchers, times }: Extract<Job, { kind: 'fan-out' }>): Promise<Found> {
  const path = '/api/v1/namespaces/default/configmaps';
  const name = `news-${process.pid}`;
  const [writer] = await open(1);
  await writer?.request(create(path, JSON.stringify({ metadata: { name } })));
  const latencies: number[] = [];
  let changedAt = 0;
  let missing = watchers;
  let allTold = Promise.withResolvers<void>();
  const onEvent = () => {
    latencies.push(performance.now() - changedAt);
    missing--;
    if (missing === 0) allTold.resolve();
  };
  await open(watchers, (watcher) => watcher.watch(`${path}?watch=true&resourceVersion=0&fieldSelector=metadata.name%3D${name}`, onEvent));
  // Each is told first what there is.
  await allTold.promise;
  for (let time = 0; time < times + 3; time++) {
    if (time === 3) latencies.length = 0;
    missing = watchers;
    allTold = Promise.withResolvers();
    changedAt = performance.now();
    await Promise.all([writer?.request(merge(`${path}/${name}`, { data: { time: `${time}` } })), allTold.promise]);
  }
  return { perSecond: 0, calls: percentiles(latencies) };
}

/** Every watcher is a node that watches its pods; writes come at their times, whether those before are answered or not. */
async function busy(open: Open, job: Extract<Job, { kind: 'busy' }>): Promise<Found> {
  await open(job.watchers, (watcher, node) => {
    const selector = encodeURIComponent(`spec.nodeName=node-${node}`);
    return watcher.watch(`/api/v1/pods?watch=true&resourceVersion=0&fieldSelector=${selector}`, () => {});
  });
  const idle = await open(40);
  const found = { write: [] as number[], get: [] as number[], list: [] as number[] };
  const waiting: PromiseWithResolvers<Connection>[] = [];
  const take = async () => {
    const connection = idle.pop();
    if (connection) return connection;
    const turn = Promise.withResolvers<Connection>();
    waiting.push(turn);
    return turn.promise;
  };
  const call = async (kind: keyof typeof found, number: number) => {
    const askedAt = performance.now();
    const connection = await take();
    const one = `${full}/${nameOf((number * 7919) % 1000)}`;
    if (kind === 'write') await connection.request(merge(`${one}/status`, { status: { message: `${number}` } }));
    else await connection.request({ method: 'GET', path: kind === 'get' ? one : `${full}?limit=500` });
    found[kind].push(performance.now() - askedAt);
    const next = waiting.shift();
    if (next) next.resolve(connection);
    else idle.push(connection);
  };
  const all: Promise<void>[] = [];
  const total = Math.round(job.writesPerSecond * job.seconds);
  const startedAt = performance.now();
  for (let number = 0; number < total; number++) {
    const due = startedAt + (number * 1000) / job.writesPerSecond;
    if (due > performance.now()) await systemClock.sleep(due - performance.now());
    all.push(call('write', number));
    if (number % 2 === 0) all.push(call('get', number));
    if (number % job.writesPerSecond === 0) all.push(call('list', number));
  }
  await Promise.all(all);
  const perSecond = (total / (performance.now() - startedAt)) * 1000;
  const [write, get, list] = [percentiles(found.write), percentiles(found.get), percentiles(found.list)];
  return { perSecond, calls: write, write, get, list };
}

function percentiles(values: number[]): Percentiles {
  const sorted = values.sort((left, right) => left - right);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

process.once('message', async ({ server, job }: { server: Server; job: Job }) => {
  process.send?.(await main(server, job));
  process.disconnect();
});
