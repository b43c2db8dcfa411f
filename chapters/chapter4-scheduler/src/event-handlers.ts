// What the scheduler makes of each change in the cluster: it keeps its cache true, queues pods that want a place, and wakes those that
// fit nowhere when a change could help them.
// Kubernetes: pkg/scheduler/eventhandlers.go

import { isDeepStrictEqual } from 'node:util';
import type { ChangeHandler } from '#controller-manager/informer';
import type { WorkQueue } from '#controller-manager/work-queue';
import { keyOf, type Node, type Pod } from '#kit/api';
import type { SchedulerCache } from './cache.ts';
import type { UnschedulablePods } from './unschedulable-pods.ts';
import { awaitsScheduling, occupiesNode } from './which-pods.ts';

interface SchedulerState {
  cache: SchedulerCache;
  queue: WorkQueue;
  unschedulable: UnschedulablePods;
}

export function podHandler({ cache, queue, unschedulable }: SchedulerState): Required<ChangeHandler<Pod>> {
  const freeRoom = (pod: Pod) => {
    if (cache.removePod(pod)) unschedulable.retryAll();
  };
  const settle = (pod: Pod) => {
    unschedulable.forget(keyOf(pod));
    if (occupiesNode(pod)) cache.setPod(pod);
    else freeRoom(pod);
  };
  return {
    added: (pod) => (awaitsScheduling(pod) ? queue.add(keyOf(pod)) : settle(pod)),
    updated: (pod, old) => {
      if (!awaitsScheduling(pod)) settle(pod);
      else if (!awaitsScheduling(old) || asksForSomethingElse(pod, old)) queue.add(keyOf(pod));
    },
    deleted: (pod) => {
      unschedulable.forget(keyOf(pod));
      freeRoom(pod);
    },
  };
}

export function nodeHandler({ cache, unschedulable }: SchedulerState): Required<ChangeHandler<Node>> {
  return {
    added: (node) => {
      cache.setNode(node);
      unschedulable.retryAll();
    },
    updated: (node, old) => {
      cache.setNode(node);
      if (offersSomethingElse(node, old)) unschedulable.retryAll();
    },
    deleted: (node) => cache.removeNode(keyOf(node)),
  };
}

/** A pod's status says nothing about where it fits: we write it ourselves. */
function asksForSomethingElse(pod: Pod, old: Pod): boolean {
  return !isDeepStrictEqual(whatIsAsked(pod), whatIsAsked(old));
}

function whatIsAsked({ metadata, spec }: Pod): unknown {
  return [metadata?.labels, spec];
}

/** A kubelet's heartbeat changes a node every few seconds, and helps nobody. */
function offersSomethingElse(node: Node, old: Node): boolean {
  return !isDeepStrictEqual(whatIsOffered(node), whatIsOffered(old));
}

function whatIsOffered({ metadata, spec, status }: Node): unknown {
  return [metadata?.labels, spec, status?.allocatable, status?.conditions?.find(({ type }) => type === 'Ready')?.status];
}
