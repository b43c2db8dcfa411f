// Many equal calls, carefully: one, then two, then four, … at the same time. When something is wrong with all of them (a quota,
// a template that the server refuses), it is found out with one call and not with five hundred.
// Kubernetes: pkg/controller/replicaset/replica_set.go slowStartBatch

import { NotImplemented } from '#kit/not-implemented';

export interface BatchResult {
  succeeded: number;
  /** The first error of the batch that stopped it. */
  error?: unknown;
}

/** Calls `call` up to `count` times in batches that double, each batch only after all of the one before it succeeded. Never rejects. */
export async function slowStart(count: number, call: () => Promise<unknown>): Promise<BatchResult> {
  throw new NotImplemented('3.3', 'Run batches of 1, 2, 4, … calls and stop after the first batch with an error');
}
