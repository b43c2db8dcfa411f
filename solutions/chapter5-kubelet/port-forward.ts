// `kubectl port-forward`: connections to a port on the user's machine come out in the pod, from 127.0.0.1. The client speaks SPDY within
// a WebSocket, and opens two streams for each connection: one for the data, one on which it hears what went wrong.
// Kubernetes: pkg/kubelet/portforward, staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Pod } from '#kit/api';
import type { Logger } from '#kit/log';
import type { ContainerRuntime } from './runtime.ts';
import { SpdyServer, type SpdyStream } from './spdy.ts';

const protocol = 'SPDY/3.1+portforward.k8s.io';

/** Whether the client offers the one protocol that is spoken here. */
export function offersPortForward({ headers }: IncomingMessage): boolean {
  return (headers['sec-websocket-protocol'] ?? '').split(/, */).includes(protocol);
}

/** What a request for anything else hears. */
export const wantsTunnel =
  'port-forward is served over WebSocket only, and this client did not ask for one: use kubectl 1.30 or newer, ' +
  'and set KUBECTL_PORT_FORWARD_WEBSOCKETS=true before 1.31';

export class PortForwards {
  readonly #options: { runtime: ContainerRuntime; log: Logger };
  readonly #server = new WebSocketServer({ noServer: true });

  constructor(options: { runtime: ContainerRuntime; log: Logger }) {
    this.#options = options;
    this.#server.on('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${protocol}`));
  }

  /** Answers the handshake; from then on the connection belongs to the pod. */
  connect(pod: Pod, message: IncomingMessage, socket: Duplex, head: Buffer): void {
    // The protocol's name has a slash in it, which no such name may have: the library is not to see it.
    delete message.headers['sec-websocket-protocol'];
    this.#server.handleUpgrade(message, socket, head, (webSocket) => this.#serve(webSocket, pod));
  }

  stop(): void {
    for (const client of this.#server.clients) client.terminate();
  }

  #serve(webSocket: WebSocket, pod: Pod): void {
    const { log } = this.#options;
    const waiting = new Map<string, Partial<Pair>>();
    const spdy = new SpdyServer({
      send: (bytes) => send(webSocket, bytes),
      onStream: (stream) => {
        const pair = pairOf(waiting, stream);
        if (pair) void this.#forward(pair, pod);
      },
    });
    let received = Promise.resolve();
    webSocket.on('message', (bytes: Buffer) => {
      received = received
        .then(() => spdy.receive(bytes))
        .catch((error) => {
          log.debug('a port forward broke', { error });
          webSocket.close(1002);
        });
    });
    webSocket.on('error', (error) => log.debug('a port forward broke', { error }));
    webSocket.on('close', () => spdy.close());
  }

  /** One connection. What goes wrong is told on the error stream, and the data stream ends. */
  async #forward({ data, error, port }: Pair, pod: Pod): Promise<void> {
    // The client has nothing to say there.
    error.resume();
    try {
      const connection = await this.#dial(pod, port);
      const complaint = text(connection.stderr);
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
    return runtime.dial(sandbox.id, port);
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

/** Resolves when the connection has taken it. */
function send(webSocket: WebSocket, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    webSocket.send(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
