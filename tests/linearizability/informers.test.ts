// Informers while everything breaks that can: etcd is killed, forgets its history, the API server is killed, a connection is cut or silent.
// What they tell is a story that can have been; and when it is quiet again, each holds exactly what there is. KATA_FAULTS=100 goes on for
// longer, KATA_SEED chooses other faults.

import { describe, expect, it } from '@jest/globals';
import { Informer } from '#controller-manager/informer';
import { type ConfigMap, ConfigMaps, keyOf } from '#kit/api';
import { seededRandom } from '#kit/clock';
import { silentLogger } from '#kit/log';
import { FastClock } from '#kit/testing/fast-clock';
import { eventually } from '#kit/testing/wait';
import { FaultyApiServer } from './faulty-api-server.ts';
import { allFaults, drawn, RandomFaults } from './random-faults.ts';
import { namespaces, RandomWriters } from './random-writers.ts';
import { SeenChanges } from './seen-changes.ts';

const faultCount = Number(process.env.KATA_FAULTS ?? 8);
const seed = Number(process.env.KATA_SEED ?? 5);

/** What the writers write has a side, now this, now that; what the server has for itself has none. */
const scopes = [{ labelSelector: 'side' }, { namespace: namespaces[0] as string, labelSelector: 'side' }, { labelSelector: 'side=left' }];

/** Says which of its changes come from a list. */
class ListTellingInformer extends Informer<ConfigMap> {
  onList: (replace: () => void) => void = (replace) => replace();

  override replaced(objects: ConfigMap[]): void {
    this.onList(() => super.replaced(objects));
  }
}

describe('informers', () => {
  it(
    `hold what there is, whatever happened (${faultCount} faults, seed ${seed})`,
    async () => {
      const server = await FaultyApiServer.start();
      const random = seededRandom(seed);
      const writers = new RandomWriters(server.clients.writing, seededRandom(seed + 1), 4);
      const faults = new RandomFaults(server, writers, seed);
      const followed = scopes.map((scope) => {
        const context = { clock: new FastClock(10), random, log: silentLogger };
        const informer = new ListTellingInformer(server.clients.watching, ConfigMaps, context, scope);
        const seen = new SeenChanges(writers.outcomes, scope.labelSelector === 'side');
        informer.onChange(seen);
        informer.onList = (replace) => seen.whileListed(replace);
        return { scope, informer, seen };
      });
      const allAreBack = () => {
        const before = followed.map(({ seen }) => seen.story.length);
        const isBack = () => followed.every(({ seen }, index) => seen.story.length > (before[index] ?? 0) + 5);
        return eventually('all informers tell more', isBack, { within: 60_000, story: () => faults.story() });
      };
      try {
        await Promise.all(followed.map(({ informer }) => informer.start()));
        await faults.happen(drawn(allFaults, faultCount, random), random, allAreBack);
        await writers.stop();
        const expectNoProblems = () => {
          const problems = followed.flatMap(({ scope, seen }) => seen.problems.map((problem) => `${JSON.stringify(scope)}: ${problem}`));
          expect({ story: faults.story(), problems }).toEqual({ story: faults.story(), problems: [] });
        };
        expectNoProblems();
        for (const { scope, informer, seen } of followed) {
          const { items } = await server.clients.writing.list(ConfigMaps, scope);
          const told = () => `${faults.story()}\nThe last that was told:\n${seen.story.slice(-20).join('\n')}`;
          await eventually(
            `the informer of ${JSON.stringify(scope)} holds what there is`,
            () => expect(contentOf(informer.list())).toEqual(contentOf(items)) === undefined,
            { within: 60_000, story: told },
          );
        }
        expectNoProblems();
      } finally {
        await Promise.all(followed.map(({ informer }) => informer.stop()));
        await writers.stop().finally(() => server.stop());
      }
    },
    60_000 + 15_000 * faultCount,
  );
});

/** By key, what an object is and holds. */
function contentOf(objects: ConfigMap[]): Record<string, string> {
  return Object.fromEntries(
    objects.map((object) => {
      const { uid, resourceVersion, labels } = object.metadata ?? {};
      return [keyOf(object), JSON.stringify({ uid, resourceVersion, labels, data: object.data })];
    }),
  );
}
