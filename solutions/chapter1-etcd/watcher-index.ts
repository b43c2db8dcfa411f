// The watchers that have caught up, found by the keys they watch: a change wakes those that it concerns and asks no other. Watchers of the
// same range lie together, and those of a single key are looked up, so that a thousand watchers of a thousand keys cost one.
// etcd: server/storage/mvcc/watcher_group.go (with a tree of ranges)

import { contains, type KeyRange } from './keys.ts';
import type { Watcher } from './watcher.ts';

type Wake = () => void;

export class WatcherIndex {
  readonly #byKey = new Map<string, Map<Watcher, Wake>>();
  readonly #byRange = new Map<string, { range: KeyRange; sleepers: Map<Watcher, Wake> }>();

  /** The watcher sleeps until `wake` is called, once; it must not be in the index. */
  add(watcher: Watcher, wake: Wake): void {
    const { range } = watcher;
    if (isSingleKey(range)) {
      const sleepers = this.#byKey.get(range.from) ?? new Map<Watcher, Wake>();
      this.#byKey.set(range.from, sleepers.set(watcher, wake));
    } else {
      const group = this.#byRange.get(nameOf(range)) ?? { range, sleepers: new Map<Watcher, Wake>() };
      group.sleepers.set(watcher, wake);
      this.#byRange.set(nameOf(range), group);
    }
  }

  remove(watcher: Watcher): void {
    const { range } = watcher;
    const sleepers = isSingleKey(range) ? this.#byKey.get(range.from) : this.#byRange.get(nameOf(range))?.sleepers;
    sleepers?.delete(watcher);
    if (sleepers?.size !== 0) return;
    if (isSingleKey(range)) this.#byKey.delete(range.from);
    else this.#byRange.delete(nameOf(range));
  }

  /** Wakes all whose range has the key; to them, nothing below the revision was of interest. */
  wake(key: string, revision: number): void {
    const sleepers = this.#byKey.get(key);
    if (sleepers) this.#wakeAll(sleepers, revision);
    for (const group of this.#byRange.values()) if (contains(group.range, key)) this.#wakeAll(group.sleepers, revision);
  }

  /** Wakes everybody: what they must look at cannot be told by keys. */
  wakeEverybody(revision: number): void {
    for (const sleepers of this.#byKey.values()) this.#wakeAll(sleepers, revision);
    for (const { sleepers } of this.#byRange.values()) this.#wakeAll(sleepers, revision);
  }

  #wakeAll(sleepers: Map<Watcher, Wake>, revision: number): void {
    for (const [watcher, wake] of sleepers) {
      this.remove(watcher);
      watcher.passTo(revision);
      wake();
    }
  }
}

function isSingleKey({ from, to }: KeyRange): boolean {
  return to === `${from}\0`;
}

function nameOf({ from, to }: KeyRange): string {
  return JSON.stringify([from, to]);
}
