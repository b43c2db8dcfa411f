// Raft: several members agree on one log, as long as a majority of them is there. This is the whole of it for one member, and nothing
// but it: what happened goes in (a message, a tick, a proposal), and `ready()` says what is to be done. The same input in the
// same order gives the same output: no clock, no network, no disk in here.
//
// The caller's duty, each turn: ready → write snapshot, hard state and entries to the disk → only then send the messages → apply what is
// committed → advance. In between it may call anything but `ready`.
// Raft: https://raft.github.io/raft.pdf (sections are cited as §5.2; the thesis by chapter). etcd: raft/rawnode.go

import { NotImplemented } from '#kit/not-implemented';
import { answerVoteRequest, campaign, handleVoteAnswer, tick } from './election.ts';
import { handleAppend, handleHeartbeat } from './followers.ts';
import { changeMembers, type Decision } from './membership.ts';
import type { Entry, HardState, Member, MemberId, Message, MessageOf, Snapshot } from './messages.ts';
import { handleHeartbeatAnswer, requestRead } from './reads.ts';
import { appendOwn, countOwnDisk, handleAppendAnswer, sendAppends } from './replication.ts';
import { becomeFollower } from './roles.ts';
import { handleSnapshot } from './snapshots.ts';
import { mayLead, newState, type RaftOptions, type RaftState, type Role, restartElectionTimer, send } from './state.ts';
import { transferLeadership } from './transfer.ts';

/** What is to be done, in this order. */
export interface Ready {
  /** To the disk, and into the state machine, in place of all that was there. */
  snapshot: Snapshot | undefined;
  /** To the disk, if it is there. */
  hardState: HardState | undefined;
  /** To the disk; what is there from the first one's index on is no longer valid. */
  entries: readonly Entry[];
  /** To be sent when all that is on the disk. */
  messages: readonly Message[];
  /** Into the state machine, in order. */
  committed: readonly Entry[];
  /** Reads that may be served as soon as the entry `index` is applied. */
  reads: readonly { context: string; index: number }[];
}

export class Raft {
  readonly #state: RaftState;
  #saved: HardState;

  constructor(options: RaftOptions) {
    this.#state = newState(options);
    this.#saved = { ...options.durable.hardState };
  }

  get id(): MemberId {
    return this.#state.id;
  }

  get role(): Role {
    return this.#state.role;
  }

  get term(): number {
    return this.#state.term;
  }

  /** Whom this member voted for in this term. */
  get vote(): MemberId | undefined {
    return this.#state.vote;
  }

  /** Who leads, as far as this member knows. */
  get leader(): MemberId | undefined {
    return this.#state.leader;
  }

  get commit(): number {
    return this.#state.commit;
  }

  get members(): readonly Member[] {
    return this.#state.log.members;
  }

  /** For those who look: the log, never to be changed from outside. */
  get log(): Omit<RaftState['log'], 'overwrite' | 'compact' | 'restart'> {
    return this.#state.log;
  }

  tick(): void {
    tick(this.#state);
  }

  /** Stands for election without waiting: for the only member of a cluster, which has nobody to wait for. */
  campaign(): void {
    if (this.#state.role !== 'leader' && mayLead(this.#state)) campaign(this.#state, 'pre-vote');
  }

  step(message: Message): void {
    const state = this.#state;
    if (isBetweenMemberAndLeader(message)) {
      this.#stepAside(message);
      return;
    }
    if (isDisturbance(state, message)) return;
    if (message.term < state.term) {
      answerOld(state, message);
      return;
    }
    if (message.term > state.term && changesTerm(message)) becomeFollower(state, message.term, undefined);
    handle(state, message);
  }

  /** Messages that have nothing to do with terms. */
  #stepAside(message: Aside): void {
    if (message.type === 'read-index-answer') this.#state.granted.push({ context: message.context, index: message.index });
    else if (message.type === 'read-index') requestRead(this.#state, message.context, message.from);
    // Sent on once and no further: two members that take each other for the leader would send it to and fro.
    else if (this.#state.role === 'leader') this.propose(message.data);
  }

  /** Appends entries, or sends them to the leader. False: nobody leads, or the leader is about to leave, and nothing has happened. */
  propose(data: readonly Uint8Array[]): boolean {
    const state = this.#state;
    if (state.role === 'leader') {
      if (state.transferee !== undefined) return false;
      appendOwn(
        state,
        data.map((each) => ({ data: each })),
      );
      sendAppends(state);
      return true;
    }
    if (state.leader === undefined) return false;
    send(state, state.leader, { type: 'propose', data });
    return true;
  }

  /** The answer comes in `ready().reads` with the same context, or never, if messages are lost: then ask again. */
  read(context: string): void {
    requestRead(this.#state, context, this.#state.id);
  }

  changeMembers(members: readonly Member[], data: Uint8Array): Decision {
    return changeMembers(this.#state, members, data);
  }

  transferLeadership(to: MemberId): boolean {
    return transferLeadership(this.#state, to);
  }

  /** The state machine's content after the entry `index` replaces the entries; some before it are kept for slow followers. */
  compact(index: number, data: Uint8Array, keep = 0): Snapshot {
    const { log } = this.#state;
    const term = log.termAt(index);
    if (term === undefined || index > this.#state.applied) throw new RangeError(`entry ${index} is not there, or not applied yet`);
    const snapshot = { index, term, members: log.membersAt(index), data };
    log.compact(snapshot, Math.max(log.firstIndex - 1, index - keep));
    return snapshot;
  }

  get hasReady(): boolean {
    const { log, outbox, granted, received, commit, applied, term, vote } = this.#state;
    return (
      outbox.length > 0 ||
      log.stable < log.lastIndex ||
      applied < commit ||
      granted.length > 0 ||
      received !== undefined ||
      term !== this.#saved.term ||
      vote !== this.#saved.vote
    );
  }

  ready(): Ready {
    const state = this.#state;
    const { log, term, vote } = state;
    const ready: Ready = {
      snapshot: state.received,
      hardState: term !== this.#saved.term || vote !== this.#saved.vote ? { term, vote } : undefined,
      entries: log.slice(log.stable + 1),
      messages: state.outbox,
      committed: log.slice(state.applied + 1, state.commit),
      reads: state.granted,
    };
    this.#saved = { term, vote };
    state.received = undefined;
    state.outbox = [];
    state.granted = [];
    state.applied = state.commit;
    return ready;
  }

  /** All of `ready` was done. */
  advance({ entries }: Ready): void {
    const { log } = this.#state;
    const last = entries.at(-1);
    // What was written may have been overwritten in memory meanwhile: then it does not count.
    if (last && log.termAt(last.index) === last.term) log.stable = Math.max(log.stable, last.index);
    countOwnDisk(this.#state);
  }
}

type Aside = MessageOf<'propose' | 'read-index' | 'read-index-answer'>;

function isBetweenMemberAndLeader(message: Message): message is Aside {
  return message.type === 'propose' || message.type === 'read-index' || message.type === 'read-index-answer';
}

/**
 * A member that hears its leader, or heard it just now, helps nobody to depose it: whoever stands for election was cut off, or removed.
 * Raft: §6, last paragraph; thesis, 4.2.3. Except when the leader itself wants it.
 */
function isDisturbance({ term, leader, electionElapsed, electionTicks }: RaftState, message: Message): boolean {
  throw new NotImplemented('1.8', 'Say whether this is a request for a vote in a newer term that must be ignored.');
}

/** A pre-vote speaks of a term that has not begun. */
function changesTerm(message: Message): boolean {
  return message.type !== 'pre-vote' && !(message.type === 'pre-vote-answer' && message.granted);
}

/**
 * From an older term. Its sender must learn that there is a newer one, or it would go on for ever: a pre-candidate is refused, a leader
 * is answered, with our term. All else is of no use any more.
 * Raft: §5.1
 */
function answerOld(state: RaftState, { type, from }: Message): void {
  throw new NotImplemented('1.8', "Answer a leader's message and a pre-vote of an older term; ignore the rest.");
}

function handle(state: RaftState, message: Message): void {
  const { type, from } = message;
  if (type === 'append' || type === 'heartbeat' || type === 'snapshot') followSender(state, from);
  if (type === 'vote' || type === 'pre-vote') answerVoteRequest(state, message);
  else if (type === 'vote-answer' || type === 'pre-vote-answer') handleVoteAnswer(state, message);
  else if (type === 'append') handleAppend(state, message);
  else if (type === 'append-answer') handleAppendAnswer(state, message);
  else if (type === 'heartbeat') handleHeartbeat(state, message);
  else if (type === 'heartbeat-answer') handleHeartbeatAnswer(state, message);
  else if (type === 'snapshot') handleSnapshot(state, message);
  else if (type === 'timeout-now' && state.role !== 'leader' && mayLead(state)) campaign(state, 'vote', true);
}

/** Whoever speaks as a leader in our term is the leader of our term: there is no other. */
function followSender(state: RaftState, from: MemberId): void {
  throw new NotImplemented('1.8', 'Follow the sender; if we do already, only begin to wait anew.');
}
