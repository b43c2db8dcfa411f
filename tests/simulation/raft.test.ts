// Thousands of schedules, each by a seed of its own. A failure names its seed and tells its end;
// `RAFT_SEED=<seed> npx jest --config jest.solutions.config.ts --selectProjects simulation` runs that one again, with its whole story.
// With KATA_TARGET=mine it is the learner's code that is tried.

import { describe, expect, it } from '@jest/globals';
import { SimulatedCluster } from './raft-cluster.ts';

const schedules = Number(process.env.RAFT_SCHEDULES ?? 2000);
const only = process.env.RAFT_SEED;
const stepsPerSchedule = 700;

function run(seed: number, lines = 25): SimulatedCluster {
  const cluster = new SimulatedCluster(seed);
  try {
    for (let step = 0; step < stepsPerSchedule; step += 1) cluster.step();
    cluster.settle();
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).message}\n\nIts end:\n${cluster.story.slice(-lines).join('\n')}`, { cause: error });
  }
  return cluster;
}

describe('Raft under a scheduler that does its worst', () => {
  it('keeps its promises in every schedule, and finds a leader again when all is well', () => {
    if (only !== undefined) {
      run(Number(only), Number.POSITIVE_INFINITY);
      return;
    }
    const total = { elections: 0, committed: 0, reads: 0, crashes: 0, snapshots: 0, memberChanges: 0 };
    for (let seed = 1; seed <= schedules; seed += 1) {
      const { counts } = run(seed);
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += counts[name];
    }
    // A schedule in which nothing happens proves nothing.
    for (const [name, count] of Object.entries(total)) expect([name, count >= schedules / 20]).toEqual([name, true]);
  }, 60_000);

  it('does the same again for the same seed', () => {
    expect(run(7).story).toEqual(run(7).story);
  });
});
