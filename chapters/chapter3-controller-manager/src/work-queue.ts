// The keys that need work. A key is in it once, however often it was added; a key that is being worked on is not given out
// again until done(), and is given out once more when it was added meanwhile. So many workers can share one queue, and no
// object is ever reconciled by two of them at the same time.
// Kubernetes: client-go/util/workqueue/queue.go, delaying_queue.go, default_rate_limiters.go

import type { Clock, Random, Timer } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';

export interface WorkQueueOptions {
  /** The wait after a key's first failure; it doubles with each further one. 5 ms by default, as in client-go. */
  baseDelayMs?: number;
  /** The longest wait. 30 s by default (1,000 s in client-go). */
  maxDelayMs?: number;
}

export class WorkQueue {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  /** Waiting to be given out, in order. A Set keeps insertion order and has no duplicates. */
  readonly #ready = new Set<string>();
  /** Given out and not done yet. */
  readonly #processing = new Set<string>();
  /** Added while being processed. */
  readonly #dirty = new Set<string>();
  readonly #later = new Map<string, { due: number; timer: Timer }>();
  readonly #failures = new Map<string, number>();
  /** Callers of get() that found nothing. */
  #waiters: ((key: string | undefined) => void)[] = [];
  #shutDown = false;

  constructor({ clock, random }: { clock: Clock; random: Random }, { baseDelayMs = 5, maxDelayMs = 30_000 }: WorkQueueOptions = {}) {
    this.#clock = clock;
    this.#random = random;
    this.#baseDelayMs = baseDelayMs;
    this.#maxDelayMs = maxDelayMs;
  }

  /** Keys ready to be given out. */
  get length(): number {
    return this.#ready.size;
  }

  /**
   * Wants the key worked on. Nothing changes when it waits already; a key that is being worked on is remembered as dirty and
   * becomes ready at done(). After shutDown() nothing is added.
   */
  add(key: string): void {
    throw new NotImplemented('3.2', 'Add the key once, remember it as dirty while it is processed, wake a waiting get()');
  }

  /**
   * The next key, first come first served; waits for one when there is none. `undefined` after shutDown(). The caller owns the key
   * until it calls done(key).
   */
  get(): Promise<string | undefined> {
    throw new NotImplemented('3.2', 'Give out the oldest ready key and mark it as processing, or wait for one');
  }

  /** The caller of get() has finished with the key. If it was added meanwhile it is ready again. */
  done(key: string): void {
    throw new NotImplemented('3.2', 'End the processing of the key, and make it ready again if it is dirty');
  }

  /**
   * Adds the key after `ms` milliseconds; at once when `ms` is not positive. Of two waits for the same key the one that ends
   * sooner counts.
   */
  addAfter(key: string, ms: number): void {
    throw new NotImplemented('3.2', 'Add the key when the time has passed; keep the earlier of two waits');
  }

  /**
   * Adds the key after a wait that doubles with each call: base, 2 × base, 4 × base, … up to the longest wait. On top of that,
   * of the longest wait too, comes up to a tenth at random: keys that failed together are not tried again together. Counts one
   * more retry.
   */
  addRateLimited(key: string): void {
    throw new NotImplemented('3.2', 'Count the failure and add the key after an exponentially growing delay');
  }

  /** How often the key was added with addRateLimited since it was forgotten. */
  retries(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The key succeeded: its next failure waits the shortest time again. Does not touch the queue itself. */
  forget(key: string): void {
    throw new NotImplemented('3.2', "Forget the key's failures");
  }

  /** Ends it: every get(), waiting or to come, gives undefined; no timer is left. */
  shutDown(): void {
    this.#shutDown = true;
    for (const { timer } of this.#later.values()) timer.cancel();
    this.#later.clear();
    this.#ready.clear();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake(undefined);
  }
}
