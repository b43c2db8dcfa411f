// A follower that is so far behind that the leader has compacted what it needs: it is given the whole state at once.
// Raft: §7, figure 13. etcd: raft/raft.go, maybeSendSnapshot and restore

import type { MemberId, MessageOf } from './messages.ts';
import { type Progress, startProbe, startSnapshot } from './progress.ts';
import { type RaftState, send } from './state.ts';

/** A snapshot may get lost like any message: after so many heartbeats that the follower answered without it, we try again. */
const patienceBeats = 50;

/** Sends our latest snapshot once; nothing else follows until the follower has it. */
export function sendSnapshot(state: RaftState, to: MemberId, progress: Progress): void {
  const { snapshot } = state.log;
  send(state, to, { type: 'snapshot', snapshot });
  startSnapshot(progress, snapshot.index);
}

/** Called when the follower answers a heartbeat. */
export function reconsiderSnapshot(progress: Progress): void {
  if (progress.mode !== 'snapshot') return;
  progress.snapshot.beats += 1;
  if (progress.snapshot.beats >= patienceBeats) startProbe(progress, progress.match + 1);
}

/**
 * If our log has the snapshot's last entry, we have all that it stands for: nothing is thrown away. What we know to be committed never goes
 * back. The answer tells the leader in every case how far we are.
 */
export function handleSnapshot(state: RaftState, { from, snapshot }: MessageOf<'snapshot'>): void {
  const { log } = state;
  if (snapshot.index > state.commit) {
    if (log.termAt(snapshot.index) === snapshot.term) {
      state.commit = snapshot.index;
    } else {
      log.restart(snapshot);
      state.commit = snapshot.index;
      state.applied = snapshot.index;
      state.received = snapshot;
    }
  }
  send(state, from, { type: 'append-answer', accepted: true, index: state.commit });
}
