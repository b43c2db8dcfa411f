// Joins the cluster and keeps saying "I am here": a cheap word every ten seconds (a Lease), the whole status when it changed.
// Kubernetes: pkg/kubelet/kubelet_node_status.go, component-helpers/apimachinery/lease/controller.go

import { isDeepStrictEqual } from 'node:util';
import type { NodeStatus } from 'kubernetes-types/core/v1';
import { type Lease, Leases, type Node, Nodes } from '#kit/api';
import type { Client } from '#kit/client';
import { type Clock, microTimestamp } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';
import { isAlreadyExists, isNotFound } from '#kit/status';

export const leaseNamespace = 'kube-node-lease';
export const leaseDurationSeconds = 40;
/** A quarter of the lease's duration: three may be lost. */
export const heartbeatEveryMs = 10_000;
/** A status that did not change is still written this often. */
export const statusAtLeastEveryMs = 300_000;

/**
 * Creates the Node. When it is there already, because this kubelet ran before, that one is used: its labels are brought up to date, other people's labels,
 * taints and annotations stay. Resolves with the node as the server has it.
 */
export async function registerNode(client: Client, node: Node): Promise<Node> {
  throw new NotImplemented('5.1', 'Create the node, or adopt the one that is there and bring its labels up to date');
}

/**
 * Renews the node's Lease: namespace `kube-node-lease`, the node's name, `holderIdentity` the node's name, `leaseDurationSeconds`, `renewTime` now
 * (`microTimestamp`), owned by the Node so that it goes with it. Creates it when there is none.
 */
export async function renewLease(client: Client, node: Node, clock: Clock): Promise<void> {
  throw new NotImplemented('5.1', "Write the time into the node's lease; create the lease when there is none");
}

/**
 * Whether a status must be written now: when it differs from the written one in anything but its conditions' heartbeat times, or when the written one
 * is `statusAtLeastEveryMs` old (by the Ready condition's heartbeat), or when none was written. `now`: milliseconds since the epoch.
 */
export function statusIsDue(written: NodeStatus | undefined, status: NodeStatus, now: number): boolean {
  throw new NotImplemented('5.1', 'Say whether the status tells something new, or the old one is too old');
}
