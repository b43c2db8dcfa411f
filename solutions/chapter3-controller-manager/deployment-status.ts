// What a Deployment says about itself: the numbers, and three conditions. `kubectl rollout status` reads nothing else.
// Kubernetes: pkg/controller/deployment/sync.go calculateStatus, progress.go syncRolloutStatus

import type { DeploymentCondition, DeploymentStatus } from 'kubernetes-types/apps/v1';
import type { Deployment } from '#kit/api';
import type { Generations } from './deployment-revisions.ts';
import { timeOf } from './pods.ts';
import { boundsOf, totalReplicas, wantedReplicas } from './rolling-update.ts';

/** A deadline of this many seconds means none. */
const noDeadline = 2 ** 31 - 1;

export interface Rollout extends Generations {
  deployment: Deployment;
  /** The new set was made in this very round. */
  created: boolean;
  /** RFC 3339 */
  now: string;
}

/** A Deployment's status without its conditions. */
export type DeploymentCounts = Required<
  Pick<
    DeploymentStatus,
    'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas' | 'unavailableReplicas' | 'observedGeneration'
  >
>;

/** The whole status. Nothing in it differs from the old one unless something happened. */
export function deploymentStatus(rollout: Rollout): DeploymentStatus {
  const { deployment, now, newSet, oldSets } = rollout;
  const old = deployment.status?.conditions ?? [];
  const counts = countDeployment(rollout);
  const progressing = progressCondition(rollout, counts);
  const failure = [...(newSet ? [newSet] : []), ...oldSets]
    .flatMap(({ status }) => status?.conditions ?? [])
    .find(({ type }) => type === 'ReplicaFailure');
  const wishes: Wish[] = [availableCondition(deployment, counts)];
  if (progressing) wishes.push(progressing);
  if (failure)
    wishes.push({ type: 'ReplicaFailure', status: failure.status, reason: failure.reason ?? '', message: failure.message ?? '' });
  const { collisionCount } = deployment.status ?? {};
  return {
    // A zero is left out, as the real server does: then the status reads the same when it comes back.
    ...Object.fromEntries(Object.entries({ ...counts, collisionCount }).filter(([, count]) => count)),
    conditions: wishes.map((wish) => withTimes(wish, old, now)),
  };
}

/**
 * The numbers: `replicas`, `readyReplicas`, `availableReplicas` are sums over the status of all sets; `updatedReplicas` is the new
 * set's alone. `unavailableReplicas` are the pods that are wanted of all sets (their specs) and not available, never below zero.
 *
 * @exercise 3.4 Sum up the sets' statuses; updatedReplicas counts the new set's pods only
 */
export function countDeployment({ deployment, newSet, oldSets }: Rollout): DeploymentCounts {
  const all = [...(newSet ? [newSet] : []), ...oldSets];
  const sum = (field: 'replicas' | 'readyReplicas' | 'availableReplicas') =>
    all.reduce((total, { status }) => total + (status?.[field] ?? 0), 0);
  const availableReplicas = sum('availableReplicas');
  return {
    observedGeneration: deployment.metadata?.generation ?? 0,
    replicas: sum('replicas'),
    updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: sum('readyReplicas'),
    availableReplicas,
    unavailableReplicas: Math.max(0, totalReplicas(all) - availableReplicas),
  };
}

/** A condition without its times. `touch`: it is news even if it reads as before. */
type Wish = Pick<DeploymentCondition, 'type' | 'status'> & { reason: string; message: string; touch?: boolean };

/**
 * Available is True while at least wanted − maxUnavailable pods are available.
 */
export function availableCondition(deployment: Deployment, { availableReplicas }: DeploymentCounts): Wish {
  const enough = availableReplicas >= wantedReplicas(deployment) - boundsOf(deployment).maxUnavailable;
  return enough
    ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
}

/**
 * How the rollout goes, `progress(status, reason, rollout)`, or as before, `progressBefore(deployment)`. The first line that applies:
 * - paused: Unknown, DeploymentPaused · it was paused until now: Unknown, DeploymentResumed (a missed deadline stays said)
 * - the new set was created in this round: True, NewReplicaSetCreated · there is no condition yet: True, FoundNewReplicaSet
 * - it said NewReplicaSetAvailable and there is still no old pod: that stays; losing a pod later is no rollout
 * - complete (`isComplete`): True, NewReplicaSetAvailable
 * - the numbers moved forward since the old status (`hasProgressed`): True, ReplicaSetUpdated, and the deadline begins anew (`touch`)
 * - no news for progressDeadlineSeconds (`deadlineIn` ≤ 0): False, ProgressDeadlineExceeded
 * - else what it said before.
 *
 * @exercise 3.4 Return the condition Progressing by these rules
 */
export function progressCondition(rollout: Rollout, counts: DeploymentCounts): Wish | undefined {
  const { deployment, newSet, created, now } = rollout;
  const before = progressBefore(deployment);

  if (deployment.spec?.paused) {
    return before?.reason === 'ProgressDeadlineExceeded' ? before : progress('Unknown', 'DeploymentPaused', rollout);
  }
  if (before?.reason === 'DeploymentPaused') return progress('Unknown', 'DeploymentResumed', rollout);
  if (created) return progress('True', 'NewReplicaSetCreated', rollout);
  if (!before) return newSet && progress('True', 'FoundNewReplicaSet', rollout);
  if (before.reason === 'NewReplicaSetAvailable' && counts.replicas === counts.updatedReplicas) return before;
  if (isComplete(deployment, counts)) return progress('True', 'NewReplicaSetAvailable', rollout);
  if (hasProgressed(deployment, counts)) return { ...progress('True', 'ReplicaSetUpdated', rollout), touch: true };
  if ((deadlineIn(deployment, now) ?? 1) <= 0) return progress('False', 'ProgressDeadlineExceeded', rollout);
  return before;
}

/** What each reason of Progressing says. The subject is the new set, or the Deployment while there is none. */
const progressMessages = {
  DeploymentPaused: () => 'Deployment is paused',
  DeploymentResumed: () => 'Deployment is resumed',
  NewReplicaSetCreated: (_, newSet) => `Created new replica set "${newSet}"`,
  FoundNewReplicaSet: (_, newSet) => `Found new replica set "${newSet}"`,
  NewReplicaSetAvailable: (subject) => `${subject} has successfully progressed.`,
  ReplicaSetUpdated: (subject) => `${subject} is progressing.`,
  ProgressDeadlineExceeded: (subject) => `${subject} has timed out progressing.`,
} satisfies Record<string, (subject: string, newSet?: string) => string>;

function progress(status: string, reason: keyof typeof progressMessages, { deployment, newSet }: Rollout): Wish {
  const name = newSet?.metadata?.name;
  const subject = newSet ? `ReplicaSet "${name}"` : `Deployment "${deployment.metadata?.name}"`;
  return { type: 'Progressing', status, reason, message: progressMessages[reason](subject, name) };
}

/** Progressing as the old status says it. */
function progressBefore(deployment: Deployment): Wish | undefined {
  const before = conditionOf(deployment, 'Progressing');
  return before && { type: 'Progressing', status: before.status, reason: before.reason ?? '', message: before.message ?? '' };
}

/** Every wanted pod is of the new set and available, and no old one is left. */
export function isComplete(deployment: Deployment, { replicas, updatedReplicas, availableReplicas }: DeploymentCounts): boolean {
  const wanted = wantedReplicas(deployment);
  return updatedReplicas === wanted && replicas === wanted && availableReplicas === wanted;
}

/** More new pods, fewer old ones, more ready or more available ones than the old status says. */
export function hasProgressed({ status: old = {} }: Deployment, counts: DeploymentCounts): boolean {
  const oldPods = (status: DeploymentStatus) => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    counts.updatedReplicas > (old.updatedReplicas ?? 0) ||
    oldPods(counts) < oldPods(old) ||
    counts.readyReplicas > (old.readyReplicas ?? 0) ||
    counts.availableReplicas > (old.availableReplicas ?? 0)
  );
}

/** Milliseconds until the rollout has been without news for too long; undefined without a deadline or without a rollout. */
export function deadlineIn(deployment: Deployment, now: string): number | undefined {
  const seconds = deployment.spec?.progressDeadlineSeconds ?? 600;
  const condition = conditionOf(deployment, 'Progressing');
  if (!condition || deployment.spec?.paused || seconds === noDeadline || condition.reason === 'NewReplicaSetAvailable') return undefined;
  return timeOf(condition.lastUpdateTime) + seconds * 1_000 - timeOf(now);
}

function conditionOf({ status }: Deployment, type: string): DeploymentCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

/** A condition that says the same as before keeps its times; one whose status stays keeps the time of its last transition. */
function withTimes({ touch, ...wish }: Wish, old: DeploymentCondition[], now: string): DeploymentCondition {
  const before = old.find(({ type }) => type === wish.type);
  if (before && !touch && before.status === wish.status && before.reason === wish.reason) return before;
  const lastTransitionTime = before?.status === wish.status ? (before.lastTransitionTime ?? now) : now;
  return { ...wish, lastUpdateTime: now, lastTransitionTime };
}
