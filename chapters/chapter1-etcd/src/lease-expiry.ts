// How long each lease still has. When its time is up, the lease is revoked by a command like any other, so that the log tells of
// it. Deadlines are not kept on disk: after a restart every lease has its full time again, and its owner a chance to be heard.
// etcd: server/lease/lessor.go

import type { Clock, Timer } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';
import type { Lease } from './leases.ts';
import type { LeaseId } from './messages.ts';

/** Timers of the system cannot be set further ahead. */
const longestTimer = 2 ** 31 - 1;

interface Deadline {
  at: number;
  timer: Timer;
}

export class LeaseExpiry {
  readonly #clock: Clock;
  readonly #expire: (id: LeaseId) => void;
  readonly #deadlines = new Map<LeaseId, Deadline>();

  constructor(clock: Clock, expire: (id: LeaseId) => void) {
    this.#clock = clock;
    this.#expire = expire;
  }

  /** Whatever was left of its time before does not count any more. */
  renew({ id, ttl }: Lease): void {
    throw new NotImplemented('1.6', 'Give the lease its full time from now on.');
  }

  forget(id: LeaseId): void {
    this.#deadlines.get(id)?.timer.cancel();
    this.#deadlines.delete(id);
  }

  /** False for a lease whose time is up: the command that revokes it is on its way, and nothing can save it. */
  isPending(id: LeaseId): boolean {
    return this.#deadlines.has(id);
  }

  /** Whole seconds, rounded down; 0 for a lease that is about to go. */
  remaining(id: LeaseId): number {
    throw new NotImplemented('1.6', 'Return how long the lease still has.');
  }

  stop(): void {
    for (const id of [...this.#deadlines.keys()]) this.forget(id);
  }

  /**
   * No timer can be set further ahead than `longestTimer`: when it rings before the time is up, it is set again. When the time is up,
   * the lease is not pending any more, and `#expire` is called once.
   */
  #arm(id: LeaseId, at: number): void {
    throw new NotImplemented('1.6', 'Set a timer that ends the lease at that time, and remember both as its deadline.');
  }
}
