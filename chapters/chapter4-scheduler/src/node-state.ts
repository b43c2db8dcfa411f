// One node and the pods on it, with its books: what it can give and what is requested of it. The totals are kept up to date
// pod by pod and never added up anew, so that a look at 5,000 nodes costs 5,000 looks.
// Kubernetes: pkg/scheduler/framework/types.go (NodeInfo)

import type { Node, Pod } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { requestsAnything, requestsOf } from './requests.ts';
import { inWholeNumbers, parseResources, type Resources } from './resources.ts';

export class NodeState {
  readonly name: string;
  /** Undefined while only pods speak of the node: it is not there yet, or not any more. */
  #node: Node | undefined;
  #allocatable: Resources = {};
  readonly #requested: Record<string, number> = {};
  readonly #podsByOwner = new Map<string, number>();
  #podCount = 0;

  constructor(name: string) {
    this.name = name;
  }

  get node(): Node | undefined {
    return this.#node;
  }

  set node(node: Node | undefined) {
    this.#node = node;
    this.#allocatable = inWholeNumbers(parseResources(node?.status?.allocatable));
  }

  /** What pods may request of this node, all together. */
  get allocatable(): Resources {
    return this.#allocatable;
  }

  /** What the pods on this node request, all together. A resource that nobody asked for is missing. */
  get requested(): Resources {
    return this.#requested;
  }

  get podCount(): number {
    return this.#podCount;
  }

  /** How many pods on this node have the controller with this uid. */
  podsOwnedBy(uid: string): number {
    return this.#podsByOwner.get(uid) ?? 0;
  }

  place(pod: Pod): void {
    const requests = requestsOf(pod);
    this.#count(pod, 1);
    if (requestsAnything(pod)) this.charge(requests, 1);
  }

  /** The same pod, or one with the same requests and owner, must have been placed. */
  remove(pod: Pod): void {
    this.#count(pod, -1);
    if (requestsAnything(pod)) this.charge(requestsOf(pod), -1);
  }

  /** Keeps `#requested`: name → total of all pods on this node. `sign` is 1 for a pod that came and -1 for one that left. */
  charge(requests: Resources, sign: 1 | -1): void {
    throw new NotImplemented('4.2', "Add the requests to the node's totals, or take them off");
  }

  #count(pod: Pod, sign: 1 | -1): void {
    this.#podCount += sign;
    const owner = controllerUid(pod);
    if (!owner) return;
    const count = this.podsOwnedBy(owner) + sign;
    if (count > 0) this.#podsByOwner.set(owner, count);
    else this.#podsByOwner.delete(owner);
  }
}

/** The uid of the object that made the pod and keeps it, a ReplicaSet for example. */
export function controllerUid(pod: Pod): string | undefined {
  return pod.metadata?.ownerReferences?.find(({ controller }) => controller)?.uid;
}
