// How much memory is really kept: garbage does not count.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Smaller changes are the engine's own. Bytes. */
const still = 64 * 1024;

/** When all that nobody can reach any more is gone: it goes in the background, so until the number stays the same. */
export async function memoryKept(of: (usage: NodeJS.MemoryUsage) => number): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  let least = Number.POSITIVE_INFINITY;
  for (let same = 0; same < 3; same++) {
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    const used = of(process.memoryUsage());
    if (used < least - still) same = 0;
    least = Math.min(least, used);
  }
  return least;
}
