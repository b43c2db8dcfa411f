// The next step of a rollout. A step is small and is decided from the present state alone: the controller takes it, sees what
// becomes of it, and asks again. So a rollout can be interrupted, changed or undone at any point.
// Kubernetes: pkg/controller/deployment/rolling.go, recreate.go; util/deployment_util.go ResolveFenceposts

import type { Deployment, ReplicaSet } from '#kit/api';
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
 *
 * @exercise 3.4 Resolve maxSurge (round up) and maxUnavailable (round down); never both zero
 */
export function boundsOf({ spec }: Deployment): Bounds {
  if (spec?.strategy?.type === 'Recreate') return { maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge = '25%', maxUnavailable = '25%' } = spec?.strategy?.rollingUpdate ?? {};
  const wanted = wantedReplicas({ spec } as Deployment);
  const resolve = (value: string | number, round: (number: number) => number) =>
    typeof value === 'number' ? value : round((Number.parseInt(value, 10) * wanted) / 100);
  const surge = resolve(maxSurge, Math.ceil);
  const unavailable = resolve(maxUnavailable, Math.floor);
  return { maxSurge: surge, maxUnavailable: surge === 0 && unavailable === 0 ? 1 : Math.min(unavailable, wanted) };
}

/**
 * The next scalings of a rolling update; none when there is nothing to do until pods become available.
 * First the new set: as many more as fit under wanted + maxSurge pods in all (too many become fewer at once). Only when it needs nothing,
 * the old sets: see `shrinkOldSets`.
 *
 * @exercise 3.4 Grow the new set within the surge; when it needs nothing, shrink the old ones
 */
export function nextRollingStep(deployment: Deployment, newSet: ReplicaSet, oldSets: ReplicaSet[]): Scaling[] {
  const wanted = wantedReplicas(deployment);
  const current = replicasOf(newSet);
  const room = wanted + boundsOf(deployment).maxSurge - totalReplicas([newSet, ...oldSets]);
  const grown = Math.min(wanted, current + Math.max(0, room));
  if (grown !== current) return [{ set: newSet, replicas: grown }];
  return shrinkOldSets(deployment, newSet, oldSets);
}

/**
 * How the old sets (oldest first) shrink. wanted − maxUnavailable pods must stay available. Pods of old sets that are not available serve
 * nobody and go first, as many as the bound leaves room for even if every new pod that is not available yet never will be. Then
 * available ones go, as many as there are available pods above the bound.
 *
 * @exercise 3.4 Take unavailable old pods first, then available ones down to wanted − maxUnavailable
 */
export function shrinkOldSets(deployment: Deployment, newSet: ReplicaSet, oldSets: ReplicaSet[]): Scaling[] {
  const mustStay = wantedReplicas(deployment) - boundsOf(deployment).maxUnavailable;
  const newUnavailable = replicasOf(newSet) - availableOf(newSet);
  const sizes = new Map(oldSets.map((set) => [set, replicasOf(set)]));
  const take = (set: ReplicaSet, count: number) => sizes.set(set, (sizes.get(set) ?? 0) - count);

  let unhealthyToGo = Math.max(0, totalReplicas([newSet, ...oldSets]) - mustStay - newUnavailable);
  for (const set of oldSets) {
    const count = Math.min(unhealthyToGo, replicasOf(set) - availableOf(set));
    take(set, count);
    unhealthyToGo -= count;
  }

  let healthyToGo = Math.max(0, [newSet, ...oldSets].reduce((sum, set) => sum + availableOf(set), 0) - mustStay);
  for (const set of oldSets) {
    const count = Math.min(healthyToGo, sizes.get(set) ?? 0);
    take(set, count);
    healthyToGo -= count;
  }
  return [...sizes].filter(([set, replicas]) => replicas !== replicasOf(set)).map(([set, replicas]) => ({ set, replicas }));
}

/**
 * The next scalings of the strategy Recreate: first every old set to zero; then, when the last old pod is really gone, the new set to
 * what is wanted.
 *
 * @exercise 3.4 Scale all old sets to zero; only when no old pod runs, scale the new one up
 */
export function nextRecreateStep(deployment: Deployment, { newSet, oldSets }: Generations, oldPodsRun: boolean): Scaling[] {
  const toZero = oldSets.filter((set) => replicasOf(set) > 0).map((set) => ({ set, replicas: 0 }));
  if (toZero.length > 0 || oldPodsRun || !newSet) return toZero;
  const replicas = wantedReplicas(deployment);
  return replicasOf(newSet) === replicas ? [] : [{ set: newSet, replicas }];
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
