// `kubectl exec` and `kubectl attach`: from a request to a process in a container, and a WebSocket or SPDY that is connected with it.
// Kubernetes: pkg/kubelet/server/server.go (getExec, getAttach), pkg/kubelet/kubelet_pods.go (GetExec, GetAttach)

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Pod } from '#kit/api';
import type { Clock } from '#kit/clock';
import type { Logger } from '#kit/log';
import { protocols, serveProcess } from './channels.ts';
import { type ContainerProcess, type ContainerRuntime, newestContainer, type StreamOptions } from './runtime.ts';
import { agreeToSpdy, asksForSpdy } from './spdy-connection.ts';
import { serveSpdyProcess, spdyProtocol } from './spdy-process.ts';

export interface StreamRequest extends StreamOptions {
  kind: 'exec' | 'attach';
  pod: Pod;
  container: string;
  /** Of exec. */
  command: string[];
}

/** From `command` (once for each word), `input`, `output`, `error`, `tty`. A terminal has one output: errors are in it. */
export function streamRequest(kind: StreamRequest['kind'], pod: Pod, container: string, query: URLSearchParams): StreamRequest {
  const truth = (name: string) => query.get(name) === '1';
  const tty = truth('tty');
  const streams = { stdin: truth('input'), stdout: truth('output'), stderr: truth('error') && !tty, tty };
  return { kind, pod, container, command: query.getAll('command'), ...streams };
}

export class ContainerStreams {
  readonly #options: { runtime: ContainerRuntime; clock: Clock; log: Logger };
  readonly #server = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => protocols.find((protocol) => offered.has(protocol)) ?? false,
  });

  readonly #connections = new Set<Duplex>();

  constructor(options: { runtime: ContainerRuntime; clock: Clock; log: Logger }) {
    this.#options = options;
  }

  /** Answers the handshake; from then on the connection is the process's. What goes wrong now is a Status on it. */
  connect(request: StreamRequest, message: IncomingMessage, socket: Duplex, head: Buffer): void {
    const open = () => this.#open(request);
    if (!asksForSpdy(message)) {
      this.#server.handleUpgrade(message, socket, head, (webSocket) => void serveProcess(webSocket, request, open, this.#options));
    } else if (agreeToSpdy(message, socket, spdyProtocol)) {
      this.#connections.add(socket);
      socket.on('close', () => this.#connections.delete(socket));
      socket.unshift(head);
      void serveSpdyProcess(socket, request, open, this.#options.log);
    }
  }

  /** Ends all connections. */
  stop(): void {
    for (const client of this.#server.clients) client.terminate();
    for (const connection of this.#connections) connection.destroy();
  }

  async #open(request: StreamRequest): Promise<ContainerProcess> {
    const { kind, command, stdin, stdout, stderr } = request;
    if (!stdin && !stdout && !stderr) throw new Error('you must specify at least 1 of stdin, stdout, stderr');
    if (kind === 'exec' && command.length === 0) throw new Error('you must specify at least one command for the container');
    const { runtime } = this.#options;
    try {
      const id = runningContainer(runtime, request);
      return kind === 'exec' ? await runtime.exec(id, command, request) : await runtime.attach(id, request);
    } catch (error) {
      const what = kind === 'exec' ? 'error executing command in container' : 'error attaching to container';
      throw new Error(`${what}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  }
}

function runningContainer(runtime: ContainerRuntime, { pod, container }: StreamRequest): string {
  const found = newestContainer(runtime.pod(pod.metadata?.uid ?? ''), container);
  if (!found) throw new Error(`container not found ("${container}")`);
  if (found.state !== 'running') throw new Error(`container "${container}" is not running: ${found.reason ?? found.state}`);
  return found.id;
}
