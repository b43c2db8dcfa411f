// What an operation costs when there is twice as much of something: keys, watchers, history. Ours only. Two servers, one with twice as
// much, are asked in turns; what is compared is the median latency of a single client.

import { median, type Row } from '../statistics.ts';
import type { Found, Job } from './load.ts';
import { RawClient } from './raw-client.ts';
import { type MeasuredServer, startMeasured } from './servers.ts';

export interface GrowthOptions {
  rounds: number;
  quick: boolean;
  load: (job: Job) => Promise<Found>;
}

interface Growing {
  what: string;
  amount: number;
  grow: (server: MeasuredServer, amount: number) => Promise<RawClient[]>;
}

export async function benchGrowth({ rounds, quick, load }: GrowthOptions): Promise<Row[]> {
  const share = quick ? 0.1 : 1;
  const fill = (server: MeasuredServer, count: number, keys: number) =>
    load({ url: server.url, kind: 'fill', clients: 20, depth: 5, count, keys, valueBytes: 200 });
  const growing: Growing[] = [
    {
      what: 'keys',
      amount: 50_000 * share,
      grow: async (server, keys) => {
        await fill(server, keys, keys);
        return [];
      },
    },
    {
      what: 'history',
      amount: 50_000 * share,
      grow: async (server, revisions) => {
        await fill(server, revisions, 1000);
        return [];
      },
    },
    { what: 'watchers', amount: 1000 * share, grow: addWatchers },
  ];
  const rows: Row[] = [];
  for (const each of growing) rows.push(...(await compare(each, rounds, load)));
  return rows;
}

async function compare({ what, amount, grow }: Growing, rounds: number, load: GrowthOptions['load']): Promise<Row[]> {
  const servers = [await startMeasured('lean'), await startMeasured('lean')] as const;
  const clients: RawClient[] = [];
  try {
    for (const [index, server] of servers.entries()) clients.push(...(await grow(server, amount * (index + 1))));
    const jobs = {
      put: { kind: 'puts', clients: 1, seconds: 0.5, keys: 1000, valueBytes: 200 },
      range: { kind: 'ranges', clients: 1, seconds: 0.5, keys: 1000, serializable: false },
    } as const;
    const rows: Row[] = [];
    for (const [name, job] of Object.entries(jobs)) {
      const ratios: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const before = await load({ ...job, url: servers[0].url });
        const after = await load({ ...job, url: servers[1].url });
        ratios.push(after.p50 / before.p50);
      }
      const percent = (value: number) => `${value >= 1 ? '+' : ''}${((value - 1) * 100).toFixed(0)} %`;
      rows.push({
        what: `p50 of a ${name}, ${amount.toLocaleString('en')} ${what} doubled`,
        measured: `${percent(median(ratios))} (${percent(Math.min(...ratios))} to ${percent(Math.max(...ratios))})`,
        goal: '< +10 %',
        reached: median(ratios) < 1.1,
      });
    }
    return rows;
  } finally {
    for (const client of clients) client.close();
    for (const server of servers) await server.stop();
  }
}

/** They watch keys that nobody writes. */
async function addWatchers({ url }: MeasuredServer, watchers: number): Promise<RawClient[]> {
  const { loadProtocol, serviceOf } = await import('#etcd/protocol');
  const definition = serviceOf(loadProtocol(Number), 'Watch').Watch;
  if (!definition) throw new TypeError('the protocol has no watch');
  const clients = await Promise.all(Array.from({ length: 10 }, () => RawClient.connect(url)));
  let missing = watchers;
  await new Promise<void>((resolve) => {
    for (let index = 0; index < watchers; index++) {
      const request = definition.requestSerialize({ createRequest: { key: Buffer.from(`/watched/${index}`) } });
      clients[index % clients.length]?.stream(definition.path, request, () => {
        missing -= 1;
        if (missing === 0) resolve();
      });
    }
  });
  return clients;
}
