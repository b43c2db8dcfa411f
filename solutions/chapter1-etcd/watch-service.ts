// The watch streams of all clients: requests in, responses out, and the news after each turn of the disk. A stream ends when there is
// nothing to be expected any more: this server has retired, or nobody leads and the client has said that it requires a leader.
// etcd: server/etcdserver/api/v3rpc/interceptor.go (monitorLeader)

import type { Clock, Timer } from '#kit/clock';
import { type EtcdError, noLeader } from './errors.ts';
import type { ResponseHeader, WatchRequest, WatchResponse } from './messages.ts';
import type { Conversation, GrpcEdge, Methods } from './rpc.ts';
import type { StateMachine } from './state-machine.ts';
import { watchEncoder } from './watch-encoding.ts';
import { WatchStream } from './watch-stream.ts';
import { WatcherIndex } from './watcher-index.ts';

/** How often a watch that asked for `progressNotify` and has nothing to tell is told the revision. */
const progressEveryMs = 10 * 60 * 1000;
/** etcd's maxNoLeaderCnt: an election may need more than one try. */
const electionsOfPatience = 3;

type Connection = Conversation<WatchRequest>;

export interface LeaderView {
  hasLeader: () => boolean;
  /** The time after which a follower takes its leader for dead. */
  electionMs: number;
}

export class WatchService {
  readonly #edge: GrpcEdge;
  readonly #machine: StateMachine;
  readonly #streams = new Map<Connection, WatchStream>();
  readonly #index = new WatcherIndex();
  /** The last revision that was looked at for watchers to wake. */
  #seen: number;
  readonly #hasLeader: () => boolean;
  readonly #timers: Timer[];
  /** How often in a row nobody was found to lead. */
  #leaderless = 0;
  /** Why this server watches nothing any more. */
  #end: EtcdError | undefined;
  /** While all are told: the same for everybody. */
  #header: ResponseHeader | undefined;

  constructor(edge: GrpcEdge, machine: StateMachine, clock: Clock, { hasLeader, electionMs }: LeaderView) {
    this.#edge = edge;
    this.#machine = machine;
    this.#seen = machine.store.revision;
    this.#hasLeader = hasLeader;
    this.#timers = [
      clock.every(progressEveryMs, () => this.#forEach((stream) => stream.notifyIdle())),
      clock.every(electionMs, () => this.#lookForLeader()),
    ];
  }

  get methods(): Methods {
    return { Watch: this.#edge.conversation((connection: Connection) => this.#serve(connection), watchEncoder) };
  }

  /** Tells all watches what has happened since the last call. */
  deliver(): void {
    this.#wake();
    this.#header = this.#machine.header();
    this.#forEach((stream) => stream.deliver());
    this.#header = undefined;
  }

  /** Nothing will happen here any more: ends all streams, and those to come, with the reason. */
  end(error: EtcdError): void {
    this.#end ??= error;
    for (const connection of this.#streams.keys()) this.#fail(connection, error);
  }

  stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#streams.clear();
  }

  #serve(connection: Connection): void {
    const machine = this.#machine;
    const sink = {
      send: (response: Omit<WatchResponse, 'header'>) => connection.send({ header: this.#header ?? machine.header(), ...response }),
      get hasRoom() {
        return connection.hasRoom;
      },
    };
    const stream = new WatchStream(machine.store, sink, this.#index);
    this.#streams.set(connection, stream);
    connection.onRequest((request) => stream.handle(request));
    connection.onRoom(() => stream.deliver());
    connection.onClose(() => {
      if (this.#streams.delete(connection)) stream.close();
    });
    if (this.#end) this.#fail(connection, this.#end);
    else if (connection.requiresLeader && !this.#hasLeader()) this.#fail(connection, noLeader());
  }

  #lookForLeader(): void {
    this.#leaderless = this.#hasLeader() ? 0 : this.#leaderless + 1;
    if (this.#leaderless < electionsOfPatience) return;
    for (const connection of this.#streams.keys()) if (connection.requiresLeader) this.#fail(connection, noLeader());
  }

  #fail(connection: Connection, error: EtcdError): void {
    connection.fail(this.#edge.failure(error));
  }

  /** What was compacted before anybody looked at it cannot be looked up by key: then everybody must see for himself. */
  #wake(): void {
    const { store } = this.#machine;
    if (this.#seen + 1 < store.compactedRevision) this.#index.wakeEverybody(this.#seen + 1);
    else {
      for (let revision = this.#seen + 1; revision <= store.revision; revision++) {
        for (const { kv } of store.changeAt(revision)?.events ?? []) this.#index.wake(kv.keyText, revision);
      }
    }
    this.#seen = store.revision;
  }

  #forEach(act: (stream: WatchStream) => void): void {
    for (const [connection, stream] of this.#streams) this.#edge.guard(connection, () => act(stream));
  }
}
