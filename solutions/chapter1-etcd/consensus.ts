// What makes a command a fact. A server without peers needs its disk for that (`alone.ts`); a member of a cluster needs a majority of
// the members (`replicated.ts`). Whoever proposes, reads or looks at the server's standing need not know which.

import type { Command, LeaseId } from './messages.ts';
import type { Member, MemberId } from './raft/messages.ts';

/** A command as it is proposed; by its ID, its proposer knows it again when it is applied. */
export interface Proposal {
  command: Command & { ID: string };
  payload: Buffer;
}

export interface Standing {
  /** Undefined: nobody leads, as far as this server knows. */
  leader: MemberId | undefined;
  term: number;
  /** How many entries are settled for ever, and how many of those were applied here. */
  committed: number;
  applied: number;
}

/** All that is needed to begin from here instead of from the log's beginning. */
export interface Checkpoint {
  /** So many records of the journal are superfluous with it. */
  records: number;
  payloads: Iterable<Buffer>;
  /** Called when it is on the disk. */
  onWritten?: () => void;
}

/** A change of members: one of these. */
export interface MembersRequest {
  add?: { peerURLs: string[] };
  remove?: MemberId;
  update?: { ID: MemberId; peerURLs: string[] };
}

export interface TimeToLiveRequest {
  ID: LeaseId;
  keys: boolean;
}

export interface Consensus {
  readonly standing: Standing;
  /** Who belongs to the cluster, by what is applied here. */
  readonly members: readonly Member[];
  /** Resolves with the response when the command is a fact and applied here. @throws EtcdError if it is refused, or takes too long */
  settle(proposal: Proposal): Promise<object>;
  /** Resolves when what is applied here is at least as new as anything that anybody was told before the call; at once if old will do. */
  readable(oldWillDo: boolean): Promise<void>;
  /** Leases, as the leader sees them: only it counts their time. The answers have no header. @throws EtcdError if nobody leads */
  keepAlive(lease: LeaseId): Promise<object>;
  timeToLive(request: TimeToLiveRequest): Promise<object>;
  /** Resolves with the members when the change is a fact. @throws EtcdError if it is refused */
  changeMembers(request: MembersRequest): Promise<readonly Member[]>;
  /** Resolves when that member leads. @throws EtcdError if this one does not lead, or it takes too long */
  moveLeader(to: MemberId): Promise<void>;
  /** The present state, for a snapshot. */
  checkpoint(): Checkpoint;
}
