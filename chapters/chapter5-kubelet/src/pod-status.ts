// What the API is told of a pod: decided from its spec, what the runtime has, and what was told before. Pure.
// Kubernetes: pkg/kubelet/kubelet_pods.go (generateAPIPodStatus, getPhase), pkg/kubelet/status/generate.go

import type { PodStatus } from 'kubernetes-types/core/v1';
import type { ContainerStatus, Pod, PodCondition } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { containerStatus, rfc3339, type Waiting } from './container-status.ts';
import { initialized } from './init-containers.ts';
import { qosClass } from './quality-of-service.ts';
import type { RuntimePod } from './runtime.ts';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

export interface StatusContext {
  /** The node's address. */
  hostIp: string;
  /** Stands before container ids. */
  runtimeName: string;
  /** Milliseconds since the epoch. */
  now: number;
  waiting: Waiting;
}

/**
 * The pod's status: phase, conditions, hostIP(s), podIP(s) (of the newest sandbox; the previous ones when there is no sandbox any more),
 * startTime (the previous one, or now), a status for every init container and container, and its quality of service class. Conditions of others in `previous` are kept.
 */
export function statusFor(pod: Pod, state: RuntimePod, context: StatusContext, previous: PodStatus = {}): PodStatus {
  throw new NotImplemented('5.3', "Put the pod's status together from its containers' statuses, phase and conditions");
}

/**
 * The pod's life in one word. A container counts as running, as ended (terminated; or waiting to be started again, when its last state is
 * terminated), or as not started yet.
 * - Succeeded and Failed are final: once there, always there.
 * - An init container that ended with another code than 0 under the policy Never: Failed. Some container has not started yet: Pending. One is running: Running.
 * - All ended: with policy Always Running, since they will start again; unless the pod is being deleted. Else Succeeded when all are terminated with exit code 0;
 *   Failed with policy Never or when being deleted; Running with OnFailure.
 */
export function podPhase(
  pod: Pod,
  containers: ContainerStatus[],
  initContainers: ContainerStatus[] = [],
  previous: PodPhase | undefined = undefined,
): PodPhase {
  throw new NotImplemented('5.3', "Decide the phase from the containers' states and the restart policy");
}

/**
 * The pod's conditions, those of others in `previous` included. Each is True or False, with a reason and message when False:
 * - PodScheduled: True, since this kubelet has the pod. PodReadyToStartContainers: its sandbox runs.
 * - Initialized: init containers are over (reason ContainersNotInitialized when not).
 * - ContainersReady and Ready: every container is ready. Else: reason PodCompleted when the phase is Succeeded, PodFailed when Failed, and otherwise
 *   ContainersNotReady with the message `containers with unready status: [a b]`.
 * `lastTransitionTime` changes only when the status (True, False) does.
 */
export function podConditions(
  phase: PodPhase,
  containers: ContainerStatus[],
  { inSandbox, initialized }: { inSandbox: boolean; initialized: boolean },
  previous: PodCondition[],
  now: number,
): PodCondition[] {
  throw new NotImplemented('5.3', 'Give each condition its truth and reason, and its time only when the truth changed');
}

function hasInitContainers(pod: Pod): boolean {
  return (pod.spec?.initContainers ?? []).length > 0;
}
