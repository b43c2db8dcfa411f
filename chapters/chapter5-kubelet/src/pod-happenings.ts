// What happens to a pod on its way, as values; and what people are told of it (`kubectl describe pod` shows these events).
// Kubernetes: pkg/kubelet/events/event.go; the messages are spread over pkg/kubelet/kuberuntime and pkg/kubelet/images

import type { Container, Pod } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import type { ContainerProblem } from './container-problem.ts';

export type Happening =
  | { kind: 'pulling'; container: Container }
  | { kind: 'pulled'; container: Container; tookMs: number }
  /** The image was here already. */
  | { kind: 'image present'; container: Container }
  | { kind: 'created'; container: Container }
  | { kind: 'started'; container: Container }
  | { kind: 'stopping'; container: Container }
  /** The container could not be started. */
  | { kind: 'failed'; container: Container; problem: ContainerProblem }
  /** The container must wait before it is tried again. */
  | { kind: 'waiting'; container: Container; problem: ContainerProblem }
  /** The sandbox died and a new one is made. */
  | { kind: 'sandbox changed' }
  | { kind: 'sandbox failed'; message: string };

/** Whoever carries out a plan reports here, as it happens. */
export type Report = (happening: Happening) => void;

export interface PodEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

/**
 * The events of one happening, in Kubernetes' words (IMAGE and NAME are the container's, PROBLEM its reason, TEXT its message):
 * - pulling: Normal Pulling `Pulling image "IMAGE"`; pulled: Normal Pulled `Successfully pulled image "IMAGE" in 1.5s`;
 *   image present: Normal Pulled `Container image "IMAGE" already present on machine`
 * - created: Normal Created `Created container: NAME`; started: Normal Started `Started container NAME`; stopping: Normal Killing `Stopping container NAME`
 * - failed with ErrImagePull: Warning Failed `Failed to pull image "IMAGE": TEXT`, then Warning Failed `Error: ErrImagePull`;
 *   with InvalidImageName: Warning InspectFailed `Failed to apply default image tag "IMAGE": TEXT`, then Warning Failed `Error: InvalidImageName`;
 *   with ErrImageNeverPull: Warning ErrImageNeverPull TEXT, then Warning Failed `Error: ErrImageNeverPull`; with another: Warning Failed `Error: TEXT`
 * - waiting with ImagePullBackOff: Normal BackOff `Back-off pulling image "IMAGE"`, then Warning Failed `Error: ImagePullBackOff`;
 *   with CrashLoopBackOff: Warning BackOff `Back-off restarting failed container NAME in pod POD_NAMESPACE(UID)`
 * - sandbox changed: Normal SandboxChanged `Pod sandbox changed, it will be killed and re-created.`; sandbox failed: Warning
 *   FailedCreatePodSandBox `Failed to create pod sandbox: TEXT`
 */
export function eventsOf(happening: Happening, pod: Pod): PodEvent[] {
  throw new NotImplemented('5.3', 'Tell each happening as one or two events');
}
