// Rolls a Deployment from one pod template to the next by scaling ReplicaSets; it never touches a pod. The decisions are in
// deployment-revisions.ts, rolling-update.ts, deployment-scaling.ts and deployment-status.ts; this file watches, asks, acts.
// Kubernetes: pkg/controller/deployment/deployment_controller.go, sync.go

import { isDeepStrictEqual } from 'node:util';
import { type Deployment, Deployments, keyOf, type Pod, Pods, type ReplicaSet, ReplicaSets } from '#kit/api';
import type { Client } from '#kit/client';
import { type Clock, timestamp } from '#kit/clock';
import { EventRecorder } from '#kit/events';
import { NotImplemented } from '#kit/not-implemented';
import { isAlreadyExists } from '#kit/status';
import type { Controller, ControllerContext } from './context.ts';
import {
  buildNewSet,
  desiredReplicasAnnotation,
  type Generations,
  generationsOf,
  maxReplicasAnnotation,
  newSetAnnotations,
  revisionAnnotation,
  revisionFor,
  revisionOf,
  setsToForget,
} from './deployment-revisions.ts';
import { scaleAll, wasScaled } from './deployment-scaling.ts';
import { countDeployment, deadlineIn, deploymentStatus, isComplete } from './deployment-status.ts';
import type { Informer } from './informer.ts';
import { isEmptySelector, matchesSelector } from './label-selector.ts';
import { claim, controllerOf, isControlledBy, planClaims } from './ownership.ts';
import { sameTemplate } from './pod-template.ts';
import { boundsOf, nextRecreateStep, nextRollingStep, replicasOf, type Scaling, totalReplicas, wantedReplicas } from './rolling-update.ts';
import { WorkQueue } from './work-queue.ts';

export class DeploymentController implements Controller {
  readonly name = 'deployment-controller';
  readonly workers = 5;
  readonly queue: WorkQueue;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #deployments: Informer<Deployment>;
  readonly #sets: Informer<ReplicaSet>;
  readonly #pods: Informer<Pod>;
  readonly #events: EventRecorder;

  constructor(context: ControllerContext) {
    const { client, clock, informers } = context;
    this.queue = new WorkQueue(context);
    this.#client = client;
    this.#clock = clock;
    this.#events = new EventRecorder(client, this.name, context);
    this.#deployments = informers.for(Deployments);
    this.#sets = informers.for(ReplicaSets);
    this.#pods = informers.for(Pods);
    const wake = (deployment: Deployment) => this.queue.add(keyOf(deployment));
    this.#deployments.onChange({ added: wake, updated: wake });
    this.#sets.onChange({
      added: (set) => this.#setChanged(set),
      updated: (set, old) => {
        if (controllerOf(old)?.uid !== controllerOf(set)?.uid) this.#setChanged(old);
        this.#setChanged(set);
      },
      deleted: (set) => this.#setChanged(set),
    });
    // Recreate waits for the last old pod to be gone, which no ReplicaSet's status tells.
    this.#pods.onChange({ deleted: (pod) => this.#podGone(pod) });
  }

  /**
   * One step of one Deployment: claim its sets; find the new one and, unless paused, make it if there is none; take the step that the
   * strategy or a scaling asks for; forget sets that history has no room for; report the status.
   */
  async reconcile(key: string): Promise<void> {
    throw new NotImplemented('3.4', 'Claim the sets, keep the new set right, take the next step, update the status');
  }

  /**
   * What the Deployment's strategy does next.
   */
  nextStep(deployment: Deployment, generations: Generations): Scaling[] {
    const { newSet, oldSets } = generations;
    if (deployment.spec?.strategy?.type === 'Recreate') return nextRecreateStep(deployment, generations, this.#podsRunIn(oldSets));
    return newSet ? nextRollingStep(deployment, newSet, oldSets) : [];
  }

  #claimSets(deployment: Deployment): Promise<ReplicaSet[]> {
    const { uid = '', namespace = '' } = deployment.metadata ?? {};
    const candidates = [...this.#sets.byIndex('controller', uid), ...this.#sets.byIndex('orphansIn', namespace)];
    const claims = planClaims(deployment, deployment.spec?.selector ?? {}, candidates);
    return claim(this.#client, { ownerResource: Deployments, owner: deployment, resource: ReplicaSets }, claims);
  }

  /** The new set, made if there is none. A rolling update makes it in its first size at once; Recreate waits for the old pods. */
  async #ensureNewSet(deployment: Deployment, known: Generations): Promise<Kept & { created: boolean }> {
    if (known.newSet) return { ...(await this.#keepNewSet(deployment, known)), created: false };
    const isRecreate = deployment.spec?.strategy?.type === 'Recreate';
    if (isRecreate && (totalReplicas(known.oldSets) > 0 || this.#podsRunIn(known.oldSets))) {
      return { current: deployment, generations: known, created: false };
    }
    const revision = revisionFor(known);
    const built = buildNewSet(deployment, revision);
    const replicas = isRecreate ? wantedReplicas(deployment) : (nextRollingStep(deployment, built, known.oldSets)[0]?.replicas ?? 0);
    const newSet = await this.#createSet(deployment, sized(deployment, built, replicas));
    return { current: await this.#markRevision(deployment, revision), generations: { ...known, newSet }, created: true };
  }

  /** A set of that name may be there already: ours, and the cache has not shown it yet; or another one, by a collision of hashes. */
  async #createSet(deployment: Deployment, set: ReplicaSet): Promise<ReplicaSet> {
    try {
      const created = await this.#client.create(ReplicaSets, set);
      if (replicasOf(set) > 0) this.#sayScaled(deployment, set, 0, replicasOf(set));
      return created;
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
      const { name = '', namespace } = set.metadata ?? {};
      const there = await this.#client.get(ReplicaSets, { name, namespace });
      if (isControlledBy(there, deployment) && sameTemplate(there.spec?.template ?? {}, set.spec?.template ?? {})) return there;
      const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
      await this.#client.updateStatus(Deployments, { ...deployment, status: { ...deployment.status, collisionCount } });
      throw new Error(`another ReplicaSet is named ${name}; the next try takes another hash`, { cause: error });
    }
  }

  /** Brings the new set's revision, annotations and minReadySeconds up to date, if there is one. */
  async #keepNewSet(deployment: Deployment, known: Generations): Promise<Kept> {
    const { newSet, oldSets } = known;
    if (!newSet?.spec) return { current: deployment, generations: known };
    const revision = revisionFor(known);
    const annotations = newSetAnnotations(deployment, newSet, revision);
    const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
    const isRight =
      isDeepStrictEqual(annotations, newSet.metadata?.annotations ?? {}) && minReadySeconds === (newSet.spec.minReadySeconds ?? 0);
    const kept = isRight
      ? newSet
      : await this.#client.update(ReplicaSets, {
          ...newSet,
          metadata: { ...newSet.metadata, annotations },
          spec: { ...newSet.spec, minReadySeconds },
        });
    return { current: await this.#markRevision(deployment, revision), generations: { newSet: kept, oldSets } };
  }

  async #markRevision(deployment: Deployment, revision: number): Promise<Deployment> {
    if (revisionOf(deployment) === revision) return deployment;
    const { name = '', namespace } = deployment.metadata ?? {};
    const annotations = { [revisionAnnotation]: String(revision) };
    return this.#client.patch(Deployments, { name, namespace }, 'merge', { metadata: { annotations } });
  }

  /** Writes the sizes and answers the generations as they are now. A stale cache is found out by a Conflict, never acted on. */
  async #apply(deployment: Deployment, { newSet, oldSets }: Generations, scalings: Scaling[]): Promise<Generations> {
    const written = new Map<ReplicaSet, ReplicaSet>();
    for (const { set, replicas } of scalings) {
      const wished = sized(deployment, set, replicas);
      if (isDeepStrictEqual(wished, set)) continue;
      written.set(set, await this.#client.update(ReplicaSets, wished));
      if (replicas !== replicasOf(set)) this.#sayScaled(deployment, set, replicasOf(set), replicas);
    }
    return { newSet: newSet && (written.get(newSet) ?? newSet), oldSets: oldSets.map((set) => written.get(set) ?? set) };
  }

  #sayScaled(deployment: Deployment, set: ReplicaSet, from: number, to: number): void {
    const direction = to > from ? 'up' : 'down';
    this.#events.event(
      deployment,
      'Normal',
      'ScalingReplicaSet',
      `Scaled ${direction} replica set ${set.metadata?.name} from ${from} to ${to}`,
    );
  }

  async #forgetSets(deployment: Deployment, generations: Generations): Promise<void> {
    const counts = countDeployment({ deployment, ...generations, created: false, now: '' });
    if (!isComplete(deployment, counts)) return;
    for (const { metadata } of setsToForget(deployment, generations.oldSets)) {
      const { name = '', namespace, uid = '' } = metadata ?? {};
      await this.#client.delete(ReplicaSets, { name, namespace }, { preconditions: { uid } });
    }
  }

  async #report(deployment: Deployment, generations: Generations, created: boolean): Promise<void> {
    const now = timestamp(this.#clock);
    const status = deploymentStatus({ deployment, ...generations, created, now });
    const reported = { ...deployment, status };
    const changed = !isDeepStrictEqual(status, deployment.status);
    if (changed) await this.#client.updateStatus(Deployments, reported);
    const deadline = deadlineIn(reported, now);
    if (deadline !== undefined && deadline > 0) this.queue.addAfter(keyOf(deployment), deadline + 1_000);
  }

  /** Pods on their way out count: their containers still run. */
  #podsRunIn(sets: ReplicaSet[]): boolean {
    return sets
      .flatMap(({ metadata }) => this.#pods.byIndex('controller', metadata?.uid ?? ''))
      .some(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
  }

  #setChanged(set: ReplicaSet): void {
    const reference = controllerOf(set);
    const namespace = set.metadata?.namespace ?? '';
    if (reference) {
      if (reference.kind === 'Deployment') this.queue.add(`${namespace}/${reference.name}`);
      return;
    }
    for (const deployment of this.#deployments.list(namespace)) {
      if (matchesSelector(deployment.spec?.selector, set.metadata?.labels)) this.queue.add(keyOf(deployment));
    }
  }

  #podGone(pod: Pod): void {
    const [set] = this.#sets.byIndex('uid', controllerOf(pod)?.uid ?? '');
    const owner = set && controllerOf(set);
    if (owner?.kind !== 'Deployment') return;
    const deployment = this.#deployments.get(`${pod.metadata?.namespace}/${owner.name}`);
    if (deployment?.spec?.strategy?.type === 'Recreate') this.queue.add(keyOf(deployment));
  }
}

interface Kept {
  /** The Deployment as it is now: marking its revision writes to it. */
  current: Deployment;
  generations: Generations;
}

/** The set with that size, and with what the Deployment wanted at that moment. */
function sized(deployment: Deployment, set: ReplicaSet, replicas: number): ReplicaSet {
  const wanted = wantedReplicas(deployment);
  const annotations = {
    ...set.metadata?.annotations,
    [desiredReplicasAnnotation]: String(wanted),
    [maxReplicasAnnotation]: String(wanted + boundsOf(deployment).maxSurge),
  };
  return { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas } } as ReplicaSet;
}
