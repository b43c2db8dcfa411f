// Port forwarding as most client libraries do it: in a WebSocket of channels, like exec's. The request names the ports; the one at place i has
// channel 2i for its data and 2i + 1 for what goes wrong, and both begin with its number. So each port has one connection and no second.
// Kubernetes: staging/src/k8s.io/kubelet/pkg/cri/streaming/portforward/websocket.go

import { Duplex } from 'node:stream';
import { WebSocket } from 'ws';

export const channelProtocol = 'v4.channel.k8s.io';

export interface ForwardedPort {
  port: number;
  data: Duplex;
  error: Duplex;
}

/** From `port`, as often as there are ports, or several in one with commas between; undefined when there is none, or what is no port. */
export function portsIn(query: URLSearchParams): number[] | undefined {
  const ports = query.getAll('port').flatMap((value) => value.split(',').map(Number));
  return ports.length > 0 && ports.every((port) => Number.isInteger(port) && port > 0 && port < 65_536) ? ports : undefined;
}

/** Two streams a port. They end when the WebSocket closes. */
export function forwardedPorts(socket: WebSocket, ports: number[]): ForwardedPort[] {
  const channels = ports.flatMap((port, index) => [2 * index, 2 * index + 1].map((number) => new Channel(socket, number, port)));
  socket.on('message', (message: Buffer) => {
    // Whoever is slow slows the client down. Nobody listens to what is sent on a channel that is not there.
    if (channels[message[0] ?? 0]?.push(message.subarray(1)) === false) socket.pause();
  });
  socket.on('close', () => {
    for (const channel of channels) channel.destroy();
  });
  return ports.map((port, index) => ({ port, data: channels[2 * index] as Duplex, error: channels[2 * index + 1] as Duplex }));
}

class Channel extends Duplex {
  readonly #socket: WebSocket;
  readonly #number: number;

  constructor(socket: WebSocket, number: number, port: number) {
    super();
    this.#socket = socket;
    this.#number = number;
    // A broken connection is no news; the other end of the stream sees it.
    this.on('error', () => {});
    const greeting = Buffer.alloc(2);
    greeting.writeUInt16LE(port);
    this.write(greeting);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(Buffer.concat([Buffer.of(this.#number), chunk]), done);
    else done(new Error('the client is gone'));
  }
}
