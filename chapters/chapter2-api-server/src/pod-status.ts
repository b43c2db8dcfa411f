// The words in kubectl's STATUS column. They are not in the API: a pod has a phase, and each container a state; the table
// tells the one fact about them that its reader must know.
// Kubernetes: pkg/printers/internalversion/printers.go, printPod

import type { ContainerState } from 'kubernetes-types/core/v1';
import type { ContainerStatus, Pod } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';

/** One word: `Running`, `Terminating`, `CrashLoopBackOff`, `Init:0/2`, … */
export function podStatus(pod: Pod): string {
  const { phase = 'Unknown', reason } = pod.status ?? {};
  const isOver = phase === 'Succeeded' || phase === 'Failed';
  if (pod.metadata?.deletionTimestamp && reason === 'NodeLost') return 'Unknown';
  if (pod.metadata?.deletionTimestamp && !isOver) return 'Terminating';
  const initializing = initStatus(pod);
  if (initializing && !hasCondition(pod, 'Initialized')) return initializing;
  return containersStatus(pod) ?? initializing ?? (isGated(pod) ? 'SchedulingGated' : (reason ?? phase));
}

/**
 * What the init containers are at, while they are: undefined when all have done their work (or there are none).
 * The first one that is not done decides: `Init:<reason>` when it ended badly (`Init:ExitCode:2` when it gave no reason) or
 * waits for something in particular (`PodInitializing` is nothing in particular), else `Init:<how many are done>/<how many
 * there are>`. A sidecar (an init container with restartPolicy Always) is done as soon as it has started.
 */
export function initStatus(pod: Pod): string | undefined {
  throw new NotImplemented('2.8', 'Tell how far the init containers are');
}

/**
 * The most telling state among the containers, which the table shows instead of the phase; undefined when all just run.
 * The first container that waits for a reason (`CrashLoopBackOff`, `ErrImagePull`) or has ended (`Completed`, `Error`,
 * `ExitCode:3`) decides. One that is `Completed` while another one still runs well does not count: the pod is `Running`, or
 * `NotReady` if its Ready condition is not True.
 */
export function containersStatus(pod: Pod): string | undefined {
  throw new NotImplemented('2.8', 'Find the container state that tells most about the pod');
}

/** How many of the containers that shall run are ready. Sidecars shall run, too; other init containers shall not. */
export function podReadiness(pod: Pod): { ready: number; total: number } {
  throw new NotImplemented('2.8', 'Count the containers that shall run, and those of them that are ready');
}

/** How often containers were started again, and when the last of them had ended. Init containers count while they are all there is. */
export function podRestarts(pod: Pod): { count: number; last: string | undefined } {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const stillInitializing = initStatus(pod) !== undefined && !hasCondition(pod, 'Initialized');
  const sidecars = initContainerStatuses.filter(({ name }) => isSidecar(pod, name));
  const counted = stillInitializing ? initContainerStatuses : [...sidecars, ...containerStatuses];
  const ends = counted.flatMap(({ lastState }) => lastState?.terminated?.finishedAt ?? []).sort();
  return { count: counted.reduce((sum, { restartCount }) => sum + restartCount, 0), last: ends.at(-1) };
}

/** `Completed`, `Error`, `OOMKilled`; by signal or exit code when the runtime gave no reason. */
function endOf({ reason, signal, exitCode }: NonNullable<ContainerState['terminated']>): string {
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);
}

function isRunningWell({ ready, state }: ContainerStatus): boolean {
  return ready && state?.running !== undefined;
}

function isSidecar(pod: Pod, name: string): boolean {
  return pod.spec?.initContainers?.find((container) => container.name === name)?.restartPolicy === 'Always';
}

function isGated(pod: Pod): boolean {
  return (pod.status?.conditions ?? []).some(({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated');
}

function hasCondition(pod: Pod, type: string): boolean {
  return (pod.status?.conditions ?? []).some((condition) => condition.type === type && condition.status === 'True');
}
