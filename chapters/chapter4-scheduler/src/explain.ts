// Why a pod is still Pending, said as Kubernetes says it: the sentence that `kubectl describe pod` shows, and the pod's condition.
// Kubernetes: pkg/scheduler/framework/types.go (FitError), pkg/scheduler/schedule_one.go (handleSchedulingFailure)

import type { Pod, PodCondition } from '#kit/api';
import { type Clock, timestamp } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';
import type { Rejections } from './schedule.ts';

/** Said when there is no node at all. */
export const noNodes = 'no nodes available to schedule pods';

/**
 * `0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.` First how many nodes there are; then every reason, with the
 * number of nodes that gave it in front, all in alphabetical order (of `1 Insufficient cpu` as a whole), separated by commas.
 * A node may give several reasons.
 */
export function explain(rejections: Rejections): string {
  throw new NotImplemented('4.2', 'Count the nodes that gave each reason, sort, and say it in one sentence');
}

/** The condition to write, or undefined when the pod says exactly that already. */
export function unschedulableCondition(pod: Pod, message: string, clock: Clock): PodCondition | undefined {
  const old = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (old?.status === 'False' && old.reason === 'Unschedulable' && old.message === message) return undefined;
  const lastTransitionTime = (old?.status === 'False' && old.lastTransitionTime) || timestamp(clock);
  return { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastTransitionTime };
}
