// What the API is told of one container: its state now, how its last run ended, how often it was started.
// Kubernetes: pkg/kubelet/kubelet_pods.go, convertToAPIContainerStatuses

import type { ContainerState } from 'kubernetes-types/core/v1';
import type { Container, ContainerStatus } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import type { RuntimeContainer, RuntimePod } from './runtime.ts';

/** Why a container does not run (yet), by its name. */
export type Waiting = ReadonlyMap<string, { reason: string; message?: string }>;

/**
 * One run of a container as the API says it. Created: waiting, reason ContainerCreating. Running: running, since when. Exited: terminated, with
 * exit code, reason (`Completed`, `Error`, …), message if there is one, start and end time, and the container's id (`docker://<id>`; `runtimeName` stands before
 * `://`). Times are RFC 3339 in whole seconds (`rfc3339`).
 */
export function stateOf(run: RuntimeContainer, runtimeName: string): ContainerState {
  throw new NotImplemented('5.3', "Give the run's state: waiting, running or terminated");
}

/**
 * A container's whole status, from its runs (newest first in `state.containers`) and from what it waits for.
 * - No run yet: waiting for what `waiting` says, else ContainerCreating (PodInitializing when `initializing`); restartCount 0, image as the spec names it,
 *   imageID empty, no containerID.
 * - The newest run created or running: its state; `lastState` is the state of the run before it, if there is one.
 * - The newest run exited: when `waiting` has the container, it is waiting for that and the run is `lastState`; else its state is terminated and the run before
 *   is `lastState`.
 * `ready` and `started` are true exactly when it is running (probes come in stage 5.5). `restartCount` is the newest run's attempt.
 */
export function containerStatus(
  container: Container,
  state: RuntimePod,
  waiting: Waiting,
  runtimeName: string,
  { initializing = false }: { initializing?: boolean } = {},
): ContainerStatus {
  throw new NotImplemented('5.3', "Tell the container's present state, its last one, and how often it was restarted");
}

/** `2026-01-31T12:00:00Z` */
export function rfc3339(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
