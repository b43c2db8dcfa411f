// Raft's messages and records as bytes: on their way to another member, and on the disk. One message type for all kinds of messages:
// what a kind does not use costs nothing.
// etcd: raft/raftpb/raft.proto

import protobuf from 'protobufjs';
import type { Entry, HardState, Identity, Member, Message, Snapshot } from './messages.ts';
import type { Ready } from './raft.ts';
import type { Durable } from './state.ts';

const schema = `
  syntax = "proto3";
  message Member { string id = 1; repeated string peer_urls = 2; }
  message Entry { uint64 index = 1; uint64 term = 2; bytes data = 3; repeated Member members = 4; }
  message Snapshot { uint64 index = 1; uint64 term = 2; repeated Member members = 3; bytes data = 4; }
  message HardState { uint64 term = 1; string vote = 2; }
  message Identity { string member_id = 1; string cluster_id = 2; }
  message Record { HardState hard_state = 1; repeated Entry entries = 2; Snapshot snapshot = 3; Identity identity = 4; }
  message Hint { uint64 index = 1; uint64 term = 2; }
  message Message {
    string from = 1; string to = 2; uint64 term = 3; string type = 4;
    uint64 last_index = 5; uint64 last_term = 6; bool transfer = 7; bool granted = 8;
    uint64 previous_index = 9; uint64 previous_term = 10; repeated Entry entries = 11; uint64 commit = 12;
    bool accepted = 13; uint64 index = 14; Hint hint = 15;
    uint64 round = 16; Snapshot snapshot = 17; repeated bytes data = 18; string context = 19;
  }
`;
const { root } = protobuf.parse(schema);
const messageType = root.lookupType('Message');
const recordType = root.lookupType('Record');
const asDecoded = { longs: Number, defaults: true, arrays: true };

export function encodeMessage(message: Message): Buffer {
  return Buffer.from(messageType.encode(message).finish());
}

/** @throws Error if the bytes are no message */
export function decodeMessage(bytes: Uint8Array): Message {
  const message = messageType.toObject(messageType.decode(bytes), asDecoded) as Message;
  if (message.type === 'append') return { ...message, entries: message.entries.map(withOrWithoutMembers) };
  return message;
}

export interface RaftRecord {
  hardState?: HardState | undefined;
  entries?: readonly Entry[];
  snapshot?: Snapshot | undefined;
  identity?: Identity | undefined;
}

/** What belongs on the disk together: all of it is there after a crash, or nothing. */
export function encodeRecord(record: RaftRecord): Buffer {
  return Buffer.from(recordType.encode(withoutUndefined(record)).finish());
}

/** Whether a turn has anything that belongs on the disk. */
export function hasRecord({ hardState, entries, snapshot }: Pick<Ready, 'hardState' | 'entries' | 'snapshot'>): boolean {
  return hardState !== undefined || entries.length > 0 || snapshot !== undefined;
}

interface DecodedRecord {
  hardState: { term: number; vote: string } | null;
  entries: Entry[];
  snapshot: Snapshot | null;
  identity: Identity | null;
}

/** What all records together say, oldest first. */
export class Recovered implements Durable {
  hardState: HardState = { term: 0, vote: undefined };
  snapshot: Snapshot;
  entries: Entry[] = [];
  /** Whose records they are; undefined if there are none. */
  identity: Identity | undefined;

  /** @param members those that the cluster began with */
  constructor(members: readonly Member[]) {
    this.snapshot = { index: 0, term: 0, members, data: new Uint8Array() };
  }

  add(payload: Uint8Array): void {
    const { hardState, entries, snapshot, identity } = recordType.toObject(recordType.decode(payload), asDecoded) as DecodedRecord;
    this.identity = identity ?? this.identity;
    if (hardState) this.hardState = { term: hardState.term, vote: hardState.vote || undefined };
    if (snapshot) {
      this.snapshot = snapshot;
      this.entries = [];
    }
    const [first] = entries;
    if (first) {
      this.entries.length = Math.max(0, first.index - (this.entries[0]?.index ?? first.index));
      this.entries.push(...entries.map(withOrWithoutMembers));
    }
  }
}

function withoutUndefined(record: RaftRecord): object {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

function withOrWithoutMembers(entry: Entry): Entry {
  if (entry.members && entry.members.length > 0) return entry;
  const { index, term, data } = entry;
  return { index, term, data };
}
