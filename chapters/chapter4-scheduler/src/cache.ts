// What the scheduler knows of the cluster: every node and the pods on it. Besides what the API server has told it holds
// assumptions: a pod that was just decided counts on its node at once, though the API server has not confirmed it yet, so that the
// next pod doesn't take the same room. An assumption ends when the pod is seen on its node, or when it is forgotten.
// Kubernetes: pkg/scheduler/backend/cache/cache.go

import type { Node, Pod } from '#kit/api';
import { NodeState } from './node-state.ts';
import type { Snapshot } from './schedule.ts';

interface Placement {
  pod: Pod;
  node: NodeState;
  assumed: boolean;
}

export class SchedulerCache {
  readonly #nodes = new Map<string, NodeState>();
  /** By the pod's uid: a name may be used again by another pod. */
  readonly #placements = new Map<string, Placement>();
  #snapshot: Snapshot | undefined;

  setNode(node: Node): void {
    const state = this.#nodeState(node.metadata?.name ?? '');
    const isNew = !state.node;
    state.node = node;
    if (isNew) this.#snapshot = undefined;
  }

  removeNode(name: string): void {
    const state = this.#nodes.get(name);
    if (!state) return;
    state.node = undefined;
    this.#snapshot = undefined;
    this.#dropIfUnused(state);
  }

  /** A pod that the API server shows on a node. Replaces what was known or assumed of it. */
  setPod(pod: Pod): void {
    this.#place(pod, pod.spec?.nodeName ?? '', false);
  }

  /** False when the pod was on no node. */
  removePod(pod: Pod): boolean {
    const placement = this.#placements.get(uidOf(pod));
    if (!placement) return false;
    this.#placements.delete(uidOf(pod));
    placement.node.remove(placement.pod);
    this.#dropIfUnused(placement.node);
    return true;
  }

  /** Counts the pod on the node from now on, as if it were bound. */
  assume(pod: Pod, nodeName: string): void {
    this.#place(pod, nodeName, true);
  }

  /** Takes an assumption back: the binding failed. Does nothing when the pod has been seen on a node meanwhile. */
  forget(pod: Pod): void {
    if (this.#placements.get(uidOf(pod))?.assumed) this.removePod(pod);
  }

  /** Whether the pod is on a node, really or by assumption. */
  has(pod: Pod): boolean {
    return this.#placements.has(uidOf(pod));
  }

  /** The nodes that exist now. It is a live view: decide with it at once, before anything is awaited. */
  snapshot(): Snapshot {
    this.#snapshot ??= { nodes: [...this.#nodes.values()].filter(({ node }) => node !== undefined) };
    return this.#snapshot;
  }

  #place(pod: Pod, nodeName: string, assumed: boolean): void {
    this.removePod(pod);
    const node = this.#nodeState(nodeName);
    node.place(pod);
    this.#placements.set(uidOf(pod), { pod, node, assumed });
  }

  /** A pod may be seen before its node is: the node's books begin with the first that speaks of it. */
  #nodeState(name: string): NodeState {
    const state = this.#nodes.get(name) ?? new NodeState(name);
    this.#nodes.set(name, state);
    return state;
  }

  #dropIfUnused(state: NodeState): void {
    if (!state.node && state.podCount === 0) this.#nodes.delete(state.name);
  }
}

function uidOf(pod: Pod): string {
  return pod.metadata?.uid ?? '';
}
