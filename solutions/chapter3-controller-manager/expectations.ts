// What a controller has ordered and not seen yet. Its cache lags behind its own writes: right after creating two pods it still
// shows none, and whoever believes it creates two more. So a controller writes down what it expects before it acts, crosses off
// what the informer shows, and creates or deletes nothing else before the list is empty.
// Kubernetes: pkg/controller/controller_utils.go ControllerExpectations

import type { Clock } from '#kit/clock';

interface Expected {
  creations: number;
  deletions: Set<string>;
  since: number;
}

/** After so long a missing event is taken for lost, and the cache is believed again. */
const patienceMs = 5 * 60_000;

export class Expectations {
  readonly #clock: Clock;
  readonly #expected = new Map<string, Expected>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Written down before the creations are ordered: an event can arrive before the answer does. What is expected already stays expected.
   * The patience begins when the list is begun, and anew only with a list that is begun when nothing is open or the patience is over.
   *
   * @exercise 3.3 Expect so many creations more for the owner
   */
  expectCreations(owner: string, count: number): void {
    this.#of(owner).creations += count;
  }

  /**
   * Written down before the deletions are ordered, for the same reason. By key and not by number: the names are known, and a
   * deletion is seen twice.
   *
   * @exercise 3.3 Expect the deletion of each of these objects
   */
  expectDeletions(owner: string, keys: string[]): void {
    const { deletions } = this.#of(owner);
    for (const key of keys) deletions.add(key);
  }

  /**
   * One creation was seen, or will not happen because the order failed.
   *
   * @exercise 3.3 Cross one creation off, never below zero
   */
  creationObserved(owner: string): void {
    const expected = this.#expected.get(owner);
    if (expected && expected.creations > 0) expected.creations--;
  }

  /**
   * One deletion was seen, or will not happen. A deletion is seen more than once (deletionTimestamp set, then gone), hence the key.
   *
   * @exercise 3.3 Cross this object's deletion off
   */
  deletionObserved(owner: string, key: string): void {
    this.#expected.get(owner)?.deletions.delete(key);
  }

  /**
   * Whether the cache shows everything that was ordered for the owner, or the wait has taken too long.
   *
   * @exercise 3.3 Say whether nothing is expected any more, or the patience is over
   */
  satisfied(owner: string): boolean {
    const expected = this.#expected.get(owner);
    if (!expected) return true;
    const { creations, deletions, since } = expected;
    return (creations === 0 && deletions.size === 0) || this.#clock.now() - since > patienceMs;
  }

  /** The owner is gone. */
  forget(owner: string): void {
    this.#expected.delete(owner);
  }

  /** @solution The open list of the owner; a list that is empty or too old is begun anew. */
  #of(owner: string): Expected {
    if (this.satisfied(owner)) this.#expected.set(owner, { creations: 0, deletions: new Set(), since: this.#clock.now() });
    return this.#expected.get(owner) as Expected;
  }
}
