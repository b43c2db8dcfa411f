// Keeps the wanted number of pods for every ReplicaSet, and for every ReplicationController, which is the same idea with an older
// selector. The decisions are in replica-set.ts; this file watches, asks them, and acts.
// Kubernetes: pkg/controller/replicaset/replica_set.go; pkg/controller/replication wraps it just so

import {
  keyOf,
  type LabelSelector,
  type Pod,
  Pods,
  type PodTemplateSpec,
  type ReplicaSet,
  ReplicaSets,
  type ReplicationController,
  ReplicationControllers,
  type Resource,
} from '#kit/api';
import type { Client } from '#kit/client';
import { type Clock, timestamp } from '#kit/clock';
import { EventRecorder } from '#kit/events';
import { NotImplemented } from '#kit/not-implemented';
import { isNotFound } from '#kit/status';
import type { Controller, ControllerContext } from './context.ts';
import { Expectations } from './expectations.ts';
import type { Informer } from './informer.ts';
import { isEmptySelector, matchesSelector } from './label-selector.ts';
import { claim, controllerOf, controllerReference, planClaims } from './ownership.ts';
import { isTerminating } from './pods.ts';
import { countReplicas, nextAvailability, planReplicas, type ReplicaPlan } from './replica-set.ts';
import { slowStart } from './slow-start.ts';
import { WorkQueue } from './work-queue.ts';

type PodSet = ReplicaSet | ReplicationController;

/** Where the two kinds differ. */
interface Kind<T extends PodSet> {
  resource: Resource<T>;
  selectorOf(set: T): LabelSelector | undefined;
}

export function replicaSetController(context: ControllerContext): Controller {
  return new PodSetController('replicaset-controller', context, { resource: ReplicaSets, selectorOf: ({ spec }) => spec?.selector });
}

export function replicationController(context: ControllerContext): Controller {
  const selectorOf = ({ spec }: ReplicationController) => ({ matchLabels: spec?.selector ?? spec?.template?.metadata?.labels ?? {} });
  return new PodSetController('replicationcontroller-controller', context, { resource: ReplicationControllers, selectorOf });
}

class PodSetController<T extends PodSet> implements Controller {
  readonly name: string;
  readonly workers = 5;
  readonly queue: WorkQueue;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #kind: Kind<T>;
  readonly #sets: Informer<T>;
  readonly #pods: Informer<Pod>;
  readonly #expectations: Expectations;
  readonly #events: EventRecorder;

  constructor(name: string, context: ControllerContext, kind: Kind<T>) {
    this.name = name;
    this.queue = new WorkQueue(context);
    this.#client = context.client;
    this.#clock = context.clock;
    this.#kind = kind;
    this.#sets = context.informers.for(kind.resource);
    this.#pods = context.informers.for(Pods);
    this.#expectations = new Expectations(context.clock);
    this.#events = new EventRecorder(context.client, name, context);
    this.#sets.onChange({
      added: (set) => this.queue.add(keyOf(set)),
      updated: (set) => this.queue.add(keyOf(set)),
      deleted: (set) => {
        this.#expectations.forget(keyOf(set));
        this.queue.add(keyOf(set));
      },
    });
    this.#pods.onChange({
      added: (pod) => this.#podAdded(pod),
      updated: (pod, old) => this.#podUpdated(pod, old),
      deleted: (pod) => this.#podGone(pod),
    });
  }

  /**
   * Makes the pods of one set what it asks for: claims its pods; creates or deletes (`manage`) unless the cache is known to be stale or
   * the set is being deleted; reports the status; and comes back when a ready pod is about to count as available. Both are said of one
   * moment: a pod that becomes available between two looks at the clock would be reported by neither. What failed in between is
   * thrown at the end, so that the status is right even then.
   */
  async reconcile(key: string): Promise<void> {
    throw new NotImplemented('3.3', 'Claim the pods, create or delete what the plan says, update the status');
  }

  /**
   * Carries the plan out: creates with slow start, or deletes all at once. Expectations are written down first, and those of orders
   * that failed or were never given are crossed off, or the set would wait for events that cannot come.
   */
  async manage(set: T, plan: ReplicaPlan): Promise<Problem | undefined> {
    throw new NotImplemented('3.3', 'Write down expectations, create with slow start or delete, cross off what failed');
  }

  async #createPod(set: T): Promise<void> {
    try {
      const pod = await this.#client.create(Pods, podOf(set));
      this.#events.event(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata?.name}`);
    } catch (error) {
      this.#events.event(set, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
      throw error;
    }
  }

  async #deletePod(set: T, pod: Pod): Promise<void> {
    const { name = '', namespace, uid = '' } = pod.metadata ?? {};
    try {
      await this.#client.delete(Pods, { name, namespace }, { preconditions: { uid } });
      this.#events.event(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
    } catch (error) {
      this.#expectations.deletionObserved(keyOf(set), keyOf(pod));
      if (isNotFound(error)) return;
      this.#events.event(set, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
      throw error;
    }
  }

  /** The pods this set controls now, in whatever state. */
  #claimPods(set: T): Promise<Pod[]> {
    const { uid = '', namespace = '' } = set.metadata ?? {};
    const selector = this.#kind.selectorOf(set);
    const candidates = [...this.#pods.byIndex('controller', uid), ...this.#pods.byIndex('orphansIn', namespace)];
    const usable = selector && !isEmptySelector(selector) ? selector : undefined;
    const claims = usable ? planClaims(set, usable, candidates) : { keep: [], adopt: [], release: [] };
    return claim(this.#client, { ownerResource: this.#kind.resource, owner: set, resource: Pods }, claims);
  }

  /** Writes the status only when it says something new: every write wakes everybody who watches. */
  async #updateStatus(set: T, pods: Pod[], now: number, problem: Problem | undefined): Promise<void> {
    const { template = {}, minReadySeconds = 0 } = set.spec ?? {};
    const counts = countReplicas(template as PodTemplateSpec, minReadySeconds, pods, now);
    const conditions = failureCondition(set, problem, timestamp(this.#clock));
    const old = set.status;
    const same =
      old?.observedGeneration === set.metadata?.generation &&
      old?.replicas === counts.replicas &&
      (old?.fullyLabeledReplicas ?? 0) === counts.fullyLabeledReplicas &&
      (old?.readyReplicas ?? 0) === counts.readyReplicas &&
      (old?.availableReplicas ?? 0) === counts.availableReplicas &&
      (old?.conditions ?? [])[0]?.reason === conditions[0]?.reason;
    if (same) return;
    const status = { ...counts, observedGeneration: set.metadata?.generation ?? 0, ...(conditions.length > 0 ? { conditions } : {}) };
    await this.#client.updateStatus(this.#kind.resource, { ...set, status });
  }

  #podAdded(pod: Pod): void {
    const owner = this.#ownerOf(pod);
    if (owner && !isTerminating(pod)) this.#expectations.creationObserved(owner);
    this.#podUpdated(pod, pod);
  }

  #podUpdated(pod: Pod, old: Pod): void {
    const [owner, oldOwner] = [this.#ownerOf(pod), this.#ownerOf(old)];
    if (oldOwner && oldOwner !== owner) this.queue.add(oldOwner);
    if (isTerminating(pod)) this.#podGone(pod);
    else if (owner) this.queue.add(owner);
    else this.#wakeMatching(pod);
  }

  #podGone(pod: Pod): void {
    const owner = this.#ownerOf(pod);
    if (!owner) return;
    this.#expectations.deletionObserved(owner, keyOf(pod));
    this.queue.add(owner);
  }

  /** The key of the set that controls the pod, if it is one of ours and the very one (same uid). */
  #ownerOf(pod: Pod): string | undefined {
    const reference = controllerOf(pod);
    if (reference?.kind !== this.#kind.resource.kind) return undefined;
    const key = `${pod.metadata?.namespace}/${reference.name}`;
    return this.#sets.get(key)?.metadata?.uid === reference.uid ? key : undefined;
  }

  /** An orphan is of interest to every set that may adopt it. */
  #wakeMatching(pod: Pod): void {
    if (controllerOf(pod)) return;
    for (const set of this.#sets.list(pod.metadata?.namespace)) {
      if (matchesSelector(this.#kind.selectorOf(set), pod.metadata?.labels)) this.queue.add(keyOf(set));
    }
  }
}

interface Problem {
  reason: 'FailedCreate' | 'FailedDelete';
  error: unknown;
}

/** A pod as the template says, in the set's namespace, controlled by the set, named by the server. */
function podOf(set: PodSet): Pod {
  const { metadata = {}, spec } = set.spec?.template ?? {};
  const { labels = {}, annotations = {}, finalizers } = metadata;
  return {
    metadata: {
      generateName: `${set.metadata?.name}-`,
      namespace: set.metadata?.namespace ?? '',
      labels,
      annotations,
      ...(finalizers ? { finalizers } : {}),
      ownerReferences: [controllerReference(set)],
    },
    ...(spec ? { spec } : {}),
  };
}

/** The condition ReplicaFailure stands while the last attempt failed, and keeps the time since when. */
function failureCondition(set: PodSet, problem: Problem | undefined, now: string) {
  if (!problem) return [];
  const known = set.status?.conditions?.find(({ type, reason }) => type === 'ReplicaFailure' && reason === problem.reason);
  return [
    known ?? { type: 'ReplicaFailure', status: 'True', reason: problem.reason, message: messageOf(problem.error), lastTransitionTime: now },
  ];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
