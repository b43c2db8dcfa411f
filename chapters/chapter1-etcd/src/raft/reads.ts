// Reads that cannot be stale, without writing anything. A leader notes how far the log is committed, and then makes sure that it
// still is the leader: it asks everybody, and waits for a majority. If nobody leads in its place now, the note was up to date when the
// read came. Whoever asked serves the read when it has applied that much.
// Raft: thesis, 6.4 (ReadIndex). etcd: raft/read_only.go

import { NotImplemented } from '#kit/not-implemented';
import type { MemberId, MessageOf } from './messages.ts';
import { reachedByMajority, sendAppend, sendHeartbeats } from './replication.ts';
import { reconsiderSnapshot } from './snapshots.ts';
import { type RaftState, send } from './state.ts';

/**
 * A leader that has not committed anything in its term yet does not know how far the log is committed (thesis, 6.4, step 1):
 * such a read waits in `earlyReads`. A follower sends its own to the leader; what it was sent itself, or cannot send on, is lost: who asked asks again.
 */
export function requestRead(state: RaftState, context: string, from: MemberId): void {
  throw new NotImplemented('1.9', 'Take a read of `from`: start it, let it wait, or send it on.');
}

export function hasCommittedInTerm({ log, commit, term }: RaftState): boolean {
  return log.termAt(commit) === term;
}

/** Every read takes part in a round of its own or a later one: answers to earlier questions prove nothing about now. */
function startRead(state: RaftState, context: string, from: MemberId): void {
  state.readRound += 1;
  state.reads.push({ context, from, index: state.commit, round: state.readRound });
  sendHeartbeats(state);
  finishReads(state);
}

/** What came too early may start now. */
export function startEarlyReads(state: RaftState): void {
  if (!hasCommittedInTerm(state)) return;
  for (const { context, from } of state.earlyReads.splice(0)) startRead(state, context, from);
}

/** A follower that lacks entries may have lost a message: its answer is a good moment to send again. */
export function handleHeartbeatAnswer(state: RaftState, { from, round }: MessageOf<'heartbeat-answer'>): void {
  const progress = state.progress.get(from);
  if (state.role !== 'leader' || !progress) return;
  progress.isActive = true;
  progress.round = Math.max(progress.round, round);
  if (state.reads.length > 0) finishReads(state);
  reconsiderSnapshot(progress);
  if (progress.mode === 'snapshot') return;
  progress.isProbing = false;
  if (progress.match < state.log.lastIndex) sendAppend(state, from, progress);
}

/** This leader itself takes part in every round. */
function finishReads(state: RaftState): void {
  throw new NotImplemented('1.9', 'Grant every read whose round a majority has answered: our own to `granted`, the others with a message.');
}
