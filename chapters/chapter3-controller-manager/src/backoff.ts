// How long to wait before the next try: twice as long each time, with jitter, so that all who lost the same server do not come
// back in the same millisecond. Whoever has not failed for a while starts again from the shortest wait.
// Kubernetes: client-go/tools/cache/reflector.go (0.8 s to 30 s there; a cluster on one machine can afford shorter waits).

import type { Clock, Random } from '#kit/clock';

export interface BackoffLimits {
  baseMs: number;
  maxMs: number;
}

export class Backoff {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #limits: BackoffLimits;
  #failures = 0;
  #lastFailure = Number.NEGATIVE_INFINITY;

  constructor({ clock, random }: { clock: Clock; random: Random }, limits: BackoffLimits = { baseMs: 100, maxMs: 5_000 }) {
    this.#clock = clock;
    this.#random = random;
    this.#limits = limits;
  }

  /** Counts a failure and says how many milliseconds to wait now: between 1 and 1.5 times the doubled delay. */
  next(): number {
    const { baseMs, maxMs } = this.#limits;
    if (this.#clock.now() - this.#lastFailure > 4 * maxMs) this.#failures = 0;
    this.#lastFailure = this.#clock.now();
    const delay = Math.min(maxMs, baseMs * 2 ** this.#failures++);
    return delay * (1 + this.#random() / 2);
  }
}
