// What the API is told of a pod: decided from its spec, what the runtime has, and what was told before. Pure.
// Kubernetes: pkg/kubelet/kubelet_pods.go (generateAPIPodStatus, getPhase), pkg/kubelet/status/generate.go

import type { PodStatus } from 'kubernetes-types/core/v1';
import type { ContainerStatus, Pod, PodCondition } from '#kit/api';
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
 *
 * @exercise 5.3 Put the pod's status together from its containers' statuses, phase and conditions
 */
export function statusFor(pod: Pod, state: RuntimePod, context: StatusContext, previous: PodStatus = {}): PodStatus {
  const { hostIp, runtimeName, waiting, now } = context;
  const [sandbox] = state.sandboxes;
  const initDone = sandbox !== undefined && initialized(pod, state, sandbox);
  const podIp = sandbox?.state === 'running' ? sandbox.ip : previous.podIP;
  const containers = (pod.spec?.containers ?? []).map((container) =>
    containerStatus(container, state, waiting, runtimeName, { initializing: hasInitContainers(pod) && !initDone }),
  );
  const initContainers = (pod.spec?.initContainers ?? []).map((container) => ({
    ...containerStatus(container, state, waiting, runtimeName, { initializing: true }),
    ready: state.containers.find(({ name }) => name === container.name)?.exitCode === 0,
  }));
  const phase = podPhase(pod, containers, initContainers, previous.phase as PodPhase | undefined);
  const inSandbox = sandbox?.state === 'running';
  const initOver = !hasInitContainers(pod) || initDone || initContainers.every(({ ready }) => ready);
  return {
    phase,
    conditions: podConditions(phase, containers, { inSandbox, initialized: initOver }, previous.conditions ?? [], now),
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    ...(podIp ? { podIP: podIp, podIPs: [{ ip: podIp }] } : {}),
    startTime: previous.startTime ?? rfc3339(now),
    ...(initContainers.length ? { initContainerStatuses: initContainers } : {}),
    containerStatuses: containers,
    qosClass: previous.qosClass ?? qosClass(pod),
  };
}

/**
 * The pod's life in one word. A container counts as running, as ended (terminated; or waiting to be started again, when its last state is
 * terminated), or as not started yet.
 * - Succeeded and Failed are final: once there, always there.
 * - An init container that ended with another code than 0 under the policy Never: Failed. Some container has not started yet: Pending. One is running: Running.
 * - All ended: with policy Always Running, since they will start again; unless the pod is being deleted. Else Succeeded when all are terminated with exit code 0;
 *   Failed with policy Never or when being deleted; Running with OnFailure.
 *
 * @exercise 5.3 Decide the phase from the containers' states and the restart policy
 */
export function podPhase(
  pod: Pod,
  containers: ContainerStatus[],
  initContainers: ContainerStatus[] = [],
  previous: PodPhase | undefined = undefined,
): PodPhase {
  if (previous === 'Succeeded' || previous === 'Failed') return previous;
  const policy = pod.spec?.restartPolicy ?? 'Always';
  const deleting = pod.metadata?.deletionTimestamp !== undefined;
  const failed = ({ state }: ContainerStatus) => state?.terminated !== undefined && state.terminated.exitCode !== 0;
  if (policy === 'Never' && initContainers.some(failed)) return 'Failed';

  const running = containers.filter(({ state }) => state?.running).length;
  const ended = containers.filter(({ state, lastState }) => state?.terminated || (state?.waiting && lastState?.terminated)).length;
  if (running + ended < containers.length) return 'Pending';
  if (running > 0) return 'Running';
  if (policy === 'Always' && !deleting) return 'Running';
  if (containers.every(({ state }) => state?.terminated?.exitCode === 0)) return 'Succeeded';
  return policy === 'Never' || deleting ? 'Failed' : 'Running';
}

/**
 * The pod's conditions, those of others in `previous` included. Each is True or False, with a reason and message when False:
 * - PodScheduled: True, since this kubelet has the pod. PodReadyToStartContainers: its sandbox runs.
 * - Initialized: init containers are over (reason ContainersNotInitialized when not).
 * - ContainersReady and Ready: every container is ready. Else: reason PodCompleted when the phase is Succeeded, PodFailed when Failed, and otherwise
 *   ContainersNotReady with the message `containers with unready status: [a b]`.
 * `lastTransitionTime` changes only when the status (True, False) does.
 *
 * @exercise 5.3 Give each condition its truth and reason, and its time only when the truth changed
 */
export function podConditions(
  phase: PodPhase,
  containers: ContainerStatus[],
  { inSandbox, initialized }: { inSandbox: boolean; initialized: boolean },
  previous: PodCondition[],
  now: number,
): PodCondition[] {
  const unready = containers.filter(({ ready }) => !ready).map(({ name }) => name);
  const notReady = {
    Succeeded: { reason: 'PodCompleted' },
    Failed: { reason: 'PodFailed' },
    Pending: { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` },
    Running: { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` },
  }[phase];
  const over = phase === 'Succeeded' || phase === 'Failed';
  const ready = unready.length === 0 && !over;
  const own: { type: string; holds: boolean; otherwise: { reason?: string; message?: string } }[] = [
    { type: 'PodReadyToStartContainers', holds: inSandbox, otherwise: {} },
    { type: 'Initialized', holds: initialized, otherwise: { reason: 'ContainersNotInitialized' } },
    { type: 'Ready', holds: ready, otherwise: notReady },
    { type: 'ContainersReady', holds: ready, otherwise: notReady },
    { type: 'PodScheduled', holds: true, otherwise: {} },
  ];
  const conditions = own.map(({ type, holds, otherwise }) => {
    const status = holds ? 'True' : 'False';
    const before = previous.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === status && before.lastTransitionTime ? before.lastTransitionTime : rfc3339(now);
    return { type, status, lastTransitionTime, ...(holds ? {} : otherwise) };
  });
  return [...conditions, ...previous.filter(({ type }) => !own.some((condition) => condition.type === type))];
}

function hasInitContainers(pod: Pod): boolean {
  return (pod.spec?.initContainers ?? []).length > 0;
}
