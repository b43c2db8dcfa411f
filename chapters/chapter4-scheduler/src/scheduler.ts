// The heart: takes a pod, decides, and acts on the decision. Several pods may be under way at the same time, but only their requests to
// the API server overlap: each decision is made in one go, and is in the cache before the next one begins.
// Kubernetes: pkg/scheduler/schedule_one.go

import { keyOf, type Pod, Pods } from '#kit/api';
import type { Client } from '#kit/client';
import type { Clock } from '#kit/clock';
import type { EventRecorder } from '#kit/events';
import { NotImplemented } from '#kit/not-implemented';
import { isNotFound } from '#kit/status';
import { bindPod } from './binding.ts';
import type { SchedulerCache } from './cache.ts';
import { explain, noNodes, unschedulableCondition } from './explain.ts';
import type { SchedulerMetrics } from './metrics.ts';
import { type Rejections, schedule } from './schedule.ts';
import type { UnschedulablePods } from './unschedulable-pods.ts';
import { awaitsScheduling } from './which-pods.ts';

export interface SchedulerParts {
  client: Client;
  clock: Clock;
  /** The pod as the informer knows it now. */
  pod(key: string): Pod | undefined;
  cache: SchedulerCache;
  unschedulable: UnschedulablePods;
  events: EventRecorder;
  metrics: SchedulerMetrics;
}

export class Scheduler {
  readonly #parts: SchedulerParts;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
  }

  /**
   * Finds a place for the pod with this key, or reports that there is none. A key is only a hint: the pod may be gone, it may have
   * ceased to await scheduling, or it may be on a node already by assumption (`cache.has`): then there is nothing to do.
   * `schedule` decides with `cache.snapshot()`; `assumeAndBind` and `reportUnschedulable` act.
   */
  async scheduleOne(key: string): Promise<void> {
    throw new NotImplemented('4.1', 'Look the pod up, decide where it goes, and bind it or report that it fits nowhere');
  }

  /**
   * Counts the pod on the node at once (`cache.assume`), then binds it. Bound: `reportScheduled`. Not bound: takes the assumption back
   * (`cache.forget`) and passes the error on, so that the pod is tried again.
   */
  async assumeAndBind(pod: Pod, nodeName: string): Promise<void> {
    throw new NotImplemented(
      '4.1',
      'Assume the pod on the node before anything is awaited, bind it, and take the assumption back when that fails',
    );
  }

  reportScheduled(pod: Pod, nodeName: string): void {
    this.#parts.unschedulable.forget(keyOf(pod));
    this.#parts.metrics.attempted('scheduled');
    this.#parts.events.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${keyOf(pod)} to ${nodeName}`);
  }

  /** Puts the pod aside, and tells its owner why: an event, and the condition PodScheduled. */
  async reportUnschedulable(pod: Pod, rejections: Rejections): Promise<void> {
    const { client, clock, unschedulable, metrics, events } = this.#parts;
    unschedulable.failed(keyOf(pod));
    metrics.attempted('unschedulable');
    const message = rejections.size > 0 ? explain(rejections) : noNodes;
    events.event(pod, 'Warning', 'FailedScheduling', message);
    const condition = unschedulableCondition(pod, message, clock);
    if (!condition) return;
    const { name = '', namespace } = pod.metadata ?? {};
    try {
      const patch = { metadata: { uid: pod.metadata?.uid }, status: { conditions: [condition] } };
      await client.patch(Pods, { name, namespace }, 'strategic-merge', patch, { subresource: 'status' });
    } catch (error) {
      // The pod was deleted meanwhile: nobody is left to be told.
      if (!isNotFound(error)) throw error;
    }
  }
}
