// Which of the nodes that fit is best: one with much room left, and above all one that has few pods of the same owner, so that two
// replicas land on two nodes. Equal scores: fewer pods, then the snapshot's order.
// Kubernetes: pkg/scheduler/framework/plugins/noderesources/least_allocated.go, podtopologyspread/scoring.go (the default constraints)

import type { Pod } from '#kit/api';
import { controllerUid, type NodeState } from './node-state.ts';
import { requestsOf } from './requests.ts';
import type { Resources } from './resources.ts';

/** Kubernetes' default weights: NodeResourcesFit 1, PodTopologySpread 2. */
const spreadWeight = 2;

/** @param nodes at least one */
export function bestOf(pod: Pod, nodes: readonly NodeState[]): NodeState {
  const requests = requestsOf(pod);
  const owner = controllerUid(pod);
  const siblings = nodes.map((node) => (owner ? node.podsOwnedBy(owner) : 0));
  const mostSiblings = siblings.reduce((most, count) => Math.max(most, count), 0);

  let best: { node: NodeState; score: number } | undefined;
  nodes.forEach((node, index) => {
    const spread = mostSiblings === 0 ? 100 : (100 * (mostSiblings - (siblings[index] ?? 0))) / mostSiblings;
    const score = leastAllocated(requests, node) + spreadWeight * spread;
    if (!best || score > best.score || (score === best.score && node.podCount < best.node.podCount)) best = { node, score };
  });
  if (!best) throw new TypeError('there is no node to choose from');
  return best.node;
}

/** The share of CPU and memory, in percent, that would still be free with the pod on the node. */
function leastAllocated(requests: Resources, { allocatable, requested }: NodeState): number {
  const free = (name: string) => {
    const capacity = allocatable[name] ?? 0;
    const used = (requested[name] ?? 0) + (requests[name] ?? 0);
    return used > capacity || capacity === 0 ? 0 : (100 * (capacity - used)) / capacity;
  };
  return Math.floor((Math.floor(free('cpu')) + Math.floor(free('memory'))) / 2);
}
