// Who belongs to the cluster, changed by entries of the log. One member at a time: then every majority of the old members and every
// majority of the new ones have somebody in common, and no two leaders can be elected beside each other.
// A change counts as soon as it is in the log, committed or not. Only whether it is committed itself is up to those who were members
// before: a second member cannot be asked before it has been told of the first.
// Raft: thesis, 4.1 and 4.2

import type { Member } from './messages.ts';
import { hasCommittedInTerm } from './reads.ts';
import { appendOwn, sendAppends } from './replication.ts';
import { type RaftState, trackMembers } from './state.ts';

export type Decision = { accepted: true } | { accepted: false; reason: string };

/** Appends the change, if this member leads and may make it now. */
export function changeMembers(state: RaftState, members: readonly Member[], data: Uint8Array): Decision {
  const reason = whyNotChange(state, members);
  if (reason !== undefined) return { accepted: false, reason };
  appendOwn(state, [{ data, members }]);
  trackMembers(state);
  sendAppends(state);
  return { accepted: true };
}

/**
 * A new leader waits until it has committed an entry of its own term: without that, two leaders in a row could each make a change
 * that the other does not know of. (Found after the thesis: "bug in single-server membership changes", raft-dev, 2015.)
 * @returns why these members can't take the place of the present ones now, or nothing if they can
 */
export function whyNotChange(state: RaftState, members: readonly Member[]): string | undefined {
  const { log, commit } = state;
  if (state.role !== 'leader') return 'this member does not lead';
  if (!hasCommittedInTerm(state)) return 'the leader is new: it has not committed anything yet';
  if (log.membersIndex > commit) return 'another change of members is under way';
  if (members.length === 0) return 'a cluster needs a member';
  if (differences(log.members, members) > 1) return 'only one member may be added or removed at a time';
  return undefined;
}

/**
 * Raises `commit` up to the latest change if a majority of the members before it has it. Nobody of them will vote for a log without it,
 * and the new members know of nothing else.
 */
export function commitChange(state: RaftState): boolean {
  const { log, commit, progress, term } = state;
  const index = log.membersIndex;
  if (index <= commit || log.termAt(index) !== term) return false;
  const before = log.membersAt(index - 1);
  const having = before.filter(({ id }) => (progress.get(id)?.match ?? 0) >= index).length;
  if (having <= before.length / 2) return false;
  state.commit = index;
  return true;
}

/** How many members are in one list only. */
function differences(before: readonly Member[], after: readonly Member[]): number {
  const missing = (from: readonly Member[], others: readonly Member[]) =>
    others.filter(({ id }) => !from.some((member) => member.id === id));
  return missing(before, after).length + missing(after, before).length;
}
