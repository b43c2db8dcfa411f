// What a change of the wanted number means for the sets that exist. Usually one set has pods and gets the number. In the middle of
// a rollout several have: then the change is spread in proportion, so that the rollout goes on from where it was.
// Kubernetes: pkg/controller/deployment/sync.go scale, isScalingEvent; util/deployment_util.go getReplicaSetFraction

import type { Deployment, ReplicaSet } from '#kit/api';
import { desiredReplicasAnnotation, type Generations, maxReplicasAnnotation } from './deployment-revisions.ts';
import { availableOf, boundsOf, replicasOf, type Scaling, totalReplicas, wantedReplicas } from './rolling-update.ts';

/** Whether the Deployment was scaled since its sets were last sized. */
export function wasScaled(deployment: Deployment, { newSet, oldSets }: Generations): boolean {
  const wanted = String(wantedReplicas(deployment));
  return withPods([...oldSets, ...(newSet ? [newSet] : [])]).some(({ metadata }) => {
    const desired = metadata?.annotations?.[desiredReplicasAnnotation];
    return desired !== undefined && desired !== wanted;
  });
}

/** The size for every set that has pods, or for the one that should; also those that stay as they are. */
export function scaleAll(deployment: Deployment, { newSet, oldSets }: Generations): Scaling[] {
  const wanted = wantedReplicas(deployment);
  const sets = [...oldSets, ...(newSet ? [newSet] : [])];
  const active = withPods(sets);
  if (active.length <= 1) {
    const only = active[0] ?? newSet ?? oldSets.at(-1);
    return only ? [{ set: only, replicas: wanted }] : [];
  }
  if (newSet && replicasOf(newSet) === wanted && availableOf(newSet) === wanted) {
    return active.map((set) => ({ set, replicas: set === newSet ? wanted : 0 }));
  }
  if (deployment.spec?.strategy?.type === 'Recreate') return active.map((set) => ({ set, replicas: replicasOf(set) }));
  return inProportion(deployment, active, newSet);
}

function inProportion(deployment: Deployment, active: ReplicaSet[], newSet: ReplicaSet | undefined): Scaling[] {
  const wanted = wantedReplicas(deployment);
  const allowed = wanted === 0 ? 0 : wanted + boundsOf(deployment).maxSurge;
  const change = allowed - totalReplicas(active);
  // The largest first, for it takes what rounding leaves over; of equal ones the newest, or the oldest when pods go.
  const newestFirst = [...active].reverse().sort((a, b) => Number(b === newSet) - Number(a === newSet));
  const inOrder = (change > 0 ? newestFirst : newestFirst.reverse()).sort((a, b) => replicasOf(b) - replicasOf(a));

  let left = change;
  const scalings = inOrder.map((set) => {
    const before = Number(set.metadata?.annotations?.[maxReplicasAnnotation]) || deployment.status?.replicas || totalReplicas(active);
    const share = Math.round((replicasOf(set) * allowed) / before) - replicasOf(set);
    const part = change > 0 ? Math.max(0, Math.min(share, left)) : Math.min(0, Math.max(share, left));
    left -= part;
    return { set, replicas: replicasOf(set) + part };
  });
  const [largest] = scalings;
  if (largest) largest.replicas = Math.max(0, largest.replicas + left);
  return scalings;
}

function withPods(sets: ReplicaSet[]): ReplicaSet[] {
  return sets.filter((set) => replicasOf(set) > 0);
}
