// The decisions about a set of equal pods: how many to create, which to delete, what to report. No I/O, no clock: values in,
// values out. A ReplicationController is decided about in the same way.
// Kubernetes: pkg/controller/replicaset/replica_set.go, replica_set_utils.go; pkg/controller/controller_utils.go

import type { Pod, PodTemplateSpec } from '#kit/api';
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
 *
 * @exercise 3.3 Compare active pods with the wanted number and say how many to create or which to delete
 */
export function planReplicas(wanted: number, pods: Pod[]): ReplicaPlan {
  const active = pods.filter(isActive);
  const missing = wanted - active.length;
  if (missing >= 0) return { create: Math.min(missing, burst), delete: [] };
  return { create: 0, delete: active.sort(byDeletionOrder(active)).slice(0, Math.min(-missing, burst)) };
}

/**
 * Compares two pods: negative when `a` is to be deleted before `b`. The first difference decides:
 * without a node before with one · phase Pending before Unknown before Running · not ready before ready · the lower annotation
 * `controller.kubernetes.io/pod-deletion-cost` (0 when absent) · more pods of this set on its node · ready for a shorter time ·
 * more container restarts · created later.
 *
 * @exercise 3.3 Return a comparison that puts the pods that matter least first
 */
export function byDeletionOrder(pods: Pod[]): (a: Pod, b: Pod) => number {
  const onNode = new Map<string, number>();
  for (const { spec } of pods) if (spec?.nodeName) onNode.set(spec.nodeName, (onNode.get(spec.nodeName) ?? 0) + 1);
  const ranks: ((pod: Pod) => number)[] = [
    ({ spec }) => (spec?.nodeName ? 1 : 0),
    ({ status }) => ['Pending', 'Unknown', 'Running'].indexOf(status?.phase ?? 'Pending'),
    (pod) => (isReady(pod) ? 1 : 0),
    deletionCost,
    ({ spec }) => -(onNode.get(spec?.nodeName ?? '') ?? 0),
    (pod) => -(readySince(pod) ?? 0),
    (pod) => -mostRestarts(pod),
    ({ metadata }) => -timeOf(metadata?.creationTimestamp),
  ];
  return (a, b) => {
    for (const rank of ranks) {
      const difference = rank(a) - rank(b);
      if (difference !== 0) return difference;
    }
    return 0;
  };
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

/**
 * The numbers of the status. Only active pods count.
 *
 * @exercise 3.3 Count the active pods: all, fully labeled, ready, available
 */
export function countReplicas(template: PodTemplateSpec, minReadySeconds: number, pods: Pod[], now: number): ReplicaCounts {
  const active = pods.filter(isActive);
  const templateLabels = { matchLabels: template.metadata?.labels ?? {} };
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter(({ metadata }) => matchesSelector(templateLabels, metadata?.labels)).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: active.filter((pod) => availableIn(pod, minReadySeconds, now) === 0).length,
  };
}

/** Milliseconds until the next ready pod becomes available, so the status must be looked at again; undefined when none is waiting. */
export function nextAvailability(minReadySeconds: number, pods: Pod[], now: number): number | undefined {
  const waits = pods.filter(isActive).map((pod) => availableIn(pod, minReadySeconds, now));
  const next = Math.min(...waits.filter((wait) => wait > 0));
  return Number.isFinite(next) ? next : undefined;
}
