// Looks after one pod from the moment it is bound to this node until nothing of it is left. One step at a time: read what the
// runtime has, plan, act, tell; whatever happens meanwhile makes it look again. It remembers only what nobody else can:
// why containers wait and for how long.
// Kubernetes: pkg/kubelet/pod_workers.go, pkg/kubelet/kubelet.go (SyncPod, SyncTerminatingPod, SyncTerminatedPod)

import { isDeepStrictEqual } from 'node:util';
import { type Container, type Pod, Pods } from '#kit/api';
import type { Client } from '#kit/client';
import type { Timer } from '#kit/clock';
import type { Logger } from '#kit/log';
import { isConflict, isNotFound } from '#kit/status';
import { applyPlan, gracePeriodOf, type PodSurroundings, stopContainer } from './apply-plan.ts';
import { ContainerProblem } from './container-problem.ts';
import { ephemeralStatuses, withEphemeralContainers } from './ephemeral-containers.ts';
import { type PodPlan, planPod } from './plan-pod.ts';
import { statusFor } from './pod-status.ts';
import type { PodVolumes } from './pod-volumes.ts';
import { behindGates, closedGates } from './readiness-gates.ts';
import { RetryDelays } from './restart.ts';
import type { RuntimeContainer } from './runtime.ts';
import type { StatusWriter } from './status-writer.ts';

export interface PodWorkerOptions extends PodSurroundings {
  client: Client;
  statuses: StatusWriter;
  hostIp: string;
  log: Logger;
  volumes: PodVolumes;
  /** Called once, when nothing of the pod is left on this node. */
  done(): void;
}

/** A container's image could not be had, or it could not be created: not again before `until`. */
interface HeldBack {
  until: number;
  problem: ContainerProblem;
}

/** The grace of a pod that was deleted by force. Seconds. */
const forcedGraceSeconds = 2;
const retryAfterMs = 10_000;
const tryAgainAfterMs = 5_000;
const lookAgainAfterMs = 1_000;

export class PodWorker {
  readonly #options: PodWorkerOptions;
  readonly #uid: string;
  readonly #delays = new RetryDelays();
  readonly #waiting = new Map<string, { reason: string; message: string }>();
  readonly #heldBack = new Map<string, HeldBack>();
  #pod: Pod;
  /** The API server has the pod no more. */
  #gone = false;
  #stopped = false;
  #look = false;
  #running: Promise<void> | undefined;
  #starting = new AbortController();
  #alarm: { time: number; timer: Timer } | undefined;
  /** Seconds; undefined while the pod is not being stopped. */
  #grace: number | undefined;

  constructor(pod: Pod, options: PodWorkerOptions) {
    this.#pod = pod;
    this.#uid = pod.metadata?.uid ?? '';
    this.#options = options;
  }

  /** The pod changed in the API. A status that changed is our own word come back, unless it opens a gate. */
  update(pod: Pod): void {
    const { spec, metadata } = this.#pod;
    const gates = closedGates(this.#pod);
    this.#pod = pod;
    const deletion = pod.metadata?.deletionTimestamp !== undefined;
    if (deletion) this.#hurry();
    const turned = deletion !== (metadata?.deletionTimestamp !== undefined) || gates !== closedGates(pod);
    if (turned || !isDeepStrictEqual(spec, pod.spec)) this.wake();
  }

  /** The pod is gone from the API, whatever still runs. */
  removed(): void {
    this.#gone = true;
    this.#hurry();
    this.wake();
  }

  /** Something may have changed: look again. */
  wake(): void {
    this.#look = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      if (this.#look && !this.#stopped) this.wake();
    });
  }

  /** Ends the work on the pod; its containers go on running. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#alarm?.timer.cancel();
    this.#starting.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#look && !this.#stopped) {
      this.#look = false;
      try {
        if (this.#gone || this.#pod.metadata?.deletionTimestamp) await this.#terminate();
        else await this.#sync();
      } catch (error) {
        if (this.#starting.signal.aborted) continue;
        this.#options.log.warn('the work on a pod failed; trying again', { pod: this.#pod.metadata?.name, error });
        this.#wakeAt(this.#options.clock.now() + tryAgainAfterMs);
      }
    }
  }

  async #sync(): Promise<void> {
    const { runtime, clock } = this.#options;
    const phase = this.#pod.status?.phase;
    const state = runtime.pod(this.#uid);
    // It has run its course under an earlier kubelet; its status is final.
    if ((phase === 'Succeeded' || phase === 'Failed') && state.sandboxes.length === 0) return;

    const planned = withEphemeralContainers(planPod(this.#pod, state, clock.now(), this.#readyAt), this.#pod, state);
    const plan = this.#holdBack(planned);
    for (const { container, until } of plan.waiting) this.#wait(container, until);
    for (const { previous } of plan.start) if (previous?.state === 'exited') this.#countRestart(previous);
    this.#publish();
    if (!(await this.#volumesAreReady(plan))) return;
    try {
      const problems = await applyPlan(this.#pod, plan, this.#options, this.#starting.signal);
      for (const { container } of plan.start) this.#note(container, problems.get(container.name));
    } catch (error) {
      if (!this.#starting.signal.aborted) this.#options.report({ kind: 'sandbox failed', message: messageOf(error) });
      throw error;
    } finally {
      this.#publish();
    }
  }

  async #volumesAreReady({ sandbox, createSandbox, start }: PodPlan): Promise<boolean> {
    // A pod that has run its course needs nothing any more.
    if (!sandbox && !createSandbox) return true;
    const { ready, askAgainAt } = await this.#options.volumes.ready(this.#pod, start.length > 0);
    if (askAgainAt !== undefined) this.#wakeAt(askAgainAt);
    return ready;
  }

  readonly #readyAt = ({ name, finishedAt = 0 }: RuntimeContainer): number => finishedAt + this.#delays.delayAfter(name, finishedAt);

  #countRestart({ name, finishedAt = 0 }: RuntimeContainer): void {
    this.#delays.retried(name, finishedAt, this.#options.clock.now());
  }

  /** Takes out what failed a short while ago, and says why it waits. */
  #holdBack(plan: PodPlan): PodPlan {
    const now = this.#options.clock.now();
    const held = ({ container }: PodPlan['start'][number]) => {
      const entry = this.#heldBack.get(container.name);
      if (!entry || entry.until <= now) return false;
      this.#wakeAt(entry.until);
      if (entry.problem.reason === 'ErrImagePull') {
        this.#report(container, new ContainerProblem('ImagePullBackOff', `Back-off pulling image "${container.image}"`));
      }
      return true;
    };
    return { ...plan, start: plan.start.filter((start) => !held(start)) };
  }

  /** A container that keeps ending: it starts again when its delay is over. */
  #wait(container: Container, until: number): void {
    const { name = '', namespace = '', uid } = this.#pod.metadata ?? {};
    const newest = this.#options.runtime.pod(this.#uid).containers.find((other) => other.name === container.name);
    const seconds = Math.round((until - (newest?.finishedAt ?? until)) / 1000);
    const message = `back-off ${formatDelay(seconds)} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`;
    this.#report(container, new ContainerProblem('CrashLoopBackOff', message));
    this.#wakeAt(until);
  }

  /** Remembers what a container waits for; told once, not at every look. */
  #report(container: Container, problem: ContainerProblem): void {
    if (this.#waiting.get(container.name)?.message === problem.message) return;
    this.#waitFor(container, problem);
    this.#options.report({ kind: 'waiting', container, problem });
  }

  #waitFor({ name }: Container, { reason, message }: ContainerProblem): void {
    this.#waiting.set(name, { reason, message });
  }

  /** After an attempt to start a container. */
  #note(container: Container, problem: ContainerProblem | undefined): void {
    const now = this.#options.clock.now();
    this.#heldBack.delete(container.name);
    this.#waiting.delete(container.name);
    if (!problem) return;
    this.#waitFor(container, problem);
    this.#wakeAt(now + lookAgainAfterMs);
    // It was created, so it ended: the delays of containers that end apply.
    if (problem.reason === 'RunContainerError') return;

    const pulling = `pull ${container.image}`;
    if (problem.reason === 'ErrImagePull') this.#delays.retried(pulling, now, now);
    const delay = this.#delays.delayAfter(pulling, now) || retryAfterMs;
    this.#heldBack.set(container.name, { until: now + delay, problem });
  }

  /** Stops the containers, says so, removes what is left, and gives the pod's name free. */
  async #terminate(): Promise<void> {
    const { runtime, volumes, statuses, client, done } = this.#options;
    this.#grace = this.#graceNow();
    await this.#stopContainers(this.#grace);
    this.#publish();
    if (!this.#gone) await statuses.flush(this.#uid);

    const { containers, sandboxes } = runtime.pod(this.#uid);
    await Promise.all(containers.map(({ id }) => runtime.removeContainer(id)));
    await Promise.all(sandboxes.map(({ id }) => runtime.removeSandbox(id)));
    await volumes.remove(this.#pod);
    if (!this.#gone) {
      const { name = '', namespace, uid = '' } = this.#pod.metadata ?? {};
      try {
        await client.delete(Pods, { name, namespace }, { gracePeriodSeconds: 0, preconditions: { uid } });
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error)) throw error;
      }
    }
    this.#stopped = true;
    this.#alarm?.timer.cancel();
    statuses.forget(this.#uid);
    done();
  }

  async #stopContainers(grace: number): Promise<void> {
    const running = this.#options.runtime.pod(this.#uid).containers.filter(({ state }) => state === 'running');
    await Promise.all(running.map(({ id, name }) => stopContainer(this.#pod, id, name, grace, this.#options)));
  }

  /** Starts nothing more; and when the grace became shorter while containers are being stopped, stops them by the shorter one. */
  #hurry(): void {
    this.#starting.abort();
    const grace = this.#graceNow();
    if (this.#grace === undefined || grace >= this.#grace) return;
    this.#grace = grace;
    this.#stopContainers(grace).catch((error) => this.#options.log.warn('stopping a pod faster failed', { error }));
  }

  #graceNow(): number {
    const deletion = this.#pod.metadata?.deletionGracePeriodSeconds;
    return this.#gone ? Math.min(deletion ?? forcedGraceSeconds, forcedGraceSeconds) : gracePeriodOf(this.#pod);
  }

  #publish(): void {
    const { runtime, clock, statuses, hostIp } = this.#options;
    if (this.#gone) return;
    const context = { hostIp, runtimeName: runtime.name, now: clock.now(), waiting: this.#waiting };
    const previous = statuses.latest(this.#uid) ?? this.#pod.status;
    const state = runtime.pod(this.#uid);
    const ephemeral = ephemeralStatuses(this.#pod, state, context);
    const status = behindGates(this.#pod, statusFor(this.#pod, state, context, previous), previous, context.now);
    statuses.write(this.#pod, ephemeral.length > 0 ? { ...status, ephemeralContainerStatuses: ephemeral } : status);
  }

  /** One timer, for the earliest time. */
  #wakeAt(time: number): void {
    if (this.#stopped || (this.#alarm && this.#alarm.time <= time)) return;
    this.#alarm?.timer.cancel();
    const timer = this.#options.clock.after(Math.max(0, time - this.#options.clock.now()), () => {
      this.#alarm = undefined;
      this.wake();
    });
    this.#alarm = { time, timer };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `10s`, `1m20s`, `5m0s`: as Go prints it. */
function formatDelay(seconds: number): string {
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
