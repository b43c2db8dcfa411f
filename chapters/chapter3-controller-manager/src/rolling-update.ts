// The next step of a rollout. A step is small and is decided from the present state alone: the controller takes it, sees what
// becomes of it, and asks again. So a rollout can be interrupted, changed or undone at any point.
// Kubernetes: pkg/controller/deployment/rolling.go, recreate.go; util/deployment_util.go ResolveFenceposts

import type { Deployment, ReplicaSet } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import type { Generations } from './deployment-revisions.ts';

/** Give this set that many replicas. */
export interface Scaling {
  set: ReplicaSet;
  replicas: number;
}

export interface Bounds {
  /** So many pods more than wanted may exist during a rollout. */
  maxSurge: number;
  /** So many of the wanted pods may be unavailable during a rollout. */
  maxUnavailable: number;
}

/**
 * `maxSurge` and `maxUnavailable` (25% when absent) as numbers of pods. A percentage is of the wanted replicas; surge is rounded up,
 * unavailable down. Both zero would allow no step at all: then one pod may be unavailable. The strategy Recreate has no bounds: both 0.
 */
export function boundsOf({ spec }: Deployment): Bounds {
  throw new NotImplemented('3.4', 'Resolve maxSurge (round up) and maxUnavailable (round down); never both zero');
}

/**
 * The next scalings of a rolling update; none when there is nothing to do until pods become available.
 * First the new set: as many more as fit under wanted + maxSurge pods in all (too many become fewer at once). Only when it needs nothing,
 * the old sets: see `shrinkOldSets`.
 */
export function nextRollingStep(deployment: Deployment, newSet: ReplicaSet, oldSets: ReplicaSet[]): Scaling[] {
  throw new NotImplemented('3.4', 'Grow the new set within the surge; when it needs nothing, shrink the old ones');
}

/**
 * How the old sets (oldest first) shrink. wanted − maxUnavailable pods must stay available. Pods of old sets that are not available serve
 * nobody and go first, as many as the bound leaves room for even if every new pod that is not available yet never will be. Then
 * available ones go, as many as there are available pods above the bound.
 */
export function shrinkOldSets(deployment: Deployment, newSet: ReplicaSet, oldSets: ReplicaSet[]): Scaling[] {
  throw new NotImplemented('3.4', 'Take unavailable old pods first, then available ones down to wanted − maxUnavailable');
}

/**
 * The next scalings of the strategy Recreate: first every old set to zero; then, when the last old pod is really gone, the new set to
 * what is wanted.
 */
export function nextRecreateStep(deployment: Deployment, { newSet, oldSets }: Generations, oldPodsRun: boolean): Scaling[] {
  throw new NotImplemented('3.4', 'Scale all old sets to zero; only when no old pod runs, scale the new one up');
}

export function wantedReplicas({ spec }: Deployment): number {
  return spec?.replicas ?? 1;
}

/** Wanted of the set, not counted. */
export function replicasOf({ spec }: ReplicaSet): number {
  return spec?.replicas ?? 1;
}

/** Never more than wanted: right after a set was shrunk, its status still counts pods that are about to go. */
export function availableOf(set: ReplicaSet): number {
  return Math.min(set.status?.availableReplicas ?? 0, replicasOf(set));
}

export function totalReplicas(sets: ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + replicasOf(set), 0);
}
