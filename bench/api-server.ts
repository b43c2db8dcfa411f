// Our API server beside the real one: the same machine, kind of etcd and client, in turns, so that what disturbs the one disturbs the other.
// What is quoted is the ratio: above 1, ours is better.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Found, Job, Percentiles } from './api-server/load.ts';
import { type MeasuredApiServer, startApiServer } from './api-server/servers.ts';
import { median, type Row, ratioRow } from './statistics.ts';

export interface ApiServerBenchOptions {
  rounds: number;
  /** A tenth of the data, less time: to see that everything works. */
  quick: boolean;
  /** The real kube-apiserver: a path, or a name on the PATH. */
  program: string;
}

interface Measurement {
  what: string;
  unit: string;
  lowerIsBetter: boolean;
  job: Job;
  read: (found: Found) => number;
  /** Milliseconds that Kubernetes promises; absent: to be as good as the real one. */
  promise?: number;
}

const goalOf = (promise: number) => `≤ ${promise / 1000} s`;

export async function benchApiServer({ rounds, quick, program }: ApiServerBenchOptions): Promise<Row[]> {
  const servers: MeasuredApiServer[] = [];
  const pods = quick ? 1000 : 10_000;
  const told = (row: Row) => {
    // It takes minutes: who waits sees what is there already.
    process.stderr.write(`${row.what}: ${row.measured}\n`);
    return row;
  };
  try {
    for (const start of [() => startApiServer(), () => startApiServer(program)]) servers.push(await start());
    const filling = await inTurns(servers, 1, async (server) => {
      const before = await server.processorTime();
      await run(server, { kind: 'fill', count: pods });
      return ((await server.processorTime()) - before) / pods;
    });
    const rows = [told(ratioRow('processor time of a create, 20 clients', lower(' ms'), filling.ours, filling.theirs))];
    rows.push(...(await benchCalls(servers, measurements(pods, quick), rounds, told)));
    const memory = await inTurns(servers, 1, (server) => server.residentMegabytes());
    rows.push(
      told(ratioRow(`memory after all that, ${pods.toLocaleString('en')} pods and more`, lower(' MB'), memory.ours, memory.theirs)),
    );
    const starts = await inTurns(servers, rounds, (server) => server.restart());
    rows.push(told(ratioRow('start to ready, with all these pods', lower(' s'), starts.ours, starts.theirs)));
    const fresh = await inTurns(servers, 1, async (server) => {
      await run(server, { kind: 'lists', as: 'JSON', times: 2 });
      return server.residentMegabytes();
    });
    rows.push(told(ratioRow('memory, just started, all pods listed three times', lower(' MB'), fresh.ours, fresh.theirs)));
    return rows;
  } finally {
    for (const server of servers) await server.stop();
  }
}

const lower = (unit: string) => ({ unit, lowerIsBetter: true });

function measurements(pods: number, quick: boolean): Measurement[] {
  const seconds = quick ? 0.5 : 3;
  const watchers = quick ? 100 : 1000;
  const rate = (kind: 'creates' | 'gets', clients: number): Measurement => ({
    what: `${kind}/s, ${clients} ${clients === 1 ? 'client' : 'clients'}`,
    unit: '/s',
    lowerIsBetter: false,
    job: { kind, clients, seconds },
    read: ({ perSecond }) => perSecond,
  });
  const list = (as: 'JSON' | 'Table'): Measurement => ({
    what: `list of ${pods.toLocaleString('en')} pods, ${as}`,
    ...lower(' ms'),
    job: { kind: 'lists', as, times: quick ? 2 : 5 },
    read: ({ calls }) => calls.p50,
  });
  const fanOut = (percentile: keyof Percentiles): Measurement => ({
    what: `change to event, ${watchers.toLocaleString('en')} watchers, ${percentile}`,
    ...lower(' ms'),
    job: { kind: 'fan-out', watchers, times: quick ? 5 : 40 },
    read: ({ calls }) => calls[percentile],
  });
  const busy = (kind: 'write' | 'get' | 'list', what: string, promise: number): Measurement => ({
    what: `p99 of ${what}, ${watchers.toLocaleString('en')} watchers and 200 writes/s`,
    ...lower(' ms'),
    job: { kind: 'busy', watchers, writesPerSecond: 200, seconds: quick ? 1 : 8 },
    read: (found) => found[kind]?.p99 ?? Number.NaN,
    promise,
  });
  return [
    rate('creates', 1),
    rate('creates', 20),
    rate('gets', 1),
    rate('gets', 20),
    list('JSON'),
    list('Table'),
    fanOut('p50'),
    fanOut('p99'),
    busy('write', 'a write', 1000),
    busy('get', 'a get', 1000),
    busy('list', 'a list of 500', 30_000),
  ];
}

async function benchCalls(servers: MeasuredApiServer[], all: Measurement[], rounds: number, told: (row: Row) => Row): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [text, those] of Map.groupBy(all, ({ job }) => JSON.stringify(job))) {
    const found = await inTurns(servers, rounds, (server) => run(server, JSON.parse(text) as Job));
    for (const { what, read, promise, ...how } of those) {
      const ours = found.ours.map(read);
      const row = ratioRow(what, how, ours, found.theirs.map(read));
      rows.push(told(promise === undefined ? row : { ...row, goal: goalOf(promise), reached: median(ours) <= promise }));
    }
  }
  return rows;
}

/** Each round begins with the other one. */
async function inTurns<T>(
  servers: MeasuredApiServer[],
  rounds: number,
  measure: (server: MeasuredApiServer) => Promise<T>,
): Promise<{ ours: T[]; theirs: T[] }> {
  const found = { ours: [] as T[], theirs: [] as T[] };
  for (let round = 0; round < rounds; round++) {
    for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
      found[server.isOurs ? 'ours' : 'theirs'].push(await measure(server));
    }
  }
  return found;
}

/** Runs a job in a process of its own. */
async function run({ url, tls }: MeasuredApiServer, job: Job): Promise<Found> {
  const child = fork(join(import.meta.dirname, 'api-server', 'load.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  child.send({ server: { url, tls }, job });
  const [found] = (await Promise.race([once(child, 'message'), ended])) as [Found];
  if (typeof found !== 'object' || found === null) throw new Error(`the load (${job.kind}) ended without a result`);
  await ended;
  return found;
}
