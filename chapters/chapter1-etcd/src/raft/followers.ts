// The follower's half of replication: it takes entries only where they fit behind its own, and gives up its own where they differ
// from the leader's. So two logs that agree in one entry agree in all before it.
// Raft: §5.3, figure 2, "AppendEntries RPC". etcd: raft/raft.go, handleAppendEntries

import { NotImplemented } from '#kit/not-implemented';
import type { Entry, MessageOf } from './messages.ts';
import { type RaftState, send } from './state.ts';

/**
 * What is committed is settled: an append that begins before it is late, and is answered with what we have.
 * Messages come late, twice, and in any order: an older append must not cut off what a newer one brought.
 */
export function handleAppend(state: RaftState, { from, previousIndex, previousTerm, entries, commit }: MessageOf<'append'>): void {
  throw new NotImplemented(
    '1.9',
    "Take the entries if the one before them fits, raise `commit` as far as the leader's log and ours are known to agree, and answer; else refuse with a hint.",
  );
}

/** Return the entries from the first one on that the log does not have, index and term; none if it has them all. */
export function fromFirstDifference({ log }: RaftState, entries: readonly Entry[]): readonly Entry[] {
  throw new NotImplemented(
    '1.9',
    'Return the entries from the first one on that the log does not have, index and term; none if it has them all.',
  );
}

/** The last entry at or before `index` whose term is not newer than `term`: nothing behind it can be the leader's. */
function hint({ log, commit }: RaftState, index: number, term: number): { index: number; term: number } {
  let candidate = Math.min(index, log.lastIndex);
  while (candidate > commit && (log.termAt(candidate) ?? 0) > term) candidate -= 1;
  return { index: candidate, term: log.termAt(candidate) ?? 0 };
}

/** The leader promises with a heartbeat's `commit` that we have all entries up to it. */
export function handleHeartbeat(state: RaftState, { from, commit, round }: MessageOf<'heartbeat'>): void {
  commitUpTo(state, commit);
  send(state, from, { type: 'heartbeat-answer', round });
}

/** `commit` never goes back: an old message does not undo a new one. */
function commitUpTo(state: RaftState, index: number): void {
  if (index > state.log.lastIndex)
    throw new RangeError(`entry ${index} is said to be committed, and the log ends at ${state.log.lastIndex}: it was damaged`);
  state.commit = Math.max(state.commit, index);
}
