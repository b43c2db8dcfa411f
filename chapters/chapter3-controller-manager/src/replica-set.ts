// The decisions about a set of equal pods: how many to create, which to delete, what to report. No I/O, no clock: values in,
// values out. A ReplicationController is decided about in the same way.
// Kubernetes: pkg/controller/replicaset/replica_set.go, replica_set_utils.go; pkg/controller/controller_utils.go

import type { Pod, PodTemplateSpec } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { matchesSelector } from './label-selector.ts';
import { availableIn, isActive, isReady, readySince, timeOf } from './pods.ts';

/** No single look creates or deletes more pods than this. */
export const burst = 500;

export interface ReplicaPlan {
  /** How many pods to create. */
  create: number;
  delete: Pod[];
}

/**
 * What brings the set to the wanted number. Only active pods count: one that failed or is being deleted needs a replacement.
 * Of too many, those that matter least go first (`byDeletionOrder`).
 */
export function planReplicas(wanted: number, pods: Pod[]): ReplicaPlan {
  throw new NotImplemented('3.3', 'Compare active pods with the wanted number and say how many to create or which to delete');
}

/**
 * Compares two pods: negative when `a` is to be deleted before `b`. The first difference decides:
 * without a node before with one · phase Pending before Unknown before Running · not ready before ready · the lower annotation
 * `controller.kubernetes.io/pod-deletion-cost` (0 when absent) · more pods of this set on its node · ready for a shorter time ·
 * more container restarts · created later.
 */
export function byDeletionOrder(pods: Pod[]): (a: Pod, b: Pod) => number {
  throw new NotImplemented('3.3', 'Return a comparison that puts the pods that matter least first');
}

function deletionCost({ metadata }: Pod): number {
  return Number(metadata?.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0) || 0;
}

function mostRestarts({ status }: Pod): number {
  return Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount));
}

export interface ReplicaCounts {
  replicas: number;
  /** Of these, the ones that carry every label of the template: after the template's labels changed, old pods may not. */
  fullyLabeledReplicas: number;
  readyReplicas: number;
  /** Ready for at least minReadySeconds. */
  availableReplicas: number;
}

/** The numbers of the status. Only active pods count. */
export function countReplicas(template: PodTemplateSpec, minReadySeconds: number, pods: Pod[], now: number): ReplicaCounts {
  throw new NotImplemented('3.3', 'Count the active pods: all, fully labeled, ready, available');
}

/** Milliseconds until the next ready pod becomes available, so the status must be looked at again; undefined when none is waiting. */
export function nextAvailability(minReadySeconds: number, pods: Pod[], now: number): number | undefined {
  const waits = pods.filter(isActive).map((pod) => availableIn(pod, minReadySeconds, now));
  const next = Math.min(...waits.filter((wait) => wait > 0));
  return Number.isFinite(next) ? next : undefined;
}
