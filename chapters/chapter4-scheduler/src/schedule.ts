// The decision, and nothing but the decision: a pod and the nodes as they are now go in; a node, or why no node will do, comes
// out. It reads no clock, sends nothing and changes nothing, so the same question always has the same answer.
// Kubernetes: pkg/scheduler/schedule_one.go (schedulePod, findNodesThatFitPod, prioritizeNodes)

import type { Pod } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { whyNot } from './filters.ts';
import type { NodeState } from './node-state.ts';
import { bestOf } from './scores.ts';

/** The nodes that exist, with what is on them. Nothing in it changes while a decision is made. */
export interface Snapshot {
  readonly nodes: readonly NodeState[];
}

/** Node name → why the pod can't go there. Every node is in it when the pod fits nowhere. */
export type Rejections = ReadonlyMap<string, readonly string[]>;

export type Decision = { node: string } | { unschedulable: Rejections };

/**
 * Filter, then choose. `whyNot(pod, node)` gives the reasons against a node, none when the pod fits; `bestOf(pod, nodes)` chooses among
 * nodes that fit, of which there must be at least one.
 */
export function schedule(pod: Pod, { nodes }: Snapshot): Decision {
  throw new NotImplemented('4.1', "Choose the best of the nodes that nothing speaks against, or give every node's reasons");
}
