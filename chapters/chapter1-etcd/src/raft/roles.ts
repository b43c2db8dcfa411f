// The four roles and how a member comes into them. Anybody becomes a follower at once, whenever it hears of a newer term.
// Raft: §5.1 and figure 4. etcd: raft/raft.go, becomeFollower and its sisters

import { NotImplemented } from '#kit/not-implemented';
import type { MemberId } from './messages.ts';
import { appendOwn, sendAppends } from './replication.ts';
import { enterRole, type RaftState, trackMembers } from './state.ts';

/** Follow the leader of this term, or nobody yet if it is not known: `enterRole` does what every change of role needs. */
export function becomeFollower(state: RaftState, term: number, leader: MemberId | undefined): void {
  throw new NotImplemented(
    '1.8',
    'Follow the leader of this term, or nobody yet if it is not known: `enterRole` does what every change of role needs.',
  );
}

/**
 * Only asks: "would you vote for me?" The term stays as it is, and so does the vote, so that asking disturbs nobody.
 * Raft: thesis, 9.6
 */
export function becomePreCandidate(state: RaftState): void {
  throw new NotImplemented('1.8', 'Become a pre-candidate of the same term, who knows of no leader.');
}

/** Raft: §5.2 */
export function becomeCandidate(state: RaftState): void {
  throw new NotImplemented('1.8', 'Begin the next term as a candidate, with your vote for yourself.');
}

/** A new leader does not know which old entries are committed. An entry of its own term will tell: so it begins with an empty one (§8). */
export function becomeLeader(state: RaftState): void {
  throw new NotImplemented(
    '1.8',
    'Become the leader of this term: keep account of all members, append an empty entry, and send it to all.',
  );
}
