// Carries out a plan: the only place where a pod's containers are made. Works on as much at the same time as can be: while the
// sandbox starts, which takes longest, images are looked up and containers created; they start when the sandbox is connected.
// Kubernetes: pkg/kubelet/kuberuntime/kuberuntime_manager.go (SyncPod), kuberuntime_container.go (startContainer)

import type { Container, Pod } from '#kit/api';
import type { Clock } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';
import { ContainerProblem, orProblem } from './container-problem.ts';
import { type EnvironmentSources, environmentOf } from './environment.ts';
import { expand } from './expansion.ts';
import { isImageName, pullDecision } from './image-policy.ts';
import type { ContainerStart, PodPlan } from './plan-pod.ts';
import type { Report } from './pod-happenings.ts';
import type { ContainerRequest, ContainerRuntime, PodDns, RuntimeSandbox } from './runtime.ts';

/** What a pod meets on this node. */
export interface PodSurroundings {
  runtime: ContainerRuntime;
  clock: Clock;
  /** The services, and the config maps and secrets that the container refers to. */
  environmentSources(pod: Pod, container: Container, podIp: string): Promise<EnvironmentSources>;
  dns(pod: Pod): PodDns;
  report: Report;
}

/**
 * Carries out the plan, in this order: stop containers (with the pod's grace, reporting `stopping`), remove sandboxes and old
 * attempts, make and start the sandbox, start the containers in it. One container's problem does not keep the others from starting:
 * resolves with the problems, by container name, each reported as `failed`. Rejects when there is no sandbox to start them in.
 * When `signal` aborts, nothing more is started.
 */
export async function applyPlan(
  pod: Pod,
  plan: PodPlan,
  surroundings: PodSurroundings,
  signal: AbortSignal,
): Promise<Map<string, ContainerProblem>> {
  throw new NotImplemented('5.2', 'Stop and remove what the plan says, make the sandbox, start the containers, collect their problems');
}

/**
 * Starts one container: finds its image's id, creates it, waits until the sandbox is connected, starts it. Reports `created` and
 * `started`. Throws a ContainerProblem: `CreateContainerError` when it can't be created, `RunContainerError` when it can't be started, or what
 * `provideImage` and `environmentOf` throw.
 */
export async function startContainer(
  pod: Pod,
  { container, attempt }: ContainerStart,
  sandbox: RuntimeSandbox,
  connected: Promise<void>,
  surroundings: PodSurroundings,
  signal: AbortSignal,
): Promise<void> {
  throw new NotImplemented('5.2', 'Prepare the container while the sandbox starts; start it when the sandbox is connected');
}

/**
 * Sees to it that the runtime has the image, pulling it when `pullDecision` says so. Reports `image present`, or `pulling` and `pulled`. Throws a ContainerProblem:
 * `InvalidImageName` when the text is no image's name (`isImageName`; the message is `couldn't parse image name "IMAGE": invalid reference format`),
 * `ErrImageNeverPull` (`Container image "IMAGE" is not present with pull policy of Never`), or `ErrImagePull` with the runtime's words.
 */
export async function provideImage(container: Container, { runtime, clock, report }: PodSurroundings, signal: AbortSignal): Promise<void> {
  throw new NotImplemented('5.2', 'Find the image, or pull it as the policy says');
}

/** What the runtime is asked to create: the environment from all its sources, and command and args with `$(NAME)` replaced from it. */
export function containerRequest(
  pod: Pod,
  container: Container,
  attempt: number,
  sandbox: RuntimeSandbox,
  sources: EnvironmentSources,
): ContainerRequest {
  throw new NotImplemented('5.2', 'Put together environment, command and args');
}

/** Stops a container of the pod and reports it. */
export async function stopContainer(
  pod: Pod,
  id: string,
  name: string,
  gracePeriodSeconds: number,
  { runtime, report }: PodSurroundings,
): Promise<void> {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const container = containers.find((other) => other.name === name);
  if (container) report({ kind: 'stopping', container });
  await runtime.stopContainer(id, gracePeriodSeconds);
}

/** Seconds between SIGTERM and SIGKILL. */
export function gracePeriodOf(pod: Pod): number {
  return pod.metadata?.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30;
}

function createSandbox(pod: Pod, attempt: number, { runtime, dns, report }: PodSurroundings): Promise<RuntimeSandbox> {
  if (attempt > 0) report({ kind: 'sandbox changed' });
  const hostname = (pod.spec?.hostname ?? pod.metadata?.name ?? '').slice(0, 63).replace(/[-.]+$/, '');
  return runtime.createSandbox({ pod, attempt, hostname, dns: dns(pod) });
}

/** A pull may take minutes; a pod that is deleted meanwhile doesn't wait for it. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
