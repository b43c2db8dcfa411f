// The leader's half of replication: what it appends, what it sends to whom, and when an entry is committed.
// Raft: §5.3, §5.4.2. etcd: raft/raft.go, bcastAppend, maybeSendAppend, maybeCommit

import { NotImplemented } from '#kit/not-implemented';
import { commitChange } from './membership.ts';
import type { Entry, MemberId, MessageOf } from './messages.ts';
import { acknowledged, isPaused, type Progress, sent, startProbe } from './progress.ts';
import { startEarlyReads } from './reads.ts';
import { becomeFollower } from './roles.ts';
import { sendSnapshot } from './snapshots.ts';
import { isMember, majority, type RaftState, send } from './state.ts';
import { continueTransfer } from './transfer.ts';

/** Appends the entries to this leader's own log: with the next indexes, and its term. */
export function appendOwn(state: RaftState, entries: readonly Pick<Entry, 'data' | 'members'>[]): void {
  const { term, log } = state;
  log.overwrite(entries.map((entry, position) => ({ ...entry, index: log.lastIndex + 1 + position, term })));
}

/** Followers shall hear of their leader before they run out of patience. */
export function sendHeartbeats(state: RaftState): void {
  for (const [to, { match }] of state.progress) {
    if (to === state.id) continue;
    // A follower may lack entries that are committed: it must not take others in their place for them.
    send(state, to, { type: 'heartbeat', commit: Math.min(match, state.commit), round: state.readRound });
  }
}

/** To everybody what is new to them. */
export function sendAppends(state: RaftState): void {
  for (const to of state.progress.keys()) if (to !== state.id) sendNew(state, to);
}

/** Goes on until the follower has been sent all there is, or we must wait for it. */
export function sendNew(state: RaftState, to: MemberId): void {
  const progress = state.progress.get(to);
  while (progress && !isPaused(progress) && progress.next <= state.log.lastIndex) sendAppend(state, to, progress);
}

/**
 * Sends the follower its next entries, with index and term of the one before them.
 * A message without entries is of use too: its answer tells where the follower's log is. If the entry before is compacted, only
 * a snapshot helps (`sendSnapshot`). `sent` notes what is on its way.
 * Raft: figure 2, "AppendEntries RPC"
 */
export function sendAppend(state: RaftState, to: MemberId, progress: Progress): void {
  const { log, commit } = state;
  const previousIndex = progress.next - 1;
  const previousTerm = log.termAt(previousIndex);
  if (previousTerm === undefined) {
    sendSnapshot(state, to, progress);
    return;
  }
  const entries = fitting(log.slice(progress.next, progress.next + 1023), state.largestMessage);
  send(state, to, { type: 'append', previousIndex, previousTerm, entries, commit });
  const last = entries.at(-1);
  if (last) sent(progress, last.index);
}

/** As many as fit, one at least. */
function fitting(entries: Entry[], bytes: number): Entry[] {
  let left = bytes;
  const tooMany = entries.findIndex(({ data }, position) => {
    left -= data.length;
    return left < 0 && position > 0;
  });
  return tooMany < 0 ? entries : entries.slice(0, tooMany);
}

export function handleAppendAnswer(state: RaftState, answer: MessageOf<'append-answer'>): void {
  const progress = state.progress.get(answer.from);
  if (state.role !== 'leader' || !progress) return;
  progress.isActive = true;
  if (answer.accepted) {
    acknowledged(progress, answer.index);
    if (commitMore(state)) sendCommit(state);
    else sendNew(state, answer.from);
    continueTransfer(state, answer.from);
  } else {
    stepBack(state, answer, progress);
  }
}

/**
 * One entry back at a time would take for ever. The follower's hint lets us skip all entries that cannot fit: what it has there is of
 * `hint.term`, so only entries of ours with that term or an older one can be the same.
 * Raft: §5.3, last paragraphs. etcd: raft/log.go, findConflictByTerm
 */
function stepBack(state: RaftState, { from, index, hint }: MessageOf<'append-answer'>, progress: Progress): void {
  throw new NotImplemented(
    '1.9',
    'Ignore an answer to a question that is settled; else choose the next entry to try, later than `match`, and send it.',
  );
}

/**
 * An entry of this term is committed when a majority has it on disk, and with it all entries before it. An entry of an older term is
 * never committed by counting: figure 8 shows how it could still be overwritten.
 * Raft: §5.4.2
 */
export function advanceCommit(state: RaftState): boolean {
  throw new NotImplemented(
    '1.9',
    'Raise `commit` as far as a majority has come, if that entry is of this term; say whether it was raised.',
  );
}

/** A majority of 3, 1, 2 has reached 2. */
export function reachedByMajority(state: RaftState, number: (progress: Progress) => number): number {
  throw new NotImplemented('1.9', 'Return the highest number that a majority of the members has reached.');
}

function commitMore(state: RaftState): boolean {
  const isChangeCommitted = commitChange(state);
  return advanceCommit(state) || isChangeCommitted;
}

/** What a leader does when `commit` has risen: tells, and sees to what waited for it. */
export function sendCommit(state: RaftState): void {
  for (const [to, progress] of state.progress) {
    if (to === state.id) continue;
    // A follower that has all entries is told too: it cannot apply what it does not know to be committed.
    if (!isPaused(progress)) sendAppend(state, to, progress);
    sendNew(state, to);
  }
  startEarlyReads(state);
  // Raft, thesis 4.2.2: a leader that is no longer a member leads until that is committed.
  if (!isMember(state, state.id) && state.log.membersIndex <= state.commit) becomeFollower(state, state.term, undefined);
}

/** What was written is on the disk: this leader counts itself from now on. */
export function countOwnDisk(state: RaftState): void {
  if (state.role !== 'leader') return;
  const own = state.progress.get(state.id);
  if (own) acknowledged(own, state.log.stable);
  if (commitMore(state)) sendCommit(state);
}
