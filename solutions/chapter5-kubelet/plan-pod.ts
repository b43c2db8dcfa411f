// What must be done so that a pod runs as its spec says, decided from what the runtime has. Pure: the same pod and state give
// the same plan, so a kubelet that was just restarted plans nothing for a pod that runs as it should.
// Kubernetes: pkg/kubelet/kuberuntime/kuberuntime_manager.go, computePodActions

import type { Container, Pod } from '#kit/api';
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
 *
 * @exercise 5.2 Compare the pod's spec with what the runtime has, and say what to stop, create and start
 */
export function planPod(pod: Pod, state: RuntimePod, now: number, readyAt: ReadyAt): PodPlan {
  const sandbox = state.sandboxes.find(({ state }) => state === 'running');
  const plan: PodPlan = {
    stop: [],
    removeSandboxes: state.sandboxes.filter((other) => other !== sandbox),
    start: [],
    remove: [],
    waiting: [],
  };
  if (podFinished(pod, state)) return { ...plan, removeSandboxes: state.sandboxes };
  if (!sandbox) return { ...plan, ...planSandbox(pod, state) };

  plan.sandbox = sandbox;
  const candidates = initialized(pod, state, sandbox) ? (pod.spec?.containers ?? []) : initContainersToStart(pod, state, sandbox);
  for (const container of candidates) {
    const newest = newestContainer(state, container.name);
    const asItShouldBe = newest?.hash === containerHash(container);
    if (newest?.state === 'running') {
      if (asItShouldBe) continue;
      plan.stop.push(newest);
    } else if (newest && asItShouldBe && newest.sandboxId === sandbox.id) {
      if (!mayRestart(pod, newest)) continue;
      const until = newest.state === 'exited' ? readyAt(newest) : now;
      if (until > now) {
        plan.waiting.push({ container, until });
        continue;
      }
    } else if (newest && succeededForGood(pod, container, state)) continue;
    plan.start.push(nextAttempt(container, state, pod));
  }
  return { ...plan, remove: olderAttempts(plan.start, state) };
}

/** @solution A new sandbox, and what to start in it. */
function planSandbox(pod: Pod, state: RuntimePod): Partial<PodPlan> {
  const stop = state.containers.filter(({ state }) => state === 'running');
  if (pod.spec?.restartPolicy === 'Never' && state.containers.length > 0) return { stop };
  const attempt = Math.max(-1, ...state.sandboxes.map(({ attempt }) => attempt)) + 1;
  const [firstInit] = pod.spec?.initContainers ?? [];
  const containers = firstInit ? [firstInit] : (pod.spec?.containers ?? []).filter((container) => !succeededForGood(pod, container, state));
  const start = containers.map((container) => nextAttempt(container, state, pod));
  return { stop, createSandbox: { attempt }, start, remove: olderAttempts(start, state) };
}

/**
 * Whether the pod has run its course: every container has ended and none may restart; or an init container failed for good.
 *
 * @exercise 5.2 Say whether no container runs or may ever run again
 */
export function podFinished(pod: Pod, state: RuntimePod): boolean {
  const over = (container: Container) => {
    const newest = newestContainer(state, container.name);
    return newest?.state === 'exited' && !mayRestart(pod, newest);
  };
  const initFailed = (container: Container) => over(container) && newestContainer(state, container.name)?.exitCode !== 0;
  return (pod.spec?.containers ?? []).every(over) || (pod.spec?.initContainers ?? []).some(initFailed);
}

/** @solution Succeeded under OnFailure: a new sandbox is no reason to run it again. */
function succeededForGood(pod: Pod, container: Container, state: RuntimePod): boolean {
  const newest = newestContainer(state, container.name);
  return pod.spec?.restartPolicy === 'OnFailure' && newest?.state === 'exited' && newest.exitCode === 0;
}

/** @solution When somebody removed the container itself, the status still knows how often it was started. */
function nextAttempt(container: Container, state: RuntimePod, pod: Pod): ContainerStart {
  const previous = newestContainer(state, container.name);
  if (previous) return { container, attempt: previous.attempt + 1, previous };
  const known = pod.status?.containerStatuses?.find(({ name }) => name === container.name);
  return { container, attempt: known?.containerID ? known.restartCount + 1 : 0 };
}

/** @solution */
function olderAttempts(starts: ContainerStart[], state: RuntimePod): RuntimeContainer[] {
  return starts.flatMap(({ container, previous }) =>
    state.containers.filter((other) => other.name === container.name && other !== previous),
  );
}
