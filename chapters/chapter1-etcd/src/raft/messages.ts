// What members of a cluster say to each other, and what a log is made of. Plain values: how they travel is the transport's
// business, how they are kept the disk's.
// Raft: "In Search of an Understandable Consensus Algorithm", figure 2. etcd: raft/raftpb/raft.proto

export type MemberId = string;

/** The core looks at the id only. The rest is for those who must find the member. */
export interface Member {
  readonly id: MemberId;
  readonly peerUrls?: readonly string[];
}

/** Who a member is for ever: which one of which cluster. */
export interface Identity {
  readonly memberId: MemberId;
  readonly clusterId: string;
}

export interface Entry {
  /** 1, 2, 3, … without gaps. */
  readonly index: number;
  /** The term of the leader that took it. */
  readonly term: number;
  /** What was proposed; nothing in the entry that a new leader begins its term with. */
  readonly data: Uint8Array;
  /** All members from this entry on, if it changes them. */
  readonly members?: readonly Member[];
}

/** The state after the entry `index`, in place of all entries up to it. */
export interface Snapshot {
  readonly index: number;
  readonly term: number;
  readonly members: readonly Member[];
  readonly data: Uint8Array;
}

/** What a member must still know after a crash, besides its log. */
export interface HardState {
  term: number;
  /** Whom it voted for in this term. */
  vote: MemberId | undefined;
}

/** `term` is the sender's; in a pre-vote, and in the answer that grants it, the term that an election would begin. */
export interface Envelope {
  readonly from: MemberId;
  readonly to: MemberId;
  readonly term: number;
}

export interface VoteRequest {
  readonly type: 'pre-vote' | 'vote';
  readonly lastIndex: number;
  readonly lastTerm: number;
  /** The leader asked for this election itself. */
  readonly transfer?: boolean;
}

export interface VoteAnswer {
  readonly type: 'pre-vote-answer' | 'vote-answer';
  readonly granted: boolean;
}

export interface Append {
  readonly type: 'append';
  /** The entry right before `entries`. */
  readonly previousIndex: number;
  readonly previousTerm: number;
  readonly entries: readonly Entry[];
  /** Up to where the leader knows entries to be committed. */
  readonly commit: number;
}

export interface AppendAnswer {
  readonly type: 'append-answer';
  readonly accepted: boolean;
  /** Accepted: up to here the logs are the same. Refused: the `previousIndex` that did not fit. */
  readonly index: number;
  /** Refused: from here on backwards it may be worth trying again. */
  readonly hint?: { readonly index: number; readonly term: number };
}

export interface Heartbeat {
  readonly type: 'heartbeat';
  readonly commit: number;
  /** Counts the leader's questions "am I still the leader?". */
  readonly round: number;
}

export interface HeartbeatAnswer {
  readonly type: 'heartbeat-answer';
  readonly round: number;
}

export interface InstallSnapshot {
  readonly type: 'snapshot';
  readonly snapshot: Snapshot;
  /** For the transport: what `snapshot.data` shall be, made piece by piece as it is sent. */
  readonly state?: Iterable<Buffer>;
}

/** To the leader, from a member that was asked in its place. */
export interface ForwardedProposal {
  readonly type: 'propose';
  readonly data: readonly Uint8Array[];
}

export interface ReadRequest {
  readonly type: 'read-index';
  /** Chosen by who asks, to know the answer by. */
  readonly context: string;
}

export interface ReadAnswer {
  readonly type: 'read-index-answer';
  readonly context: string;
  readonly index: number;
}

/** The leader wants the receiver to be the leader, and to begin an election at once. */
export interface TimeoutNow {
  readonly type: 'timeout-now';
}

export type Body =
  | VoteRequest
  | VoteAnswer
  | Append
  | AppendAnswer
  | Heartbeat
  | HeartbeatAnswer
  | InstallSnapshot
  | ForwardedProposal
  | ReadRequest
  | ReadAnswer
  | TimeoutNow;

export type Message = Envelope & Body;

/** A message of a type, or of some. */
export type MessageOf<Type extends Body['type']> = Envelope & Extract<Body, { type: Type }>;
