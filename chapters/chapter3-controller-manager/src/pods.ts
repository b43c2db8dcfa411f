// What controllers ask of a pod. Times are milliseconds since the epoch.
// Kubernetes: pkg/api/v1/pod/util.go, pkg/controller/controller_utils.go

import type { Pod, PodCondition } from '#kit/api';

/** Counts towards replicas: not finished, and not on its way out. */
export function isActive({ metadata, status }: Pod): boolean {
  return status?.phase !== 'Succeeded' && status?.phase !== 'Failed' && !metadata?.deletionTimestamp;
}

export function isTerminating({ metadata }: Pod): boolean {
  return metadata?.deletionTimestamp !== undefined;
}

export function isReady(pod: Pod): boolean {
  return readyCondition(pod)?.status === 'True';
}

/** When the pod became ready; undefined when it is not. */
export function readySince(pod: Pod): number | undefined {
  const condition = readyCondition(pod);
  return condition?.status === 'True' ? timeOf(condition.lastTransitionTime) : undefined;
}

/**
 * How many milliseconds are left until the pod counts as available, that is, has been ready for `minReadySeconds`.
 * 0: it is available now; Infinity: it is not even ready.
 */
export function availableIn(pod: Pod, minReadySeconds: number, now: number): number {
  if (!isReady(pod)) return Number.POSITIVE_INFINITY;
  if (minReadySeconds === 0) return 0;
  return Math.max(0, (readySince(pod) ?? now) + minReadySeconds * 1_000 - now);
}

export function timeOf(timestamp: string | undefined): number {
  return timestamp === undefined ? 0 : Date.parse(timestamp);
}

function readyCondition({ status }: Pod): PodCondition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}
