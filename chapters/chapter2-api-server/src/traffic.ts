// The requests that are being answered at this moment: how many there are, whose turn it is when there are too many, and when there are
// none left. Those that go on for long (watches, logs, exec) are counted apart, and nobody waits for them.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/server/filters/priority-and-fairness.go

import type { Clock } from '#kit/clock';
import { FairSeats } from './fair-seats.ts';
import type { RequestKind } from './request-kind.ts';

export interface TrafficLimits {
  /** Requests that change nothing, answered at once; the others wait. */
  readOnly: number;
  /** The same of those that change something. */
  mutating: number;
  /** Milliseconds that a request may wait for its turn. */
  waitMs: number;
}

/** Kubernetes' own: --max-requests-inflight, --max-mutating-requests-inflight. */
export const defaultLimits = { readOnly: 400, mutating: 200 };

/** Requests of one user that may wait. Kubernetes: the default of a priority level's `queueLengthLimit`. */
const lineLength = 50;

export class Traffic {
  readonly #seats: Record<'readOnly' | 'mutating', FairSeats>;
  readonly #open: Record<RequestKind, number> = { readOnly: 0, mutating: 0, longRunning: 0 };
  #whenQuiet: (() => void)[] = [];

  constructor({ readOnly, mutating, waitMs }: TrafficLimits, clock: Clock) {
    const seats = (count: number) => new FairSeats({ seats: count, lineLength, waitMs }, clock);
    this.#seats = { readOnly: seats(readOnly), mutating: seats(mutating) };
  }

  /** How many are being answered, those not counted that wait for their turn. */
  inFlight(kind: 'readOnly' | 'mutating'): number {
    return this.#open[kind] - this.waiting(kind);
  }

  waiting(kind: 'readOnly' | 'mutating'): number {
    return this.#seats[kind].waiting;
  }

  /** One more has come, and is there until the function that this returns is called. */
  enter(kind: RequestKind): () => void {
    this.#open[kind]++;
    return () => {
      this.#open[kind]--;
      if (!this.#isQuiet()) return;
      for (const resolve of this.#whenQuiet.splice(0)) resolve();
    };
  }

  /** True when it is this user's turn, which lasts until `over` aborts; false when too many others are before it. */
  async turn(kind: RequestKind, user: string, over: AbortSignal): Promise<boolean> {
    return kind === 'longRunning' || this.#seats[kind].take(user, over);
  }

  /** Resolves when nothing is being answered but what goes on for long. */
  quiet(): Promise<void> {
    return this.#isQuiet() ? Promise.resolve() : new Promise((resolve) => this.#whenQuiet.push(resolve));
  }

  #isQuiet(): boolean {
    return this.#open.readOnly + this.#open.mutating === 0;
  }
}
