// From what Docker says of a container to what the kubelet thinks of it. Pure.
// Kubernetes: pkg/kubelet/dockershim/docker_container.go, ContainerStatus (until 1.23)

import type { ContainerInspectInfo } from 'dockerode';
import {
  attemptOf,
  containerNameLabel,
  hashLabel,
  type Labels,
  podIpLabel,
  podNameLabel,
  podNamespaceLabel,
  podUidLabel,
  sandboxIdLabel,
  typeLabel,
} from './docker-names.ts';
import type { RuntimeContainer, RuntimePod, RuntimeSandbox } from './runtime.ts';

/** One Docker container of a pod, as the cache keeps it. */
export type Known = { podUid: string; podName: string; podNamespace: string } & (
  | { kind: 'sandbox'; sandbox: RuntimeSandbox }
  | { kind: 'container'; container: RuntimeContainer }
);

/** Undefined when the container is no pod's. */
export function knownOf(info: ContainerInspectInfo): Known | undefined {
  const labels: Labels = info.Config.Labels ?? {};
  const pod = {
    podUid: labels[podUidLabel] ?? '',
    podName: labels[podNameLabel] ?? '',
    podNamespace: labels[podNamespaceLabel] ?? '',
  };
  if (labels[typeLabel] === 'podsandbox') {
    const state = info.State.Running ? 'running' : neverStarted(info) ? 'created' : 'dead';
    return { ...pod, kind: 'sandbox', sandbox: { id: info.Id, attempt: attemptOf(info.Name), ip: labels[podIpLabel] ?? '', state } };
  }
  if (labels[typeLabel] !== 'container') return undefined;
  return { ...pod, kind: 'container', container: containerOf(info, labels) };
}

function containerOf(info: ContainerInspectInfo, labels: Labels): RuntimeContainer {
  const createdAt = Date.parse(info.Created);
  const container: RuntimeContainer = {
    id: info.Id,
    name: labels[containerNameLabel] ?? '',
    attempt: attemptOf(info.Name),
    sandboxId: labels[sandboxIdLabel] ?? '',
    image: info.Config.Image,
    imageId: info.Image,
    hash: labels[hashLabel] ?? '',
    state: 'created',
    createdAt,
  };
  const { Running, ExitCode, OOMKilled, Error: error } = info.State;
  const startedAt = Date.parse(info.State.StartedAt);
  if (Running) return { ...container, state: 'running', startedAt };
  if (neverStarted(info)) {
    if (ExitCode === 0) return container;
    // Docker keeps a container that it could not start as "created", with an exit code and the reason.
    return {
      ...container,
      state: 'exited',
      startedAt: createdAt,
      finishedAt: createdAt,
      exitCode: 128,
      reason: 'StartError',
      message: error,
    };
  }
  const reason = OOMKilled ? 'OOMKilled' : ExitCode === 0 ? 'Completed' : 'Error';
  const finishedAt = Date.parse(info.State.FinishedAt);
  return { ...container, state: 'exited', startedAt, finishedAt, exitCode: ExitCode, reason, ...(error ? { message: error } : {}) };
}

/** Docker writes the year 1 where there is no time yet. */
function neverStarted({ State }: ContainerInspectInfo): boolean {
  return !State.Running && State.StartedAt.startsWith('0001-');
}

/** Groups by pod, newest first. */
export function podsOf(known: Iterable<Known>): Map<string, RuntimePod> {
  const pods = new Map<string, RuntimePod>();
  for (const one of known) {
    const pod = pods.get(one.podUid) ?? emptyPod(one.podUid, one.podName, one.podNamespace);
    if (one.kind === 'sandbox') pod.sandboxes.push(one.sandbox);
    else pod.containers.push(one.container);
    pods.set(one.podUid, pod);
  }
  for (const pod of pods.values()) {
    pod.sandboxes.sort((a, b) => b.attempt - a.attempt);
    pod.containers.sort((a, b) => b.attempt - a.attempt);
  }
  return pods;
}

export function emptyPod(uid: string, name = '', namespace = ''): RuntimePod {
  return { uid, name, namespace, sandboxes: [], containers: [] };
}
