// Does the pod fit: what it requests against what the node can give, less what the pods that are there already request.
// Kubernetes: pkg/scheduler/framework/plugins/noderesources/fit.go

import type { Pod } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import type { NodeState } from './node-state.ts';
import { requestsAnything, requestsOf } from './requests.ts';
import type { Resources } from './resources.ts';

/** Why the pod doesn't fit on the node; none when it does. */
export function nodeResourcesFit(pod: Pod, node: NodeState): string[] {
  const tooMany = node.podCount + 1 > (node.allocatable.pods ?? 0) ? ['Too many pods'] : [];
  return requestsAnything(pod) ? [...tooMany, ...insufficientResources(requestsOf(pod), node)] : tooMany;
}

/**
 * `Insufficient <name>` for every resource of which the node has less free than is requested. Free is `node.allocatable` less
 * `node.requested`; a resource that a node does not name it has none of. A request of zero always fits, also on a node that is
 * more than full.
 */
export function insufficientResources(requests: Resources, { allocatable, requested }: NodeState): string[] {
  throw new NotImplemented('4.2', 'Name every resource of which too little is free');
}
