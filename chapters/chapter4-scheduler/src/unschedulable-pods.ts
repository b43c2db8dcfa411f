// Pods that fit nowhere. Each waits here until something happens that could help it, or until it has waited long enough, and then
// goes back to the work queue. A pod that has failed is left alone for a second, then two, four, eight, ten: a cluster in motion does
// not ask for the same pod over and over.
// Kubernetes: pkg/scheduler/backend/queue/scheduling_queue.go (unschedulablePods, backoffQ)

import type { WorkQueue } from '#controller-manager/work-queue';
import type { Clock } from '#kit/clock';

const firstBackoffMs = 1_000;
const longestBackoffMs = 10_000;
/** Nothing that helps was seen for so long: try anyway. */
const longestWaitMs = 5 * 60_000;

interface Waiting {
  attempts: number;
  /** Not to be tried again before. */
  retryAt: number;
}

export class UnschedulablePods {
  readonly #clock: Clock;
  readonly #queue: WorkQueue;
  readonly #waiting = new Map<string, Waiting>();

  constructor(clock: Clock, queue: WorkQueue) {
    this.#clock = clock;
    this.#queue = queue;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** The pod was tried and fits nowhere. Call it at once after the decision, so that no change in between goes unnoticed. */
  failed(key: string): void {
    const attempts = (this.#waiting.get(key)?.attempts ?? 0) + 1;
    const backoff = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (attempts - 1));
    this.#waiting.set(key, { attempts, retryAt: this.#clock.now() + backoff });
    this.#queue.addAfter(key, longestWaitMs);
  }

  /** Something happened that may help any of them. */
  retryAll(): void {
    for (const [key, { retryAt }] of this.#waiting) this.#queue.addAfter(key, retryAt - this.#clock.now());
  }

  /** The pod has a place, or is gone. */
  forget(key: string): void {
    this.#waiting.delete(key);
  }
}
