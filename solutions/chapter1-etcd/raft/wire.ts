// Raft's messages and records as bytes: on their way to another member, and on the disk. One message type for all kinds of messages:
// what a kind does not use costs nothing.
// etcd: raft/raftpb/raft.proto

import protobuf from 'protobufjs';
import type { Entry, HardState, Member, Message, Snapshot } from './messages.ts';
import type { Ready } from './raft.ts';
import type { Durable } from './state.ts';

const schema = `
  syntax = "proto3";
  message Member { string id = 1; string name = 2; repeated string peer_urls = 3; repeated string client_urls = 4; }
  message Entry { uint64 index = 1; uint64 term = 2; bytes data = 3; repeated Member members = 4; }
  message Snapshot { uint64 index = 1; uint64 term = 2; repeated Member members = 3; bytes data = 4; }
  message HardState { uint64 term = 1; string vote = 2; }
  message Record { HardState hard_state = 1; repeated Entry entries = 2; Snapshot snapshot = 3; }
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

/** The part of a turn that belongs on the disk, as one record: all of it is there after a crash, or nothing. Undefined: there is nothing to write. */
export function encodeRecord({ hardState, entries, snapshot }: Pick<Ready, 'hardState' | 'entries' | 'snapshot'>): Buffer | undefined {
  if (!hardState && entries.length === 0 && !snapshot) return undefined;
  return Buffer.from(recordType.encode({ ...(hardState ? { hardState } : {}), entries, ...(snapshot ? { snapshot } : {}) }).finish());
}

interface DecodedRecord {
  hardState: { term: number; vote: string } | null;
  entries: Entry[];
  snapshot: Snapshot | null;
}

/** What all records together say, oldest first. */
export class Recovered implements Durable {
  hardState: HardState = { term: 0, vote: undefined };
  snapshot: Snapshot;
  entries: Entry[] = [];

  /** @param members those that the cluster began with */
  constructor(members: readonly Member[]) {
    this.snapshot = { index: 0, term: 0, members, data: new Uint8Array() };
  }

  add(payload: Uint8Array): void {
    const { hardState, entries, snapshot } = recordType.toObject(recordType.decode(payload), asDecoded) as DecodedRecord;
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

function withOrWithoutMembers(entry: Entry): Entry {
  if (entry.members && entry.members.length > 0) return entry;
  const { index, term, data } = entry;
  return { index, term, data };
}
