// Where a node's kubelet serves: the node's status says it, and the kubelet has written it there.
// Kubernetes: pkg/kubelet/client/kubelet_client.go, GetConnectionInfo

import type { Node } from '#kit/api';
import { backendError } from './errors.ts';

/** Kubernetes: pkg/cluster/ports, KubeletPort */
const defaultPort = 10250;

/**
 * Host and port of a node's kubelet. `status.addresses` is a list of `{ type, address }`. The types to try are given, best first: take the
 * address of the first type that the node has one of, in the order of the types and not of the node's list. The port is
 * `status.daemonEndpoints.kubeletEndpoint.Port`; a node that does not say has 10250. Throws `backendError` when no type fits:
 *
 *     no preferred addresses found; known addresses: []
 */
export function kubeletAddress({ status }: Node, preferredTypes: string[]): { host: string; port: number } {
  const known = status?.addresses ?? [];
  const found = preferredTypes.flatMap((wanted) => known.filter(({ type }) => type === wanted)).at(0);
  if (!found) {
    const all = known.map(({ type, address }) => `{${type} ${address}}`);
    throw backendError(`no preferred addresses found; known addresses: [${all.join(' ')}]`);
  }
  return { host: found.address, port: status?.daemonEndpoints?.kubeletEndpoint?.Port || defaultPort };
}
