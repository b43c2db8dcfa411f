// The load, as a process of its own: `node load.ts JOB-AS-JSON` prints what it found as JSON. A client is a connection with one request
// under way; it sends the next when the answer is there.

import { createHash, randomBytes, randomInt } from 'node:crypto';
import { loadProtocol, serviceOf } from '#etcd/protocol';
import { RawClient } from './raw-client.ts';

export type Job = { url: string; clients: number } & (
  | { kind: 'puts'; seconds: number; keys: number; valueBytes: number }
  | { kind: 'fill'; count: number; keys: number; valueBytes: number; depth: number; content?: Content }
  | { kind: 'ranges'; seconds: number; keys: number; serializable: boolean }
  | { kind: 'watch'; seconds: number; watchers: number }
);

/** All the same byte, if it is not given. */
export type Content = 'leases' | 'noise';

export interface Found {
  perSecond: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

const protocol = loadProtocol(Number);
const encoderOf = (service: 'KV' | 'Watch', method: string) => {
  const definition = serviceOf(protocol, service)[method];
  if (!definition) throw new TypeError(`no method ${method}`);
  return { path: definition.path, encode: definition.requestSerialize };
};
const put = encoderOf('KV', 'Put');
const range = encoderOf('KV', 'Range');
const watch = encoderOf('Watch', 'Watch');

/** What comes in the first half second does not count: both have code to load, or to compile. */
const warmUpMs = 500;

/** All keys have the same length. */
const keyOf = (index: number) => Buffer.from(`/bench/${String(index).padStart(10, '0')}`);

/** Encodes once; then only the key's digits are changed. */
function requestsOf(template: Buffer): (index: number) => Buffer {
  const at = template.indexOf(keyOf(0));
  return (index) => {
    const request = Buffer.from(template);
    keyOf(index).copy(request, at);
    return request;
  };
}

async function main(job: Job): Promise<Found> {
  const clients = await Promise.all(Array.from({ length: job.clients }, () => RawClient.connect(job.url)));
  try {
    if (job.kind === 'watch') return await watching(clients, job);
    if (job.kind === 'fill') return await filling(clients, job);
    const requests = job.kind === 'puts' ? putRequests(job.valueBytes) : rangeRequests(job.serializable);
    const { path } = job.kind === 'puts' ? put : range;
    return await sending(clients, job.seconds, (client, turn) => client.call(path, requests((turn * 7919) % job.keys)));
  } finally {
    for (const client of clients) client.close();
  }
}

function putRequests(valueBytes: number) {
  return requestsOf(put.encode({ key: keyOf(0), value: Buffer.alloc(valueBytes, 'v') }));
}

function rangeRequests(serializable: boolean) {
  return requestsOf(range.encode({ key: keyOf(0), serializable }));
}

async function sending(clients: RawClient[], seconds: number, send: (client: RawClient, turn: number) => Promise<unknown>): Promise<Found> {
  const warm = performance.now() + warmUpMs;
  const end = warm + seconds * 1000;
  const latencies: number[] = [];
  let turn = 0;
  const loop = async (client: RawClient) => {
    for (let now = performance.now(); now < end; ) {
      await send(client, turn++);
      const after = performance.now();
      if (now >= warm && after <= end) latencies.push(after - now);
      now = after;
    }
  };
  await Promise.all(clients.map(loop));
  return { perSecond: latencies.length / seconds, ...percentiles(latencies) };
}

/** What nodes write all the time: Kubernetes' Lease objects, each node with its own id, each time with another time. */
function lease(node: number): Buffer {
  const name = `node-${node}`;
  const uid = createHash('md5')
    .update(name)
    .digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const renewTime = new Date(1.7e12 + randomInt(2 ** 40)).toISOString().replace('Z', `${randomInt(100, 1000)}Z`);
  const metadata = { name, namespace: 'kube-node-lease', uid };
  const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime };
  return Buffer.from(JSON.stringify({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }));
}

function contentRequests(content: Content, valueBytes: number) {
  return (index: number) => put.encode({ key: keyOf(index), value: content === 'leases' ? lease(index) : randomBytes(valueBytes) });
}

async function filling(clients: RawClient[], job: Extract<Job, { kind: 'fill' }>): Promise<Found> {
  const { count, keys, valueBytes, depth, content } = job;
  const requests = content ? contentRequests(content, valueBytes) : putRequests(valueBytes);
  const start = performance.now();
  let turn = 0;
  const loop = async (client: RawClient) => {
    while (turn < count) await client.call(put.path, requests(turn++ % keys));
  };
  await Promise.all(clients.flatMap((client) => Array.from({ length: depth }, () => loop(client))));
  return { perSecond: count / ((performance.now() - start) / 1000), p50: 0, p99: 0 };
}

/** From the moment a put is sent to the moment a watcher of its key is told. The next put waits until all were told. */
async function watching(clients: RawClient[], { seconds, watchers }: Extract<Job, { kind: 'watch' }>): Promise<Found> {
  const [putter, ...others] = clients as [RawClient, ...RawClient[]];
  const latencies: number[] = [];
  let sentAt = 0;
  let missing = watchers;
  let allTold = Promise.withResolvers<void>();
  const told = () => {
    if (sentAt > 0) latencies.push(performance.now() - sentAt);
    missing -= 1;
    if (missing === 0) allTold.resolve();
  };
  const request = watch.encode({ createRequest: { key: keyOf(0) } });
  for (let index = 0; index < watchers; index++) others[index % others.length]?.stream(watch.path, request, told);
  // The first message on each says that the watch is there.
  await allTold.promise;
  const requests = putRequests(200);
  const warm = performance.now() + warmUpMs;
  const end = warm + seconds * 1000;
  let isWarm = false;
  while (performance.now() < end) {
    if (!isWarm && performance.now() >= warm) {
      isWarm = true;
      latencies.length = 0;
    }
    missing = watchers;
    allTold = Promise.withResolvers();
    sentAt = performance.now();
    await Promise.all([putter.call(put.path, requests(0)), allTold.promise]);
  }
  return { perSecond: latencies.length / seconds, ...percentiles(latencies) };
}

function percentiles(values: number[]): { p50: number; p99: number } {
  const sorted = values.sort((left, right) => left - right);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

process.stdout.write(JSON.stringify(await main(JSON.parse(process.argv[2] ?? '') as Job)));
process.exit();
