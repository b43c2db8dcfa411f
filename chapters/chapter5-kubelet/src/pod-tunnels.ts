// The way to a pod's address for an API server whose machine has no route there, as beside Docker. It asks as one asks an HTTP proxy:
// `CONNECT 10.244.1.7:8080`; after the 200 the connection is the pod's.
// In Kubernetes an agent on the node does this: the project konnectivity.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from '#kit/log';
import type { NodeApiAccess } from './node-api-access.ts';
import type { ContainerProcess, ContainerRuntime } from './runtime.ts';

export interface PodTunnelsOptions {
  runtime: ContainerRuntime;
  access: NodeApiAccess;
  log: Logger;
}

export class PodTunnels {
  readonly #options: PodTunnelsOptions;
  readonly #open = new Set<Duplex>();

  constructor(options: PodTunnelsOptions) {
    this.#options = options;
  }

  /** Takes the connection over. A request that is refused hears why in the answer's head. */
  async connect(message: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { url = '' } = message;
    const { access, log } = this.#options;
    this.#open.add(socket);
    // More than Node expects of one socket: TLS's, HTTP's, and those of a pipeline each way.
    socket.setMaxListeners(20);
    socket.on('close', () => this.#open.delete(socket));
    socket.on('error', (error) => log.debug('a tunnel to a pod broke', { error }));
    try {
      const refusal = await access.refusal(message);
      if (refusal) return refuse(socket, `${refusal.code} ${refusal.message}`);
      const dialed = await this.#dial(url);
      if ('refusal' in dialed) return refuse(socket, dialed.refusal);
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.unshift(head);
      await carry(socket, dialed.process);
    } catch (error) {
      log.debug('a tunnel to a pod ended', { url, error });
      socket.destroy();
    }
  }

  /** Ends all connections. */
  stop(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /** Refused: code and reason phrase; 502 when there is such a pod, and nobody listens at that port. */
  async #dial(authority: string): Promise<{ process: ContainerProcess } | { refusal: string }> {
    const { runtime } = this.#options;
    const [, host, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(authority) ?? [];
    const sandbox = runtime
      .pods()
      .flatMap(({ sandboxes }) => sandboxes)
      .find(({ ip, state }) => ip === host && state === 'running');
    if (!sandbox) return { refusal: `404 no pod of this node has the address of ${authority}` };
    try {
      return { process: await runtime.dial(sandbox.id, sandbox.ip, Number(port)) };
    } catch (error) {
      const [line] = (error instanceof Error ? error.message : String(error)).split('\n');
      return { refusal: `502 ${line}` };
    }
  }
}

/** Resolves when the pod has said all it has to say. */
async function carry(socket: Duplex, process: ContainerProcess): Promise<void> {
  socket.on('close', () => process.close());
  process.stderr.resume();
  // The pod may hang up while there is still something to say; nobody is left to hear it then.
  await Promise.allSettled([pipeline(socket, process.stdin), pipeline(process.stdout, socket)]);
}

function refuse(socket: Duplex, why: string): void {
  socket.end(`HTTP/1.1 ${why}\r\nContent-Length: 0\r\n\r\n`);
}
