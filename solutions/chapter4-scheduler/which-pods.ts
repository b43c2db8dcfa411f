// Every pod in the cluster is one of three to a scheduler: it waits to be placed, it takes room on a node, or it is no concern.
// Kubernetes: pkg/scheduler/eventhandlers.go (assignedPod, responsibleForPod), pkg/scheduler/schedule_one.go (skipPodSchedule)

import type { Pod } from '#kit/api';

/** What `spec.schedulerName` says of pods that are ours. A pod that names none is ours too; the API server fills the name in. */
export const schedulerName = 'default-scheduler';

/**
 * Whether this scheduler must find a node for the pod: it has none, it is not being deleted, it has not ended, and its
 * `spec.schedulerName` names this scheduler or is missing. A cluster may run several schedulers; each leaves the others' pods alone.
 *
 * @exercise 4.1 Say whether the pod is one that this scheduler has to place
 */
export function awaitsScheduling(pod: Pod): boolean {
  const isOurs = (pod.spec?.schedulerName ?? schedulerName) === schedulerName;
  return isOurs && !pod.spec?.nodeName && !pod.metadata?.deletionTimestamp && !hasEnded(pod);
}

/**
 * Whether the pod takes room on a node: it is bound to one, and it has not ended. It needs not run yet: the room is taken from the
 * moment it is bound. A pod that is being deleted takes room until it is gone.
 *
 * @exercise 4.1 Say whether the pod takes room on a node
 */
export function occupiesNode(pod: Pod): boolean {
  return Boolean(pod.spec?.nodeName) && !hasEnded(pod);
}

/** All its containers have ended and will not be started again. */
export function hasEnded(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}
