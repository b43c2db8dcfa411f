// Our etcd beside the real one: the same machine, disk and client, in turns, so that what disturbs the one disturbs the other. What is
// quoted is the ratio: above 1, ours is better.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { benchGrowth } from './etcd/growth.ts';
import type { Content, Found, Job } from './etcd/load.ts';
import { type Kind, type MeasuredServer, startMeasured } from './etcd/servers.ts';
import { type Row, ratioRow } from './statistics.ts';

export interface EtcdBenchOptions {
  rounds: number;
  /** A tenth of the data, a third of the time: to see that everything works. */
  quick: boolean;
}

type JobWithoutServer = Job extends infer Each ? (Each extends Job ? Omit<Each, 'url'> : never) : never;

interface Measurement {
  what: string;
  unit: string;
  lowerIsBetter: boolean;
  job: JobWithoutServer;
  read: (found: Found) => number;
}

/** Runs the load in a process of its own. */
export function load(job: Job): Promise<Found> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'etcd', 'load.ts'), JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (text) => {
      output += text;
    });
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(output)) : reject(new Error(`the load ended with ${code}`))));
  });
}

export async function benchEtcd({ rounds, quick }: EtcdBenchOptions): Promise<Row[]> {
  const seconds = quick ? 0.4 : 0.8;
  const parts = [
    () => benchSpeed(rounds, seconds),
    () => benchMemory(quick),
    () => benchRecovery(quick),
    () => benchGrowth({ rounds, quick, load }),
  ];
  const all: Row[] = [];
  for (const part of parts) {
    const rows = await part();
    // It takes minutes: who waits sees what is there already.
    for (const { what, measured } of rows) process.stderr.write(`${what}: ${measured}\n`);
    all.push(...rows);
  }
  return all;
}

function measurements(seconds: number): Measurement[] {
  const puts = (clients: number): Measurement => ({
    what: `puts/s, ${clients} ${clients === 1 ? 'client' : 'clients'}`,
    unit: '/s',
    lowerIsBetter: false,
    job: { kind: 'puts', clients, seconds, keys: 10_000, valueBytes: 200 },
    read: ({ perSecond }) => perSecond,
  });
  const ranges = (serializable: boolean): Measurement => ({
    what: `${serializable ? 'serializable' : 'linearizable'} ranges/s, 50 clients`,
    unit: '/s',
    lowerIsBetter: false,
    job: { kind: 'ranges', clients: 50, seconds, keys: 10_000, serializable },
    read: ({ perSecond }) => perSecond,
  });
  const watch = (watchers: number, percentile: 'p50' | 'p99'): Measurement => ({
    what: `put to event, ${watchers} ${watchers === 1 ? 'watcher' : 'watchers'}, ${percentile}`,
    unit: ' ms',
    lowerIsBetter: true,
    job: { kind: 'watch', clients: Math.min(watchers, 10) + 1, seconds: seconds * 1.5, watchers },
    read: (found) => found[percentile],
  });
  return [
    puts(1),
    puts(50),
    puts(200),
    ranges(false),
    ranges(true),
    watch(1, 'p50'),
    watch(1, 'p99'),
    watch(1000, 'p50'),
    watch(1000, 'p99'),
  ];
}

async function benchSpeed(rounds: number, seconds: number): Promise<Row[]> {
  const kinds: Kind[] = ['etcd', 'lean', 'grpc-js'];
  const servers: MeasuredServer[] = [];
  try {
    for (const kind of kinds) servers.push(await startMeasured(kind));
    // Code that has never run is slow anywhere, and slowest where it is compiled as it runs.
    for (const { url } of servers) await load({ url, kind: 'fill', clients: 20, depth: 2, count: 10_000, keys: 10_000, valueBytes: 200 });
    const all = measurements(seconds);
    /** By job, then by server: what each round found. */
    const found = new Map<string, Record<Kind, Found[]>>();
    for (let round = 0; round < rounds; round++) {
      for (const job of new Map(all.map((each) => [JSON.stringify(each.job), each.job])).values()) {
        const results = found.get(JSON.stringify(job)) ?? { etcd: [], lean: [], 'grpc-js': [] };
        found.set(JSON.stringify(job), results);
        // Each round begins with another one.
        for (let turn = 0; turn < servers.length; turn++) {
          const server = servers[(turn + round) % servers.length] as MeasuredServer;
          results[server.kind].push(await load({ ...job, url: server.url } as Job));
        }
      }
    }
    const rowsOf = (kind: Kind, label: string, goal: string) =>
      all.map((each) => {
        const results = found.get(JSON.stringify(each.job)) as Record<Kind, Found[]>;
        return ratioRow(`${each.what}${label}`, each, results[kind].map(each.read), results.etcd.map(each.read), goal);
      });
    return [...rowsOf('lean', '', '≥ 1'), ...rowsOf('grpc-js', ' (grpc-js)', '')];
  } finally {
    for (const server of servers) await server.stop();
  }
}

/** With values that say little new, as those of Kubernetes do, and with values that cannot be stored in less. */
async function benchMemory(quick: boolean): Promise<Row[]> {
  return [await benchMemoryOf('leases', quick), await benchMemoryOf('noise', quick)];
}

/** Both are filled at the same time: it is not their speed that is looked at. */
async function benchMemoryOf(content: Content, quick: boolean): Promise<Row> {
  const keys = quick ? 10_000 : 100_000;
  const count = keys * 10;
  const [ours, theirs] = await Promise.all(
    (['lean', 'etcd'] as const).map(async (kind) => {
      const server = await startMeasured(kind);
      try {
        await load({ url: server.url, kind: 'fill', clients: 20, depth: 5, count, keys, valueBytes: 200, content });
        return await server.residentMegabytes();
      } finally {
        await server.stop();
      }
    }),
  );
  const what = `memory, ${keys.toLocaleString('en')} keys, ${count.toLocaleString('en')} revisions, ${content}`;
  return ratioRow(what, { unit: ' MB', lowerIsBetter: true }, [ours ?? Number.NaN], [theirs ?? Number.NaN]);
}

async function benchRecovery(quick: boolean): Promise<Row[]> {
  // A request just fits into one frame.
  const valueBytes = 16_000;
  const megabytes = quick ? 50 : 500;
  const count = Math.floor((megabytes * 1_000_000) / valueBytes);
  const elapsed: Record<string, number[]> = { lean: [], etcd: [] };
  for (const kind of ['lean', 'etcd'] as const) {
    const server = await startMeasured(kind, { keepsLog: true });
    try {
      await load({ url: server.url, kind: 'fill', clients: 20, depth: 1, count, keys: 1000, valueBytes });
      for (let round = 0; round < 3; round++) elapsed[kind]?.push(await server.crash());
    } finally {
      await server.stop();
    }
  }
  return [ratioRow(`recovery of a log of ${megabytes} MB`, { unit: ' s', lowerIsBetter: true }, elapsed.lean ?? [], elapsed.etcd ?? [])];
}
