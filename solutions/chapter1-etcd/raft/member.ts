// One member at work: drives the core with its clock, its disk and its peers, and keeps the core's order of things: first the disk,
// then the messages, then what is committed. Nobody is told of anything that a crash could make undone.
// etcd: server/etcdserver/raft.go

import type { Clock, Random } from '#kit/clock';
import type { Logger } from '#kit/log';
import type { Entry, MemberId, Message, Snapshot } from './messages.ts';
import { Raft } from './raft.ts';
import type { Durable } from './state.ts';
import { encodeRecord } from './wire.ts';

/** etcd's --heartbeat-interval and --election-timeout. */
const tickMs = 100;
const electionTicks = 10;

export interface RaftMemberOptions {
  id: MemberId;
  durable: Durable;
  journal: { append(payloads: Buffer[]): Promise<void> };
  send: (messages: readonly Message[]) => void;
  /** A committed entry, once and in order. */
  apply: (entry: Entry) => void;
  install: (snapshot: Snapshot) => void;
  clock: Clock;
  random: Random;
  log: Logger;
  tickMs?: number;
}

interface Read {
  resolve: () => void;
  reject: (error: Error) => void;
  /** The state may be read when this entry is applied; undefined until the leader has said so. */
  index: number | undefined;
}

export class RaftMember {
  readonly raft: Raft;
  readonly #options: RaftMemberOptions;
  readonly #reads = new Map<string, Read>();
  #applied: number;
  #working: Promise<void> | undefined;
  #failure: Error | undefined;
  #contexts = 0;
  readonly #ticker: { cancel(): void };

  constructor(options: RaftMemberOptions) {
    const { id, durable, random, clock, tickMs: period = tickMs } = options;
    this.#options = options;
    this.#applied = durable.snapshot.index;
    this.raft = new Raft({ id, durable, random, electionTicks });
    if (this.raft.members.length === 1) this.raft.campaign();
    this.#ticker = clock.every(period, () => this.#act(() => this.raft.tick()));
    this.#work();
  }

  /** From a peer. */
  receive(message: Message): void {
    this.#act(() => this.raft.step(message));
  }

  /** False if nobody leads. True is no promise yet: the entry is taken when it comes back by `apply`. */
  propose(data: Uint8Array): boolean {
    return this.#act(() => this.raft.propose([data])) ?? false;
  }

  /**
   * Resolves when what is applied here is at least as new as anything that anybody was told before the call.
   * @throws Error after `withinMs` without a leader that could say so
   */
  async caughtUp(withinMs = 7000): Promise<void> {
    const { id, clock, random } = this.#options;
    if (this.#failure) throw this.#failure;
    this.#contexts += 1;
    const context = `${id}.${random()}.${this.#contexts}`;
    const read = Promise.withResolvers<void>();
    this.#reads.set(context, { resolve: read.resolve, reject: read.reject, index: undefined });
    const ask = () => this.#act(() => this.raft.read(context));
    // A question may get lost, or its leader: then it is asked again.
    const again = clock.every(500, ask);
    const over = clock.after(withinMs, () => read.reject(new Error('no leader has confirmed the read in time')));
    ask();
    try {
      await read.promise;
    } finally {
      again.cancel();
      over.cancel();
      this.#reads.delete(context);
    }
  }

  async stop(): Promise<void> {
    this.#ticker.cancel();
    this.#failure ??= new Error('the member was stopped');
    for (const { reject } of this.#reads.values()) reject(this.#failure);
    await this.#working;
  }

  #act<Result>(act: () => Result): Result | undefined {
    if (this.#failure) return undefined;
    const result = act();
    this.#work();
    return result;
  }

  #work(): void {
    this.#working ??= this.#turns()
      .catch((error: Error) => {
        // After a failed write nobody knows what is on the disk: this member is silent from now on, as if it had crashed.
        this.#failure = error;
        this.#ticker.cancel();
        for (const { reject } of this.#reads.values()) reject(error);
        this.#options.log.error('this member has stopped', { error });
      })
      .finally(() => {
        this.#working = undefined;
        // Something may have come in after the last turn had looked.
        if (this.raft.hasReady && !this.#failure) this.#work();
      });
  }

  async #turns(): Promise<void> {
    const { journal, send, apply, install } = this.#options;
    // Whatever else comes in during this turn of the event loop shares the first turn of the disk.
    await Promise.resolve();
    while (this.raft.hasReady && !this.#failure) {
      const ready = this.raft.ready();
      const record = encodeRecord(ready);
      if (record) await journal.append([record]);
      send(ready.messages);
      if (ready.snapshot) {
        install(ready.snapshot);
        this.#applied = ready.snapshot.index;
      }
      for (const entry of ready.committed) {
        apply(entry);
        this.#applied = entry.index;
      }
      for (const { context, index } of ready.reads) {
        const read = this.#reads.get(context);
        if (read) read.index = index;
      }
      for (const { index, resolve } of this.#reads.values()) if (index !== undefined && index <= this.#applied) resolve();
      this.raft.advance(ready);
    }
  }
}
