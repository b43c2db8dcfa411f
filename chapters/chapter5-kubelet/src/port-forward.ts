// `kubectl port-forward`: connections to a port on the user's machine come out in the pod, from 127.0.0.1. The client speaks SPDY, by
// itself or within a WebSocket, and opens two streams for each connection: one for the data, one on which it hears what went wrong. Other
// clients have a WebSocket of channels instead, with the same two for each port.
// Kubernetes: pkg/kubelet/portforward, staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import type { Pod } from '#kit/api';
import type { Logger } from '#kit/log';
import { channelProtocol, type ForwardedPort, forwardedPorts } from './port-forward-channels.ts';
import type { ContainerRuntime } from './runtime.ts';
import type { SpdyStream } from './spdy.ts';
import { agreeToSpdy, asksForSpdy, serveSpdy } from './spdy-connection.ts';

const protocol = 'portforward.k8s.io';
const webSocketProtocol = `SPDY/3.1+${protocol}`;

/** Whether the client offers a protocol that is spoken here. For channels, it must have named the ports. */
export function offersPortForward(message: IncomingMessage, ports: number[] | undefined): boolean {
  return asksForSpdy(message) || offers(message, webSocketProtocol) || (offers(message, channelProtocol) && ports !== undefined);
}

function offers(message: IncomingMessage, wanted: string): boolean {
  return (message.headers['sec-websocket-protocol'] ?? '').split(/, */).includes(wanted);
}

export class PortForwards {
  readonly #options: { runtime: ContainerRuntime; log: Logger };
  readonly #server = new WebSocketServer({ noServer: true });
  readonly #channelServer = new WebSocketServer({ noServer: true, handleProtocols: () => channelProtocol });
  readonly #connections = new Set<Duplex>();

  constructor(options: { runtime: ContainerRuntime; log: Logger }) {
    this.#options = options;
    this.#server.on('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${webSocketProtocol}`));
  }

  /** Answers the handshake; from then on the connection belongs to the pod. */
  connect(pod: Pod, ports: number[] | undefined, message: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (asksForSpdy(message)) {
      if (!agreeToSpdy(message, socket, protocol)) return;
      socket.unshift(head);
      void this.#serve(socket, pod);
      return;
    }
    if (ports && !offers(message, webSocketProtocol)) {
      this.#channelServer.handleUpgrade(message, socket, head, (webSocket) => void this.#serveChannels(webSocket, ports, pod));
      return;
    }
    // The protocol's name has a slash in it, which no such name may have: the library is not to see it.
    delete message.headers['sec-websocket-protocol'];
    this.#server.handleUpgrade(message, socket, head, (webSocket) => void this.#serve(createWebSocketStream(webSocket), pod));
  }

  stop(): void {
    for (const connection of this.#connections) connection.destroy();
    for (const client of this.#channelServer.clients) client.terminate();
  }

  async #serveChannels(webSocket: WebSocket, ports: number[], pod: Pod): Promise<void> {
    webSocket.on('error', (error) => this.#options.log.debug('a port forward broke', { error }));
    await Promise.all(forwardedPorts(webSocket, ports).map((forwarded) => this.#forward(forwarded, pod)));
    webSocket.close(1000);
  }

  async #serve(connection: Duplex, pod: Pod): Promise<void> {
    const waiting = new Map<string, Partial<Pair>>();
    this.#connections.add(connection);
    try {
      await serveSpdy(connection, (stream) => {
        const pair = pairOf(waiting, stream);
        if (pair) void this.#forward(pair, pod);
      });
    } catch (error) {
      this.#options.log.debug('a port forward broke', { error });
    } finally {
      this.#connections.delete(connection);
    }
  }

  /** One connection. What goes wrong is told on the error stream, and the data stream ends. */
  async #forward({ data, error, port }: ForwardedPort, pod: Pod): Promise<void> {
    // The client has nothing to say there.
    error.resume();
    try {
      const connection = await this.#dial(pod, port);
      // Nobody asks for it when the client hangs up first; that it could not be read to its end then is no failure.
      const complaint = text(connection.stderr).catch((reason: Error) => reason.message);
      data.on('close', () => connection.close());
      // The pod may hang up while the client still has something to say; nobody is left to hear it then.
      pipeline(data, connection.stdin).catch((reason) => this.#options.log.debug('the way into the pod has ended', { reason }));
      await pipeline(connection.stdout, data);
      if ((await connection.exitCode()) !== 0) throw new Error((await complaint).trim() || 'the connection broke');
    } catch (reason) {
      // A client that hangs up first has heard what it wanted.
      if ((reason as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE') return;
      const why = reason instanceof Error ? reason.message : String(reason);
      const { namespace, name } = pod.metadata ?? {};
      if (!error.destroyed) error.write(`error forwarding port ${port} to pod ${namespace}/${name}: ${why}`);
    } finally {
      error.end();
      data.end();
    }
  }

  async #dial(pod: Pod, port: number) {
    const { runtime } = this.#options;
    const sandbox = runtime.pod(pod.metadata?.uid ?? '').sandboxes.find(({ state }) => state === 'running');
    if (!sandbox) throw new Error('the pod is not running');
    try {
      return await runtime.dial(sandbox.id, '127.0.0.1', port);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`failed to connect to localhost:${port} inside namespace ${JSON.stringify(sandbox.id)}: ${why}`, { cause: error });
    }
  }
}

interface Pair {
  data: SpdyStream;
  error: SpdyStream;
  port: number;
}

/** The two streams of a connection come one after the other; with the second one the pair is complete. */
function pairOf(waiting: Map<string, Partial<Pair>>, stream: SpdyStream): Pair | undefined {
  const id = stream.headers.get('requestid') ?? '';
  const type = stream.headers.get('streamtype');
  const port = Number(stream.headers.get('port'));
  if ((type !== 'data' && type !== 'error') || !Number.isInteger(port) || port < 1 || port > 65535) {
    stream.destroy();
    return undefined;
  }
  // Broken connections are no news; the other end of each stream sees it.
  stream.on('error', () => {});
  const { data, error } = { ...waiting.get(id), [type]: stream } as Partial<Pair>;
  if (data && error) {
    waiting.delete(id);
    return { data, error, port };
  }
  waiting.set(id, { [type]: stream });
  stream.on('close', () => waiting.delete(id));
  return undefined;
}
