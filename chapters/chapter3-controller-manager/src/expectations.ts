// What a controller has ordered and not seen yet. Its cache lags behind its own writes: right after creating two pods it still
// shows none, and whoever believes it creates two more. So a controller writes down what it expects before it acts, crosses off
// what the informer shows, and creates or deletes nothing else before the list is empty.
// Kubernetes: pkg/controller/controller_utils.go ControllerExpectations

import type { Clock } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';

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
   */
  expectCreations(owner: string, count: number): void {
    throw new NotImplemented('3.3', 'Expect so many creations more for the owner');
  }

  /**
   * Written down before the deletions are ordered, for the same reason. By key and not by number: the names are known, and a
   * deletion is seen twice.
   */
  expectDeletions(owner: string, keys: string[]): void {
    throw new NotImplemented('3.3', 'Expect the deletion of each of these objects');
  }

  /** One creation was seen, or will not happen because the order failed. */
  creationObserved(owner: string): void {
    throw new NotImplemented('3.3', 'Cross one creation off, never below zero');
  }

  /** One deletion was seen, or will not happen. A deletion is seen more than once (deletionTimestamp set, then gone), hence the key. */
  deletionObserved(owner: string, key: string): void {
    throw new NotImplemented('3.3', "Cross this object's deletion off");
  }

  /** Whether the cache shows everything that was ordered for the owner, or the wait has taken too long. */
  satisfied(owner: string): boolean {
    throw new NotImplemented('3.3', 'Say whether nothing is expected any more, or the patience is over');
  }

  /** The owner is gone. */
  forget(owner: string): void {
    this.#expected.delete(owner);
  }
}
