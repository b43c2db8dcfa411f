// kill -9 at random moments: what was acknowledged is there, and nothing is that nobody has written. KATA_KILLS=200 kills more often.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { seededRandom, systemClock } from '#kit/clock';
import { EtcdClient, RpcFailure } from '#kit/testing/etcd-client';
import { withDeadline } from '#kit/testing/wait';

const kills = Number(process.env.KATA_KILLS ?? 20);
const seed = Number(process.env.KATA_SEED ?? 7);
const writers = 8;

describe('etcd, killed', () => {
  let dataDir: string;
  let child: ChildProcess | undefined;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'kubekata-etcd-'));
  });
  afterEach(async () => {
    await kill();
    await rm(dataDir, { recursive: true, force: true });
  });

  async function start(): Promise<EtcdClient> {
    child = fork(join(process.cwd(), 'tests/cluster/etcd-process.ts'), [dataDir], { execArgv: [] });
    const told = once(child, 'message') as Promise<[string]>;
    const ended = once(child, 'exit').then(([code, signal]) => Promise.reject(new Error(`etcd ended with ${code ?? signal}`)));
    const [url] = await withDeadline('etcd starts', Promise.race([told, ended]), { within: 60_000 });
    ended.catch(() => {}); // It will be killed.
    return new EtcdClient(url);
  }

  async function kill(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  it(
    `has every write that it has acknowledged, and none that nobody made (${kills} kills, seed ${seed})`,
    async () => {
      const random = seededRandom(seed);
      const acknowledged = Array<number>(writers).fill(0);
      const attempted = Array<number>(writers).fill(0);
      for (let round = 0; round <= kills; round++) {
        const client = await start();
        try {
          for (let writer = 0; writer < writers; writer++) {
            const [kv] = (await client.range({ key: `writer/${writer}` })).kvs;
            const found = Number(kv?.value ?? 0);
            const story = `round ${round}, writer ${writer}`;
            expect({ story, isThere: found >= (acknowledged[writer] as number) }).toEqual({ story, isThere: true });
            expect({ story, isInvented: found > (attempted[writer] as number) }).toEqual({ story, isInvented: false });
            expect({ story, version: kv?.version ?? 0 }).toEqual({ story, version: found });
            attempted[writer] = found;
          }
          if (round === kills) return;
          const writing = Array.from({ length: writers }, async (_, writer) => {
            while (true) {
              const next = (attempted[writer] as number) + 1;
              attempted[writer] = next;
              await client.put({ key: `writer/${writer}`, value: `${next}` });
              acknowledged[writer] = next;
            }
          });
          const stopped = Promise.allSettled(writing);
          await systemClock.sleep(5 + random() * 150);
          await kill();
          for (const outcome of await stopped) expect(outcome).toMatchObject({ reason: expect.any(RpcFailure) });
        } finally {
          client.close();
        }
      }
    },
    30_000 + kills * 6_000,
  );
});
