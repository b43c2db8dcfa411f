// Writers and watchers at random, while everything breaks that can, held against what the keys of etcd went through: every write that was
// acknowledged counts, once, on top of what was there; every list is one moment of it, and every watch its film from there, without a gap,
// a repetition or a change of order. KATA_FAULTS=100 goes on for longer, KATA_SEED chooses other faults.

import { describe, expect, it } from '@jest/globals';
import { ConfigMaps } from '#kit/api';
import { seededRandom } from '#kit/clock';
import { eventually } from '#kit/testing/wait';
import { FaultyApiServer } from './faulty-api-server.ts';
import { FollowedWatch, problemsOf } from './followed-watch.ts';
import { drawn, passingFaults, RandomFaults } from './random-faults.ts';
import { namespaces, RandomWriters } from './random-writers.ts';
import { lostWrites, type Scope, stepsOf } from './written-history.ts';

const faultCount = Number(process.env.KATA_FAULTS ?? 8);
const seed = Number(process.env.KATA_SEED ?? 5);
const [namespace] = namespaces as [string];
const scopes: Scope[] = [
  { labelSelector: 'side' },
  { labelSelector: 'side' },
  { labelSelector: 'side=left' },
  { namespace, labelSelector: 'side' },
  { namespace, labelSelector: 'side=left' },
];

describe('what is written', () => {
  it(
    `is told to all as it was (${faultCount} faults, seed ${seed})`,
    async () => {
      const server = await FaultyApiServer.start();
      const random = seededRandom(seed);
      const writers = new RandomWriters(server.clients.writing, seededRandom(seed + 1), 6);
      const faults = new RandomFaults(server, writers, seed);
      const watches = scopes.map((scope, index) => new FollowedWatch(server.clients.watching, scope, seededRandom(seed + 10 + index)));
      const allAreBack = () => {
        const before = watches.map(({ revision }) => revision);
        const isBack = () => watches.every(({ revision }, index) => revision > (before[index] ?? 0) + 5);
        return eventually('all watches tell more', isBack, { within: 60_000, story: () => faults.story() });
      };
      try {
        await faults.happen(drawn(passingFaults, faultCount, random), random, allAreBack);
        await writers.stop();
        // What all of them see, and etcd tells last.
        const marked = { name: 'the-end', namespace, labels: { side: 'left' } };
        const { metadata } = await server.clients.writing.create(ConfigMaps, { metadata: marked, data: { end: '' } });
        const last = Number(metadata?.resourceVersion);
        for (const watch of watches) {
          const told = () => JSON.stringify(watch.films.at(-1)?.told.slice(-5), null, 2);
          await eventually(`${JSON.stringify(watch.scope)} is told up to ${last}`, () => watch.revision >= last, {
            within: 60_000,
            story: told,
          });
        }
        await Promise.all(watches.map((watch) => watch.stop()));

        const steps = stepsOf(await server.history('/registry/configmaps/', last));
        expect(steps.length).toBeGreaterThan(20 * faultCount);
        const lost = lostWrites(steps, writers.outcomes.set('end', 'acknowledged'), writers.deleted);
        expect({ story: faults.story(), lost: lost.slice(0, 10) }).toEqual({ story: faults.story(), lost: [] });
        const untrue = watches.flatMap(({ scope, films }) => films.flatMap((film) => problemsOf(film, steps, scope)));
        expect({ story: faults.story(), untrue: untrue.slice(0, 10) }).toEqual({ story: faults.story(), untrue: [] });
      } finally {
        await Promise.all(watches.map((watch) => watch.stop()));
        await writers.stop().finally(() => server.stop());
      }
    },
    60_000 + 15_000 * faultCount,
  );
});
