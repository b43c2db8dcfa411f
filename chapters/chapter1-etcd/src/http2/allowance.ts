// What a client may do now and then, and not all the time: so often at once, and so many times more each second.

import type { Clock } from '#kit/clock';

export interface AllowanceOptions {
  atOnce: number;
  eachSecond: number;
  clock: Clock;
}

export class Allowance {
  readonly #options: AllowanceOptions;
  #left: number;
  #countedAt: number;

  constructor(options: AllowanceOptions) {
    this.#options = options;
    this.#left = options.atOnce;
    this.#countedAt = options.clock.now();
  }

  /** False: that was once too often. */
  spend(): boolean {
    const { atOnce, eachSecond, clock } = this.#options;
    const now = clock.now();
    this.#left = Math.min(atOnce, this.#left + ((now - this.#countedAt) / 1000) * eachSecond) - 1;
    this.#countedAt = now;
    return this.#left >= 0;
  }
}
