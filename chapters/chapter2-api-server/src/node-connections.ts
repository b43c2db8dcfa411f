// The way from the API server to a node's kubelet: its address and port stand in the node's status, and the kubelet wants to
// see the API server's client certificate.
// Kubernetes: pkg/kubelet/client/kubelet_client.go

import type { Node } from '#kit/api';
import type { ClientTls } from '#kit/component';
import { notFound } from './errors.ts';
import { keyOf } from './keys.ts';
import { kubeletAddress } from './kubelet-address.ts';
import type { Place } from './outgoing.ts';
import { findResource, type ResourceDefinition } from './resources.ts';
import type { Storage } from './storage.ts';

const nodes = findResource('', 'v1', 'nodes') as ResourceDefinition;
/** Kubernetes: kube-apiserver's --kubelet-preferred-address-types */
export const defaultAddressTypes = ['Hostname', 'InternalDNS', 'InternalIP', 'ExternalDNS', 'ExternalIP'];

export interface NodeConnectionsOptions {
  storage: Storage;
  tls: ClientTls | undefined;
  preferredAddressTypes: string[];
}

export class NodeConnections {
  readonly #options: NodeConnectionsOptions;

  constructor(options: NodeConnectionsOptions) {
    this.#options = options;
  }

  /** Where a node's kubelet serves, and with which certificate to go there. */
  async kubelet(nodeName: string): Promise<Place> {
    const { storage, tls, preferredAddressTypes } = this.#options;
    const node = (await storage.get(keyOf({ resource: nodes, namespace: undefined, name: nodeName }))) as Node | undefined;
    if (!node) throw notFound(nodes, nodeName);
    return { scheme: 'https', ...kubeletAddress(node, preferredAddressTypes), ...tls };
  }
}
