// What must be done so that a pod runs as its spec says, decided from what the runtime has. Pure: the same pod and state give
// the same plan, so a kubelet that was just restarted plans nothing for a pod that runs as it should.
// Kubernetes: pkg/kubelet/kuberuntime/kuberuntime_manager.go, computePodActions

import type { Container, Pod } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { containerHash } from './docker-names.ts';
import { initContainersToStart, initialized } from './init-containers.ts';
import { mayRestart } from './restart.ts';
import { newestContainer, type RuntimeContainer, type RuntimePod, type RuntimeSandbox } from './runtime.ts';

export interface PodPlan {
  /** First: containers to stop, because their sandbox is dead or their spec has changed. */
  stop: RuntimeContainer[];
  /** Sandboxes to remove: dead ones, and the last one when the pod has finished. */
  removeSandboxes: RuntimeSandbox[];
  /** The sandbox to start containers in: the running one, or a new one with this attempt; neither when nothing is to be started. */
  sandbox?: RuntimeSandbox;
  createSandbox?: { attempt: number };
  start: ContainerStart[];
  /** Dead attempts that nobody needs any more: the last one is kept, for `kubectl logs --previous`. */
  remove: RuntimeContainer[];
  /** Containers that failed and must wait before they are started again. */
  waiting: ContainerWait[];
}

export interface ContainerStart {
  container: Container;
  attempt: number;
  /** What ran before, when this is a restart. */
  previous?: RuntimeContainer;
}

export interface ContainerWait {
  container: Container;
  /** Milliseconds since the epoch. */
  until: number;
}

/** When a container that ended may start again; milliseconds since the epoch. */
export type ReadyAt = (container: RuntimeContainer) => number;

/**
 * Plans the next step of a pod that is to run.
 * - A pod that has finished (`podFinished`) needs nothing; a sandbox that is left is removed.
 * - Without a running sandbox: what still runs is stopped, dead sandboxes are removed, a new sandbox is made (its attempt is one more than the
 *   highest so far, 0 at first), and every container is started, but for those that succeeded and whose policy is OnFailure. With the policy
 *   Never a pod gets no second sandbox.
 * - With a running sandbox: each container is started that never was, that has ended and may restart (`mayRestart`) once its back-off
 *   is over, or that changed (`containerHash`) and was stopped for it. What runs as it should is left alone.
 * - Init containers come first, one by one (`initContainersToStart`, `initialized`).
 * A container's attempt is one more than its newest one's, 0 at first. Of its dead attempts all but the newest are removed then.
 */
export function planPod(pod: Pod, state: RuntimePod, now: number, readyAt: ReadyAt): PodPlan {
  throw new NotImplemented('5.2', "Compare the pod's spec with what the runtime has, and say what to stop, create and start");
}

/** Whether the pod has run its course: every container has ended and none may restart; or an init container failed for good. */
export function podFinished(pod: Pod, state: RuntimePod): boolean {
  throw new NotImplemented('5.2', 'Say whether no container runs or may ever run again');
}
