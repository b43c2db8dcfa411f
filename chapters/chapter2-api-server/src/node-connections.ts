// The way from the API server to a node's kubelet: its address and port stand in the node's status, and the kubelet wants to
// see the API server's client certificate.
// Kubernetes: pkg/kubelet/client/kubelet_client.go

import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Node } from '#kit/api';
import type { ClientTls } from '#kit/component';
import { ApiError, failure } from '#kit/status';
import { readText } from '#kit/transport';
import { notFound, unavailable } from './errors.ts';
import { keyOf } from './keys.ts';
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

interface OpenOptions {
  headers?: Record<string, string>;
  signal: AbortSignal;
}

interface Opened {
  answer: IncomingMessage;
  connection?: { socket: Duplex; head: Buffer };
}

export class NodeConnections {
  readonly #options: NodeConnectionsOptions;

  constructor(options: NodeConnectionsOptions) {
    this.#options = options;
  }

  /** GET from a node's kubelet; resolves when the head of its answer is there. Aborting the signal ends the transfer. */
  async get(nodeName: string, path: string, signal: AbortSignal): Promise<IncomingMessage> {
    return (await this.open(nodeName, path, { signal })).answer;
  }

  /** The same with headers of your own; when they ask for an upgrade and the kubelet agrees, there is a connection. */
  async open(nodeName: string, path: string, { headers = {}, signal }: OpenOptions): Promise<Opened> {
    const { storage, tls } = this.#options;
    const node = (await storage.get(keyOf({ resource: nodes, namespace: undefined, name: nodeName }))) as Node | undefined;
    if (!node) throw notFound(nodes, nodeName);
    const { host, port } = this.#addressOf(node);
    return new Promise((resolve, reject) => {
      const outgoing = request({ host, port, path, headers, signal, agent: false, ...(tls ?? {}) });
      outgoing.on('response', (answer) => resolve({ answer }));
      outgoing.on('upgrade', (answer, socket, head) => resolve({ answer, connection: { socket, head } }));
      outgoing.on('error', (error) => reject(unavailable(`Get "https://${host}:${port}${path}": ${error.message}`)));
      outgoing.end();
    });
  }

  #addressOf({ metadata, status }: Node): { host: string; port: number } {
    const found = this.#options.preferredAddressTypes
      .map((wanted) => status?.addresses?.find(({ type }) => type === wanted)?.address)
      .find((address) => address !== undefined);
    const port = status?.daemonEndpoints?.kubeletEndpoint?.Port;
    if (!found || !port) throw unavailable(`node ${metadata?.name} has not said where its kubelet serves`);
    return { host: found, port };
  }
}

/** What a kubelet said instead of doing it, for the client to hear. */
export async function nodeRefusal(answer: IncomingMessage): Promise<ApiError> {
  const code = answer.statusCode ?? 500;
  const reason = code === 404 ? 'NotFound' : code === 400 ? 'BadRequest' : 'InternalError';
  return new ApiError(failure(code, reason, (await readText(answer)).trim()));
}
