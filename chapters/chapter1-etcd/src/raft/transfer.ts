// Giving the lead away: the leader waits until its successor has the whole log, and tells it to begin an election at once. Meanwhile it
// takes no proposals, or the successor would never catch up. If it takes longer than an election, the leader carries on.
// Raft: thesis, 3.10. etcd: raft/raft.go, MsgTransferLeader

import type { MemberId } from './messages.ts';
import { sendNew } from './replication.ts';
import { isMember, type RaftState, send } from './state.ts';

export function transferLeadership(state: RaftState, to: MemberId): boolean {
  if (state.role !== 'leader' || to === state.id || !isMember(state, to)) return false;
  state.transferee = to;
  state.electionElapsed = 0;
  sendNew(state, to);
  continueTransfer(state, to);
  return true;
}

/** Called when a follower has made progress. */
export function continueTransfer(state: RaftState, from: MemberId): void {
  const { transferee, progress, log } = state;
  if (transferee === from && progress.get(from)?.match === log.lastIndex) send(state, from, { type: 'timeout-now' });
}
