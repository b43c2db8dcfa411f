// One member at work: drives the core with its clock, its disk and its peers, and keeps the core's order of things: first the disk,
// then the messages, then what is committed. Nobody is told of anything that a crash could make undone.
// etcd: server/etcdserver/raft.go

import type { Clock, Random } from '#kit/clock';
import type { Logger } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import type { Entry, MemberId, Message, Snapshot } from './messages.ts';
import { Raft, type Ready } from './raft.ts';
import type { Durable } from './state.ts';
import { encodeRecord, hasRecord } from './wire.ts';

/** etcd's --heartbeat-interval, and --election-timeout in those. */
const defaultTickMs = 100;
const electionTicks = 10;
/** How long a follower waits for its leader before it takes it for dead. */
export function electionMsOf(tickMs = defaultTickMs): number {
  return tickMs * electionTicks;
}

/** etcd's --snapshot-catchup-entries. */
const defaultCatchUpEntries = 5000;

export interface RaftMemberOptions {
  id: MemberId;
  durable: Durable;
  journal: { append(payloads: Buffer[]): Promise<void> };
  send: (messages: readonly Message[]) => void;
  /** A committed entry, once and in order. */
  apply: (entry: Entry) => void;
  /** The state that all entries so far have led to is replaced by this one. */
  install: (snapshot: Snapshot) => void;
  /** The state as it is now, in pieces that are made when they are asked for. */
  capture: () => Iterable<Buffer>;
  /** After each turn. */
  onTurn?: () => void;
  /** Called once: this member does nothing any more. */
  onFailure?: (error: Error) => void;
  clock: Clock;
  random: Random;
  log: Logger;
  tickMs?: number;
  /** So many entries that a snapshot stands for are kept, for followers that are not far behind. */
  catchUpEntries?: number;
}

interface Read {
  resolve: () => void;
  reject: (error: Error) => void;
  /** The state may be read when this entry is applied; undefined until the leader has said so. */
  index: number | undefined;
}

export class RaftMember {
  readonly raft: Raft;
  readonly electionMs: number;
  readonly #options: Omit<RaftMemberOptions, 'durable'>;
  readonly #reads = new Map<string, Read>();
  /** In which tick somebody was last heard. */
  readonly #heard = new Map<MemberId, number>();
  #ticks = 0;
  #applied: number;
  #working: Promise<void> | undefined;
  #failure: Error | undefined;
  #contexts = 0;
  readonly #ticker: { cancel(): void };

  constructor({ durable, ...options }: RaftMemberOptions) {
    const { id, random, clock, tickMs } = options;
    this.#options = options;
    this.#applied = durable.snapshot.index;
    this.electionMs = electionMsOf(tickMs);
    this.raft = new Raft({ id, durable, random, electionTicks });
    this.#ticker = clock.every(tickMs ?? defaultTickMs, () => this.#tick());
    this.#act(() => {
      if (this.raft.members.length === 1) this.raft.campaign();
    });
  }

  /** The last entry that was applied. */
  get applied(): number {
    return this.#applied;
  }

  /** Why this member does nothing any more. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** From a peer. */
  receive(message: Message): void {
    this.#heard.set(message.from, this.#ticks);
    this.#act(() => this.raft.step(message));
  }

  /** Whether the member was heard of within so many ticks; if not given, within the time after which a follower takes its leader for dead. */
  isHeard(id: MemberId, ticks = electionTicks): boolean {
    return id === this.raft.id || this.#ticks - (this.#heard.get(id) ?? Number.NEGATIVE_INFINITY) <= ticks;
  }

  /** False if nobody leads. True is no promise yet: the entry is taken when it comes back by `apply`. */
  propose(data: Uint8Array): boolean {
    return this.#act(() => this.raft.propose([data])) ?? false;
  }

  /** Runs something on the core, and does what the core wants done then. Undefined: this member has stopped. */
  act<Result>(act: (raft: Raft) => Result): Result | undefined {
    return this.#act(() => act(this.raft));
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

  /** A snapshot of the state as it is applied here, without the state. @throws Error while another one is being installed */
  snapshot(): Snapshot {
    const { log } = this.raft;
    const term = log.termAt(this.#applied);
    if (term === undefined) throw new Error('a snapshot from the leader is being installed');
    return { index: this.#applied, term, members: log.membersAt(this.#applied), data: new Uint8Array() };
  }

  /** The snapshot is on the disk. */
  compact({ index }: Snapshot): void {
    const { catchUpEntries = defaultCatchUpEntries } = this.#options;
    if (index > this.raft.log.snapshot.index) this.raft.compact(index, new Uint8Array(), catchUpEntries);
  }

  async stop(): Promise<void> {
    this.fail(new Error('the member was stopped'));
    await this.#working;
  }

  #tick(): void {
    this.#ticks += 1;
    this.#act(() => this.raft.tick());
  }

  /** Silent for ever, as if it had crashed. */
  fail(error: Error): void {
    if (this.#failure) return;
    this.#ticker.cancel();
    this.#failure = error;
    for (const { reject } of this.#reads.values()) reject(error);
    this.#options.onFailure?.(error);
  }

  #act<Result>(act: () => Result): Result | undefined {
    if (this.#failure) return undefined;
    try {
      return act();
    } catch (error) {
      this.#options.log.error('this member has stopped', { error });
      this.fail(error as Error);
      return undefined;
    } finally {
      this.#work();
    }
  }

  #work(): void {
    if (this.#failure) return;
    this.#working ??= this.#turns()
      .catch((error: Error) => {
        // After a failed write nobody knows what is on the disk.
        this.#options.log.error('this member has stopped', { error });
        this.fail(error);
      })
      .finally(() => {
        this.#working = undefined;
        // Something may have come in after the last turn had looked.
        if (this.raft.hasReady) this.#work();
      });
  }

  async #turns(): Promise<void> {
    // Whatever else comes in during this turn of the event loop shares the first turn of the disk.
    await Promise.resolve();
    while (this.raft.hasReady && !this.#failure) {
      const ready = this.raft.ready();
      await this.#carryOut(ready);
      this.raft.advance(ready);
      this.#options.onTurn?.();
    }
  }

  /**
   * The order is what makes Raft safe: what goes to the disk goes there in one record (`hasRecord`, `encodeRecord`); only when that is
   * safe are the messages sent (`withState` for those that carry a snapshot), because they promise it; then the snapshot is installed, the
   * committed entries are applied one by one, and `#applied` says which was the last; then reads that waited for them are granted.
   */
  async #carryOut(ready: Ready): Promise<void> {
    throw new NotImplemented('1.10', 'Do all that `ready` asks for, in that order.');
  }

  /** Reads may be served as soon as the entry `index` is applied. */
  #grant(reads: Ready['reads']): void {
    for (const { context, index } of reads) {
      const read = this.#reads.get(context);
      if (read) read.index = index;
    }
    for (const { index, resolve } of this.#reads.values()) if (index !== undefined && index <= this.#applied) resolve();
  }

  /** The core keeps no states. The one that is here now is newer than the one it thought of, and as good. */
  #withState(message: Message): Message[] {
    if (message.type !== 'snapshot') return [message];
    const { term, members } = { term: this.raft.log.termAt(this.#applied), members: this.raft.log.membersAt(this.#applied) };
    // Meanwhile it follows somebody else, and has nothing to send any more.
    if (term === undefined) return [];
    return [{ ...message, snapshot: { index: this.#applied, term, members, data: new Uint8Array() }, state: this.#options.capture() }];
  }
}
