// Keeps the status of disruption budgets: how many pods there should be, how many must stay healthy, how many are, and so how many may go. The
// API server spends from that when it evicts a pod, and writes down which: until the pod is seen to go, it counts as gone.
// Kubernetes: pkg/controller/disruption/disruption.go

import { isDeepStrictEqual } from 'node:util';
import {
  Deployments,
  type KubernetesObject,
  keyOf,
  type Pod,
  type PodDisruptionBudget,
  PodDisruptionBudgets,
  Pods,
  ReplicaSets,
  ReplicationControllers,
  type Resource,
} from '#kit/api';
import type { Client } from '#kit/client';
import type { Clock } from '#kit/clock';
import type { Controller, ControllerContext } from './context.ts';
import type { Informer } from './informer.ts';
import { matchesSelector } from './label-selector.ts';
import { controllerOf } from './ownership.ts';
import { isReady, isTerminating } from './pods.ts';
import { WorkQueue } from './work-queue.ts';

type Status = NonNullable<PodDisruptionBudget['status']>;
type Scaled = KubernetesObject & { spec?: { replicas?: number } };

/** A pod that was let go and does not go after all counts again. Kubernetes: DeletionTimeout */
const deletionTimeoutMs = 2 * 60_000;

export class DisruptionController implements Controller {
  readonly name = 'disruption-controller';
  readonly workers = 1;
  readonly queue: WorkQueue;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #budgets: Informer<PodDisruptionBudget>;
  readonly #pods: Informer<Pod>;
  readonly #scaled: Record<string, Informer<Scaled>>;

  constructor(context: ControllerContext) {
    const { client, clock, informers } = context;
    this.queue = new WorkQueue(context);
    this.#client = client;
    this.#clock = clock;
    this.#budgets = informers.for(PodDisruptionBudgets);
    this.#pods = informers.for(Pods);
    const scaled = [Deployments, ReplicaSets, ReplicationControllers] as Resource<Scaled>[];
    this.#scaled = Object.fromEntries(scaled.map((resource) => [resource.kind, informers.for(resource)]));
    const look = (budget: PodDisruptionBudget) => this.queue.add(keyOf(budget));
    this.#budgets.onChange({ added: look, updated: look });
    const lookAt = (pod: Pod) =>
      this.#budgets
        .list(pod.metadata?.namespace)
        .filter((budget) => chooses(budget, pod))
        .forEach(look);
    this.#pods.onChange({
      added: lookAt,
      updated: (pod, old) => {
        lookAt(old);
        lookAt(pod);
      },
      deleted: lookAt,
    });
    // Whatever is scaled may own pods of any budget in its namespace.
    for (const informer of Object.values(this.#scaled)) {
      informer.onChange({
        updated: (object, old) => {
          if (object.spec?.replicas !== old.spec?.replicas) this.#budgets.list(object.metadata?.namespace).forEach(look);
        },
      });
    }
  }

  /** A budget from which somebody has spent meanwhile is a Conflict, and counted again. */
  async reconcile(key: string): Promise<void> {
    const budget = this.#budgets.get(key);
    if (!budget) return;
    const pods = this.#pods.list(budget.metadata?.namespace).filter((pod) => chooses(budget, pod));
    const disrupted = stillToGo(budget.status?.disruptedPods ?? {}, pods, this.#clock.now());
    const status = statusOf(budget, { pods, disrupted, expected: () => this.#expectedScale(pods) }, this.#clock.now());
    if (!isDeepStrictEqual(status, budget.status)) await this.#client.updateStatus(PodDisruptionBudgets, { ...budget, status });
    const [first] = Object.values(disrupted).map((since) => Date.parse(since) + deletionTimeoutMs - this.#clock.now());
    if (first !== undefined) this.queue.addAfter(key, first);
  }

  /** The replicas of all that own these pods, each owner once. @throws Error if a pod belongs to nobody who could be scaled */
  #expectedScale(pods: Pod[]): number {
    const owners = new Map<string, number>();
    for (const pod of pods) {
      const owner = this.#scaledOwner(pod);
      if (!owner) throw new Error(`found no controllers for pod ${JSON.stringify(pod.metadata?.name)}`);
      owners.set(owner.metadata?.uid ?? '', owner.spec?.replicas ?? 1);
    }
    return [...owners.values()].reduce((sum, replicas) => sum + replicas, 0);
  }

  /** A replica set's own owner decides about its scale. */
  #scaledOwner(object: KubernetesObject): Scaled | undefined {
    const reference = controllerOf(object);
    const owner = reference && this.#scaled[reference.kind]?.get(keyOf({ metadata: { ...object.metadata, name: reference.name } }));
    if (!owner || owner.metadata?.uid !== reference.uid) return undefined;
    return this.#scaledOwner(owner) ?? owner;
  }
}

export interface Disruption {
  pods: Pod[];
  /** Pods that were let go, by name, and when. */
  disrupted: Record<string, string>;
  /** How many pods those who own them want. @throws Error if that cannot be known */
  expected: () => number;
}

/** What the budget's status should be. When the pods cannot be counted, none may go. */
export function statusOf(budget: PodDisruptionBudget, { pods, disrupted, expected }: Disruption, now: number): Status {
  const counts = () => {
    const { expectedPods, desiredHealthy } = wantedOf(budget, pods, expected);
    const isLetGo = ({ metadata }: Pod) => Object.hasOwn(disrupted, metadata?.name ?? '');
    const currentHealthy = pods.filter((pod) => isReady(pod) && !isTerminating(pod) && !isLetGo(pod)).length;
    const disruptionsAllowed = expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
    return { expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed };
  };
  const about = {
    observedGeneration: budget.metadata?.generation ?? 0,
    ...(Object.keys(disrupted).length > 0 ? { disruptedPods: disrupted } : {}),
  };
  try {
    const found = counts();
    const allowed = found.disruptionsAllowed > 0;
    return { ...about, ...found, conditions: conditionsOf(budget, allowed, allowed ? 'SufficientPods' : 'InsufficientPods', '', now) };
  } catch (error) {
    const { expectedPods = 0, desiredHealthy = 0, currentHealthy = 0 } = budget.status ?? {};
    const conditions = conditionsOf(budget, false, 'SyncFailed', (error as Error).message, now);
    return { ...about, expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed: 0, conditions };
  }
}

/** A number of pods that must stay says nothing of how many there should be: those that are there. Shares are rounded up, either way. */
function wantedOf({ spec }: PodDisruptionBudget, pods: Pod[], expected: () => number): { expectedPods: number; desiredHealthy: number } {
  const { minAvailable, maxUnavailable } = spec ?? {};
  if (maxUnavailable !== undefined) {
    const expectedPods = expected();
    return { expectedPods, desiredHealthy: Math.max(0, expectedPods - amountOf(maxUnavailable, expectedPods)) };
  }
  if (typeof minAvailable !== 'string') return { expectedPods: pods.length, desiredHealthy: minAvailable ?? 0 };
  const expectedPods = expected();
  return { expectedPods, desiredHealthy: amountOf(minAvailable, expectedPods) };
}

/** `2`, or `"50%"` of all. */
function amountOf(value: number | string, of: number): number {
  if (typeof value === 'number') return value;
  return value.endsWith('%') ? Math.ceil((Number.parseInt(value, 10) * of) / 100) : Number(value);
}

function conditionsOf(
  budget: PodDisruptionBudget,
  isAllowed: boolean,
  reason: string,
  message: string,
  now: number,
): NonNullable<Status['conditions']> {
  const status = isAllowed ? 'True' : 'False';
  const before = budget.status?.conditions?.find(({ type }) => type === 'DisruptionAllowed');
  const lastTransitionTime = before?.status === status ? before.lastTransitionTime : new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  const observedGeneration = budget.metadata?.generation ?? 0;
  return [{ type: 'DisruptionAllowed', status, reason, message, lastTransitionTime, observedGeneration }];
}

/** Of those that were let go: whoever is still there, is not going yet, and was let go a short while ago. */
function stillToGo(disruptedPods: Record<string, string>, pods: Pod[], now: number): Record<string, string> {
  return Object.fromEntries(
    Object.entries(disruptedPods).filter(([name, since]) => {
      const pod = pods.find(({ metadata }) => metadata?.name === name);
      return pod && !isTerminating(pod) && Date.parse(since) + deletionTimeoutMs > now;
    }),
  );
}

function chooses({ spec }: PodDisruptionBudget, { metadata }: Pod): boolean {
  return matchesSelector(spec?.selector, metadata?.labels);
}
