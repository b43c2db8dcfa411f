// Electing a leader: who stands up, who votes for whom, who has won. At most one leader a term, because a member votes once a
// term and a leader needs a majority; and no leader without every committed entry, because members refuse candidates whose
// log is older than theirs.
// Raft: §5.2, §5.4.1; thesis, 9.6 (pre-vote). etcd: raft/raft.go, campaign and Step

import { NotImplemented } from '#kit/not-implemented';
import type { MemberId, MessageOf } from './messages.ts';
import { sendHeartbeats } from './replication.ts';
import { becomeCandidate, becomeFollower, becomeLeader, becomePreCandidate } from './roles.ts';
import { majority, mayLead, otherMembers, type RaftState, restartElectionTimer, send } from './state.ts';

/** A tick of the clock. */
export function tick(state: RaftState): void {
  state.electionElapsed += 1;
  if (state.role === 'leader') tickLeader(state);
  else tickOther(state);
}

/**
 * Who has been removed from the cluster does not stand for election: `mayLead` knows.
 * But the leader it knew is gone for it as well.
 */
function tickOther(state: RaftState): void {
  throw new NotImplemented('1.8', 'When the time-out is over, begin a pre-election if this member may lead; else follow nobody.');
}

function tickLeader(state: RaftState): void {
  if (state.electionElapsed >= state.electionTicks) {
    state.electionElapsed = 0;
    state.transferee = undefined;
    if (!hearsMajority(state)) {
      becomeFollower(state, state.term, undefined);
      return;
    }
  }
  state.heartbeatElapsed += 1;
  if (state.heartbeatElapsed < state.heartbeatTicks) return;
  state.heartbeatElapsed = 0;
  sendHeartbeats(state);
}

/**
 * A leader that is cut off must not go on for ever: its clients wait for nothing, and cannot know.
 * Raft: thesis, 6.2 ("a leader steps down if an election time-out elapses without a successful round of heartbeats")
 */
function hearsMajority(state: RaftState): boolean {
  throw new NotImplemented('1.8', 'Say whether a majority, this leader included, was active since the last time, and begin to count anew.');
}

/** The first vote is one's own; where there is nobody else to ask, it decides. */
export function campaign(state: RaftState, type: 'pre-vote' | 'vote', transfer = false): void {
  throw new NotImplemented('1.8', 'Become (pre-)candidate, ask every other member for its vote, and count your own.');
}

/**
 * The request's term is not older than ours. (`step` in raft.ts has seen to that, and to leaders that are well.)
 * Raft: figure 2, "RequestVote RPC". A pre-vote is no promise: it is not remembered.
 * A term that has its leader, as far as we know, has no vote to give away any more.
 */
export function answerVoteRequest(state: RaftState, request: MessageOf<'pre-vote' | 'vote'>): void {
  throw new NotImplemented(
    '1.8',
    "Answer: grant the vote if it is still free in this term and the candidate's log is at least as new as ours; remember it.",
  );
}

/**
 * The log whose last entry has the later term is newer; of two with the same term, the longer one.
 * Raft: §5.4.1
 */
export function isUpToDate({ log }: RaftState, { lastIndex, lastTerm }: { lastIndex: number; lastTerm: number }): boolean {
  throw new NotImplemented('1.8', "Say whether the candidate's log is at least as new as ours.");
}

export function handleVoteAnswer(state: RaftState, { type, from, term, granted }: MessageOf<'pre-vote-answer' | 'vote-answer'>): void {
  const isForMe = type === 'pre-vote-answer' ? state.role === 'pre-candidate' : state.role === 'candidate';
  // A "yes" to an earlier pre-election speaks of an earlier term.
  const isForThis = !(type === 'pre-vote-answer' && granted) || term === state.term + 1;
  if (isForMe && isForThis) countVote(state, from, granted);
}

/**
 * A pre-candidate that wins becomes a candidate, a candidate that wins becomes leader. Who cannot win any more follows.
 * Messages come twice sometimes: a member has one vote, and its first answer counts.
 * Only members count.
 */
function countVote(state: RaftState, from: MemberId, granted: boolean): void {
  throw new NotImplemented('1.8', 'Note the answer in `votes`, and act if a majority has granted or a majority has refused.');
}
