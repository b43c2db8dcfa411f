// The shapes of the protocol's messages in TypeScript, as `protocol.ts` decodes them.
// int64: what a request brings is a decimal string. Revisions, versions and counts are numbers here (2^53 of them last 285
// years at a million a second); lease ids use all 63 bits, so they stay strings.

export type Int64 = string;
export type LeaseId = Int64;

/** No lease. */
export const noLease: LeaseId = '0';

export interface KeyValue {
  key: Buffer;
  value: Buffer;
  /** The revision of the put that created the key. */
  createRevision: number;
  /** The revision of the latest put. */
  modRevision: number;
  /** How many puts since the key was created: 1, 2, … */
  version: number;
  lease: LeaseId;
}

export interface Event {
  type: 'PUT' | 'DELETE';
  /** What is there now; of a DELETE only key and modRevision say something. */
  kv: KeyValue;
  /** What was there before, if anything was. */
  prevKv?: KeyValue | undefined;
}

export interface ResponseHeader {
  clusterId: string;
  memberId: string;
  /** The store's revision when the request was carried out. */
  revision: number;
  raftTerm: number;
}

export interface RangeRequest {
  key: Buffer;
  /** Empty: the key alone. A single zero byte: every key from `key` on. Else: keys from `key` up to, without, `rangeEnd`. */
  rangeEnd: Buffer;
  /** 0: no limit. */
  limit: Int64;
  /** 0: now. */
  revision: Int64;
  /** The state of this member will do, even if it is old. */
  serializable: boolean;
  sortOrder: 'NONE' | 'ASCEND' | 'DESCEND';
  sortTarget: SortTarget;
  keysOnly: boolean;
  countOnly: boolean;
  minModRevision: Int64;
  maxModRevision: Int64;
  minCreateRevision: Int64;
  maxCreateRevision: Int64;
}
export type SortTarget = 'KEY' | 'VERSION' | 'CREATE' | 'MOD' | 'VALUE';

export interface RangeResponse {
  header?: Partial<ResponseHeader>;
  kvs: KeyValue[];
  /** The limit left something out. */
  more: boolean;
  /** How many keys are in the range, whatever the limit. */
  count: number;
}

export interface PutRequest {
  key: Buffer;
  value: Buffer;
  lease: LeaseId;
  prevKv: boolean;
  ignoreValue: boolean;
  ignoreLease: boolean;
}
export interface PutResponse {
  header?: Partial<ResponseHeader>;
  prevKv?: KeyValue | undefined;
}

export interface DeleteRangeRequest {
  key: Buffer;
  rangeEnd: Buffer;
  prevKv: boolean;
}
export interface DeleteRangeResponse {
  header?: Partial<ResponseHeader>;
  deleted: number;
  prevKvs: KeyValue[];
}

export interface Compare {
  result: 'EQUAL' | 'GREATER' | 'LESS' | 'NOT_EQUAL';
  target: 'VERSION' | 'CREATE' | 'MOD' | 'VALUE' | 'LEASE';
  key: Buffer;
  rangeEnd: Buffer;
  version?: Int64;
  createRevision?: Int64;
  modRevision?: Int64;
  value?: Buffer;
  lease?: LeaseId;
}
export interface RequestOp {
  requestRange?: RangeRequest;
  requestPut?: PutRequest;
  requestDeleteRange?: DeleteRangeRequest;
  requestTxn?: TxnRequest;
}
export interface ResponseOp {
  responseRange?: RangeResponse;
  responsePut?: PutResponse;
  responseDeleteRange?: DeleteRangeResponse;
  responseTxn?: TxnResponse;
}
export interface TxnRequest {
  compare: Compare[];
  success: RequestOp[];
  failure: RequestOp[];
}
export interface TxnResponse {
  header?: Partial<ResponseHeader>;
  succeeded: boolean;
  responses: ResponseOp[];
}

export interface CompactionRequest {
  revision: Int64;
}

export interface WatchRequest {
  createRequest?: WatchCreateRequest;
  cancelRequest?: { watchId: Int64 };
  progressRequest?: object;
}
export interface WatchCreateRequest {
  key: Buffer;
  rangeEnd: Buffer;
  /** 0: from now on. Else the first revision whose events are wanted, be it past or future. */
  startRevision: Int64;
  progressNotify: boolean;
  /** A response that is too large for one message may come in several. */
  fragment: boolean;
  /** Events that are not wanted. */
  filters: ('NOPUT' | 'NODELETE')[];
  prevKv: boolean;
  /** 0: the server chooses. */
  watchId: Int64;
}
export interface WatchResponse {
  header: ResponseHeader;
  watchId: Int64;
  created?: boolean;
  canceled?: boolean;
  /** Set when the wanted revisions are compacted away: a new watch can start here. */
  compactRevision?: number;
  cancelReason?: string;
  /** More of the same response comes in the next message. */
  fragment?: boolean;
  events?: Event[];
}

export interface LeaseGrantRequest {
  /** Seconds. */
  TTL: Int64;
  /** 0: the server chooses. */
  ID: LeaseId;
}
export interface LeaseRequest {
  ID: LeaseId;
}

export type AlarmType = 'NONE' | 'NOSPACE' | 'CORRUPT';
export interface AlarmRequest {
  action: 'GET' | 'ACTIVATE' | 'DEACTIVATE';
  /** 0: every member. */
  memberID: string;
  /** NONE: every alarm. */
  alarm: AlarmType;
}
export interface AlarmMember {
  memberID: string;
  alarm: AlarmType;
}

/** What a member says of itself when it runs. */
export interface MemberAttributes {
  ID: string;
  name: string;
  clientURLs: string[];
}

/** Goes with the entry that changes the members. */
export interface MemberChange {
  /** Who is no member any more; 0: nobody. */
  removed: string;
}

/** Every request that changes something, one of them set. */
export interface Command {
  /** Chosen by who proposes it. */
  ID?: string;
  put?: PutRequest;
  deleteRange?: DeleteRangeRequest;
  txn?: TxnRequest;
  compaction?: CompactionRequest;
  leaseGrant?: LeaseGrantRequest;
  leaseRevoke?: LeaseRequest;
  alarm?: AlarmRequest;
  publish?: MemberAttributes;
  memberChange?: MemberChange;
}
