// The requests that are being answered at this moment: how many there are, how many there may be, and when there are none left. Those that
// go on for long (watches, logs, exec) are counted apart, and nobody waits for them.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/server/filters/maxinflight.go

import type { RequestKind } from './request-kind.ts';

export interface TrafficLimits {
  readOnly: number;
  mutating: number;
}

/** Kubernetes' own: --max-requests-inflight, --max-mutating-requests-inflight. */
export const defaultLimits: TrafficLimits = { readOnly: 400, mutating: 200 };

export class Traffic {
  readonly #limits: TrafficLimits;
  readonly #now: Record<RequestKind, number> = { readOnly: 0, mutating: 0, longRunning: 0 };
  #whenQuiet: (() => void)[] = [];

  constructor(limits: TrafficLimits) {
    this.#limits = limits;
  }

  count(kind: RequestKind): number {
    return this.#now[kind];
  }

  /** Whether one more may be answered now. */
  hasRoomFor(kind: RequestKind): boolean {
    return kind === 'longRunning' || this.#now[kind] < this.#limits[kind];
  }

  /** One more is being answered, until the function that this returns is called. */
  enter(kind: RequestKind): () => void {
    this.#now[kind]++;
    return () => {
      this.#now[kind]--;
      if (!this.#isQuiet()) return;
      for (const resolve of this.#whenQuiet.splice(0)) resolve();
    };
  }

  /** Resolves when nothing is being answered but what goes on for long. */
  quiet(): Promise<void> {
    return this.#isQuiet() ? Promise.resolve() : new Promise((resolve) => this.#whenQuiet.push(resolve));
  }

  #isQuiet(): boolean {
    return this.#now.readOnly + this.#now.mutating === 0;
  }
}
