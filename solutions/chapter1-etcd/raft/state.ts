// All that a member knows, as one value that the functions of this folder read and change: no clock, no disk, no network, and
// chance only where `random` is called. Time is counted in ticks.
// Raft: figure 2, "State". etcd: raft/raft.go, type raft

import type { Random } from '#kit/clock';
import { RaftLog } from './log.ts';
import type { Body, Entry, HardState, MemberId, Message, Snapshot } from './messages.ts';
import { newProgress, type Progress } from './progress.ts';

export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

/** What the disk gives back at a start. */
export interface Durable {
  hardState: HardState;
  snapshot: Snapshot;
  entries: readonly Entry[];
}

export interface RaftOptions {
  id: MemberId;
  durable: Durable;
  random: Random;
  /** A follower waits that many ticks for its leader, and up to twice as many. */
  electionTicks?: number;
  heartbeatTicks?: number;
  /** Bytes of entries in one message; always one entry at least. */
  largestMessage?: number;
}

/** A read that may be served from the state as of `index`, when the leader has made sure of itself in `round`. */
export interface PendingRead {
  readonly context: string;
  readonly from: MemberId;
  readonly index: number;
  readonly round: number;
}

export interface RaftState extends HardState {
  readonly id: MemberId;
  readonly random: Random;
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  readonly largestMessage: number;

  role: Role;
  leader: MemberId | undefined;
  readonly log: RaftLog;
  /** Up to here entries are committed: they stay for ever, and may be applied. */
  commit: number;
  /** Up to here entries were handed out to be applied. */
  applied: number;

  /** Ticks since a leader was heard of (a leader: since it counted who is there). */
  electionElapsed: number;
  /** How many of those are too many, drawn anew each time. */
  electionTimeout: number;
  heartbeatElapsed: number;

  /** Candidates: who has answered what. */
  votes: Map<MemberId, boolean>;
  /** Leaders: how far each member is, the leader itself too. */
  progress: Map<MemberId, Progress>;
  /** Leaders: the member that is to lead next. */
  transferee: MemberId | undefined;
  /** Leaders: reads that wait for a majority's "yes, you lead". */
  reads: PendingRead[];
  /** Leaders: reads that came before the first entry of this term was committed. */
  earlyReads: { context: string; from: MemberId }[];
  readRound: number;

  /** Messages to send, when what was written before is on the disk. */
  outbox: Message[];
  /** Reads that were granted to this member. */
  granted: { context: string; index: number }[];
  /** A snapshot to put on the disk and into the state machine. */
  received: Snapshot | undefined;
}

export function newState(options: RaftOptions): RaftState {
  const { id, random, durable, electionTicks = 10, heartbeatTicks = 1, largestMessage = 1024 * 1024 } = options;
  const state: RaftState = {
    id,
    random,
    electionTicks,
    heartbeatTicks,
    largestMessage,
    ...durable.hardState,
    role: 'follower',
    leader: undefined,
    log: new RaftLog(durable.snapshot, durable.entries),
    commit: durable.snapshot.index,
    applied: durable.snapshot.index,
    electionElapsed: 0,
    electionTimeout: 0,
    heartbeatElapsed: 0,
    votes: new Map(),
    progress: new Map(),
    transferee: undefined,
    reads: [],
    earlyReads: [],
    readRound: 0,
    outbox: [],
    granted: [],
    received: undefined,
  };
  restartElectionTimer(state);
  return state;
}

/** The next election time-out is drawn between one and two times `electionTicks`, so that members seldom stand up at once (§5.2). */
export function restartElectionTimer(state: RaftState): void {
  state.electionElapsed = 0;
  state.electionTimeout = state.electionTicks + Math.floor(state.random() * state.electionTicks);
}

/** Forgets all that belonged to the role; a new term begins without a vote. */
export function enterRole(state: RaftState, role: Role, term: number, leader: MemberId | undefined): void {
  if (term !== state.term) state.vote = undefined;
  state.term = term;
  state.role = role;
  state.leader = leader;
  state.heartbeatElapsed = 0;
  state.votes = new Map();
  state.progress = new Map();
  state.transferee = undefined;
  state.reads = [];
  state.earlyReads = [];
  state.readRound = 0;
  restartElectionTimer(state);
}

export function send(state: RaftState, to: MemberId, body: Body, term = state.term): void {
  state.outbox.push({ from: state.id, to, term, ...body });
}

export function isMember(state: RaftState, id: MemberId): boolean {
  return state.log.members.some((member) => member.id === id);
}

/**
 * Whoever is no member has no business to lead. But a removal counts from when it is in the log: until it is committed, the removed
 * member may be the only one who has it, and be needed to bring it about.
 * Raft: thesis, 4.2.2
 */
export function mayLead({ id, log, commit }: RaftState): boolean {
  return log.membersSince(commit).some((member) => member.id === id);
}

export function otherMembers(state: RaftState): MemberId[] {
  return state.log.members.map(({ id }) => id).filter((id) => id !== state.id);
}

/** A leader keeps account of exactly those who are members now. */
export function trackMembers(state: RaftState): void {
  for (const { id } of state.log.members) if (!state.progress.has(id)) state.progress.set(id, newProgress(state.log.lastIndex + 1));
  for (const id of state.progress.keys()) if (!isMember(state, id)) state.progress.delete(id);
}

/** How many members are more than half of them. */
export function majority(state: RaftState): number {
  return Math.floor(state.log.members.length / 2) + 1;
}
