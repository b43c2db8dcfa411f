// Init containers run one by one, each to its end, before the pod's own containers start. Stage 5.6 goes further (sidecars).
// Kubernetes: pkg/kubelet/kuberuntime/kuberuntime_container.go, findNextInitContainerToRun

import type { Container, Pod } from '#kit/api';
import { newestContainer, type RuntimePod, type RuntimeSandbox } from './runtime.ts';

/** Whether the pod's own containers may start: one of them has in this sandbox, or every init container succeeded in it. */
export function initialized(pod: Pod, state: RuntimePod, sandbox: RuntimeSandbox): boolean {
  const started = (pod.spec?.containers ?? []).some(({ name }) => newestContainer(state, name)?.sandboxId === sandbox.id);
  return started || (pod.spec?.initContainers ?? []).every((container) => succeeded(container, state, sandbox));
}

/** The first that has not succeeded in this sandbox; it may be running. */
export function initContainersToStart(pod: Pod, state: RuntimePod, sandbox: RuntimeSandbox): Container[] {
  const next = pod.spec?.initContainers?.find((container) => !succeeded(container, state, sandbox));
  return next ? [next] : [];
}

function succeeded({ name }: Container, state: RuntimePod, sandbox: RuntimeSandbox): boolean {
  const newest = newestContainer(state, name);
  return newest?.sandboxId === sandbox.id && newest.state === 'exited' && newest.exitCode === 0;
}
