// The watch streams of all clients: requests in, responses out, and the news after each turn of the disk.

import type { ServerDuplexStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Clock, Timer } from '#kit/clock';
import type { GrpcEdge } from './grpc.ts';
import type { WatchRequest, WatchResponse } from './messages.ts';
import type { StateMachine } from './state-machine.ts';
import { WatchStream } from './watch-stream.ts';

/** How often a watch that asked for `progressNotify` and has nothing to tell is told the revision. */
const progressEveryMs = 10 * 60 * 1000;

type Connection = ServerDuplexStream<WatchRequest, WatchResponse>;

export class WatchService {
  readonly #edge: GrpcEdge;
  readonly #machine: StateMachine;
  readonly #streams = new Map<Connection, WatchStream>();
  readonly #progress: Timer;

  constructor(edge: GrpcEdge, machine: StateMachine, clock: Clock) {
    this.#edge = edge;
    this.#machine = machine;
    this.#progress = clock.every(progressEveryMs, () => this.#forEach((stream) => stream.notifyIdle()));
  }

  get implementation(): UntypedServiceImplementation {
    return { Watch: (connection: Connection) => this.#serve(connection) };
  }

  /** Tells all watches what has happened since the last call. */
  deliver(): void {
    this.#forEach((stream) => stream.deliver());
  }

  stop(): void {
    this.#progress.cancel();
    this.#streams.clear();
  }

  #serve(connection: Connection): void {
    const machine = this.#machine;
    const stream = new WatchStream(machine.store, {
      send: (response) => connection.write({ header: machine.header(), ...response }),
      get hasRoom() {
        return !connection.writableNeedDrain;
      },
    });
    this.#streams.set(connection, stream);
    const close = () => this.#streams.delete(connection);
    for (const end of ['end', 'cancelled', 'error', 'close']) connection.on(end, close);
    connection.on('drain', () => this.#edge.guard(connection, () => stream.deliver()));
    this.#edge.onEach(connection, (request) => stream.handle(request));
  }

  #forEach(act: (stream: WatchStream) => void): void {
    for (const [connection, stream] of this.#streams) this.#edge.guard(connection, () => act(stream));
  }
}
