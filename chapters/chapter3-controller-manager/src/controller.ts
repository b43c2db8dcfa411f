// The loop that every controller is: take a key, make the world as its object asks, again if that failed. `reconcile` must
// be safe to call at any time and any number of times: it looks at the present state and is told nothing about what changed.
// Kubernetes: every pkg/controller/*/*_controller.go has its own copy of processNextWorkItem

import type { Logger } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import { isConflict } from '#kit/status';
import type { WorkQueue } from './work-queue.ts';

export type Reconcile = (key: string) => Promise<void>;

export interface ControllerOptions {
  /** Names the controller in logs. */
  name: string;
  queue: WorkQueue;
  reconcile: Reconcile;
  /** How many keys are worked on at the same time; 1 by default. */
  workers?: number;
  log: Logger;
}

/** Starts the workers. stop() shuts the queue down and resolves when no reconcile is running any more. */
export function runController({ name, queue, reconcile, workers = 1, log: parentLog }: ControllerOptions): { stop(): Promise<void> } {
  const log = parentLog.with({ controller: name });
  const work = async () => {
    try {
      while (await processNextKey(queue, reconcile, log));
    } catch (error) {
      log.error('the worker ended', { error });
    }
  };
  const running = Array.from({ length: workers }, work);
  return {
    stop: async () => {
      queue.shutDown();
      await Promise.all(running);
    },
  };
}

/**
 * Takes one key from the queue and reconciles it. Success: the key's failures are forgotten. Failure: the error is reported with
 * `report` and the key is added again, rate limited; but not after NotImplemented, which no retry cures. In every case the key is done.
 * Resolves with false when the queue was shut down, else with true.
 */
export async function processNextKey(queue: WorkQueue, reconcile: Reconcile, log: Logger): Promise<boolean> {
  throw new NotImplemented('3.2', 'Reconcile the next key, forget or retry it, and say whether to go on');
}

/** A conflict is everyday life: somebody else wrote first, the next try sees it. */
function report(key: string, error: unknown, log: Logger): void {
  if (isConflict(error)) log.debug('somebody else wrote first; trying again', { key });
  else if (error instanceof NotImplemented) log.error('this is not written yet', { key, error });
  else log.warn('reconciling failed; trying again', { key, error });
}
