// Time and chance, injected. Components take a `Clock` and a `Random`; nothing else in the project reads the system's time,
// starts a timer or rolls dice. Under a `FakeClock` time stands still until a test advances it.

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls back once, `ms` milliseconds from now. */
  after(ms: number, callback: () => void): Timer;
  /** Calls back every `ms` milliseconds until cancelled. */
  every(ms: number, callback: () => void): Timer;
  /** Resolves after `ms` milliseconds, or as soon as the signal aborts; never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Numbers in [0, 1). */
export type Random = () => number;

export const systemRandom: Random = Math.random;

/** The same numbers for the same seed. mulberry32: 32 bits of state, enough for jitter and simulations. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** `2026-01-31T12:00:00Z`: how Kubernetes writes a time (RFC 3339, whole seconds). */
export function timestamp(clock: Pick<Clock, 'now'>): string {
  return new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** `2026-01-31T12:00:00.123000Z`: how Leases and Events write one. */
export function microTimestamp(clock: Clock): string {
  return new Date(clock.now()).toISOString().replace('Z', '000Z');
}

export abstract class ClockBase implements Clock {
  abstract now(): number;
  abstract after(ms: number, callback: () => void): Timer;
  abstract every(ms: number, callback: () => void): Timer;

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        timer.cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.after(ms, done);
      signal?.addEventListener('abort', done);
    });
  }
}

export class SystemClock extends ClockBase {
  now(): number {
    return Date.now();
  }

  after(ms: number, callback: () => void): Timer {
    const handle = setTimeout(callback, ms);
    return { cancel: () => clearTimeout(handle) };
  }

  every(ms: number, callback: () => void): Timer {
    const handle = setInterval(callback, ms);
    return { cancel: () => clearInterval(handle) };
  }
}

export const systemClock: Clock = new SystemClock();

interface Alarm {
  due: number;
  order: number;
  period: number | undefined;
  callback: () => void;
}

export class FakeClock extends ClockBase {
  #now: number;
  #alarms: Alarm[] = [];
  #order = 0;

  constructor(start = Date.UTC(2026, 0, 1)) {
    super();
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): Timer {
    return this.#set({ due: this.#now + ms, order: this.#order++, period: undefined, callback });
  }

  every(ms: number, callback: () => void): Timer {
    return this.#set({ due: this.#now + ms, order: this.#order++, period: ms, callback });
  }

  /** Moves time forward, firing every timer that falls due, in order; promises settle between two of them. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let alarm = this.#next(end); alarm; alarm = this.#next(end)) {
      this.#now = Math.max(this.#now, alarm.due);
      if (alarm.period === undefined) this.#alarms.splice(this.#alarms.indexOf(alarm), 1);
      else alarm.due += alarm.period;
      alarm.callback();
      await settle();
    }
    this.#now = end;
  }

  /** How many timers are pending: a component that has stopped leaves none. */
  get pending(): number {
    return this.#alarms.length;
  }

  #set(alarm: Alarm): Timer {
    this.#alarms.push(alarm);
    return { cancel: () => (this.#alarms = this.#alarms.filter((other) => other !== alarm)) };
  }

  #next(end: number): Alarm | undefined {
    return this.#alarms.filter((alarm) => alarm.due <= end).sort((a, b) => a.due - b.due || a.order - b.order)[0];
  }
}

/** Lets every promise that is ready run its course. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
