// Many equal calls, carefully: one, then two, then four, … at the same time. When something is wrong with all of them (a quota,
// a template that the server refuses), it is found out with one call and not with five hundred.
// Kubernetes: pkg/controller/replicaset/replica_set.go slowStartBatch

export interface BatchResult {
  succeeded: number;
  /** The first error of the batch that stopped it. */
  error?: unknown;
}

/**
 * Calls `call` up to `count` times in batches that double, each batch only after all of the one before it succeeded. Never rejects.
 *
 * @exercise 3.3 Run batches of 1, 2, 4, … calls and stop after the first batch with an error
 */
export async function slowStart(count: number, call: () => Promise<unknown>): Promise<BatchResult> {
  let succeeded = 0;
  for (let batch = 1; succeeded < count; batch *= 2) {
    const size = Math.min(batch, count - succeeded);
    const results = await Promise.allSettled(Array.from({ length: size }, call));
    const failed = results.find((result) => result.status === 'rejected');
    succeeded += results.filter((result) => result.status === 'fulfilled').length;
    if (failed) return { succeeded, error: failed.reason };
  }
  return { succeeded };
}
