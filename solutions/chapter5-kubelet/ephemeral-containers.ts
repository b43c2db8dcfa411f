// Ephemeral containers: somebody looks into a pod that runs already (`kubectl debug`). They start when the pod has a sandbox, once,
// whatever the restart policy says; the pod's own life does not depend on them.
// Kubernetes: pkg/kubelet/kuberuntime/kuberuntime_manager.go, computePodActions (EphemeralContainersToStart)

import type { Container, ContainerStatus, Pod } from '#kit/api';
import { containerStatus } from './container-status.ts';
import type { PodPlan } from './plan-pod.ts';
import type { StatusContext } from './pod-status.ts';
import { newestContainer, type RuntimePod } from './runtime.ts';

/** The plan, and those that have not been started yet. */
export function withEphemeralContainers(plan: PodPlan, pod: Pod, state: RuntimePod): PodPlan {
  if (!plan.sandbox) return plan;
  const added = ephemeralContainers(pod).filter(({ name }) => !newestContainer(state, name));
  return { ...plan, start: [...plan.start, ...added.map((container) => ({ container, attempt: 0 }))] };
}

/** Nobody waits for them to be ready. */
export function ephemeralStatuses(pod: Pod, state: RuntimePod, { waiting, runtimeName }: StatusContext): ContainerStatus[] {
  return ephemeralContainers(pod).map((container) => ({ ...containerStatus(container, state, waiting, runtimeName), ready: false }));
}

/** The container whose processes it wants to see; undefined: its own only. */
export function targetOf(container: Container, state: RuntimePod): string | undefined {
  const { targetContainerName } = container as { targetContainerName?: string };
  return targetContainerName ? newestContainer(state, targetContainerName)?.id : undefined;
}

function ephemeralContainers({ spec }: Pod): Container[] {
  return spec?.ephemeralContainers ?? [];
}
