// The way from the API server to a pod's own address. Usually the API server's machine has routes to all pods. Where it has none, as beside
// Docker, it asks the kubelet of the pod's node for a tunnel: `CONNECT 10.244.1.7:8080`, as one asks an HTTP proxy.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/server/egressselector (HTTPConnect), and the project konnectivity

import { request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { NodeConnections } from './node-connections.ts';
import { explain, type Opened, type Outgoing, open, Unreachable } from './outgoing.ts';

export type PodConnections = 'direct' | 'kubelets';

/** Where something in the cluster serves. */
export interface Location {
  scheme: 'http' | 'https';
  host: string;
  port: number;
  /** The node that it is on, where it is a pod. */
  nodeName?: string | undefined;
}

export class PodNetwork {
  readonly #nodes: NodeConnections;
  readonly #way: PodConnections;

  constructor(nodes: NodeConnections, way: PodConnections) {
    this.#nodes = nodes;
    this.#way = way;
  }

  /** A request to whatever serves there. Nobody looks at its certificate, unless `tls` says how. Rejects with Unreachable when it does not answer. */
  async open(location: Location, outgoing: Outgoing, tls: ConnectionOptions = { rejectUnauthorized: false }): Promise<Opened> {
    const { scheme, host, port } = location;
    const socket = await this.#connect(location, outgoing.signal);
    const connection = scheme === 'https' ? connectTls({ ...tls, socket }) : socket;
    return open({ scheme: 'http', host, port, createConnection: () => connection }, outgoing);
  }

  #connect(location: Location, signal: AbortSignal): Promise<Duplex> {
    const { nodeName } = location;
    return this.#way === 'kubelets' && nodeName ? this.#tunnel(nodeName, location, signal) : connectDirectly(location, signal);
  }

  async #tunnel(nodeName: string, { host, port }: Location, signal: AbortSignal): Promise<Duplex> {
    const path = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    const { scheme: _, ...kubelet } = await this.#nodes.kubelet(nodeName);
    return new Promise((resolve, reject) => {
      const asking = request({ ...kubelet, method: 'CONNECT', path, signal, agent: false, allowHalfOpen: true } as object);
      asking.on('connect', ({ statusCode, statusMessage }, socket) => {
        if (statusCode === 200) return resolve(socket);
        socket.destroy();
        // The kubelet is well, and so is the pod; nobody listens there, and the reason phrase says so.
        if (statusCode === 502 && statusMessage) return reject(new Unreachable(statusMessage));
        reject(new Unreachable(`dial tcp ${path}: the kubelet of ${nodeName} says: ${statusCode} ${statusMessage}`));
      });
      asking.on('error', (error) => reject(new Unreachable(explain(error, kubelet), { cause: error })));
      asking.end();
    });
  }
}

function connectDirectly(location: Location, signal: AbortSignal): Promise<Duplex> {
  const { host, port } = location;
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port, signal, allowHalfOpen: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error) => reject(new Unreachable(explain(error, location), { cause: error })));
  });
}
