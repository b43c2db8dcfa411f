// Runs `sync` when it was asked for: soon, never twice at once, and not more often than the interval allows, so that a
// thousand changes in a burst cost two runs. A run that fails is run again.
// Kubernetes: pkg/util/async/bounded_frequency_runner.go

import type { Clock, Timer } from '#kit/clock';
import type { Logger } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';

export interface SyncLoopOptions {
  sync: () => Promise<void>;
  /** Milliseconds from one run's start to the next one's, at least. */
  minIntervalMs: number;
  /** Milliseconds from a failure to the next attempt. */
  retryAfterMs: number;
  clock: Clock;
  log: Logger;
}

export class SyncLoop {
  readonly #options: SyncLoopOptions;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #lastStart = Number.NEGATIVE_INFINITY;
  /** Somebody asked while a run was under way: what changed may have come too late for it. */
  #askedAgain = false;
  #stopped = false;

  constructor(options: SyncLoopOptions) {
    this.#options = options;
  }

  /**
   * Asks for a run, and returns at once. The run starts as soon as the interval since the last start is over. Asked again
   * before it starts, it runs once; asked while it is under way, it runs once more afterwards.
   */
  request(): void {
    throw new NotImplemented('6.2', 'Ask for a run: soon, never two at once, never more often than the interval allows');
  }

  /** No run starts any more; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  /**
   * One run. Never rejects: a failure is logged, and another run follows after `retryAfterMs` (none when the failure is
   * NotImplemented, which another attempt doesn't cure).
   */
  async run(): Promise<void> {
    throw new NotImplemented('6.2', 'Run once; after a failure plan another attempt');
  }
}
