// A clock that goes some times as fast as the system's: what waits for seconds is tested in a fraction of them. Unlike with a
// `FakeClock`, things between timers take the time that they take; so it fits tests with real sockets.

import { ClockBase, systemClock, type Timer } from '#kit/clock';

export class FastClock extends ClockBase {
  readonly #speed: number;
  readonly #start = systemClock.now();

  constructor(speed: number) {
    super();
    this.#speed = speed;
  }

  now(): number {
    return this.#start + (systemClock.now() - this.#start) * this.#speed;
  }

  after(ms: number, callback: () => void): Timer {
    return systemClock.after(ms / this.#speed, callback);
  }

  every(ms: number, callback: () => void): Timer {
    return systemClock.every(ms / this.#speed, callback);
  }
}
