// The whole state as a sequence of payloads, and back. The state is captured at once, by reference, and encoded piece by piece
// later: key-values and changes never change, so what is written meanwhile does not show. The changes come last, and are decoded piece by
// piece as well: as objects all of them would take many times the memory that the store needs for them.
// etcd: the database file itself is its snapshot (server/storage/backend)

import type { Event, KeyValue, LeaseGrantRequest, MemberAttributes } from './messages.ts';
import type { Captured } from './state-machine.ts';
import type { CapturedStore, WrittenChange } from './store.ts';
import { plain } from './stored-key-value.ts';

/** So many key-values or changes are a payload. */
const perPayload = 256;

/** One payload, with one field set; as `protocol.ts` decodes it. */
interface StateRecord {
  head?: { revision: string; compactedRevision: string; alarms: Captured['alarms']; members: MemberAttributes[]; removed: string[] };
  keyValues?: { kvs: Stored<KeyValue>[] };
  changes?: { changes: { revision: string; events: { type: Event['type']; kv: Stored<KeyValue> }[] }[] };
  leases?: { leases: LeaseGrantRequest[] };
}
type Stored<T> = { [Field in keyof T]: T[Field] extends number ? string : T[Field] };

export function* encodeState(captured: Captured, encode: (record: object) => Buffer): Generator<Buffer> {
  const { revision, compactedRevision, base, changes } = captured.store;
  const { alarms, members, removed } = captured;
  yield encode({ head: { revision, compactedRevision, alarms, members, removed } });
  for (const kvs of pieces(base)) yield encode({ keyValues: { kvs: kvs.map(plain) } });
  for (const leases of pieces(captured.leases)) yield encode({ leases: { leases } });
  for (const piece of pieces(changes)) yield encode({ changes: { changes: piece.map(withoutPrevious) } });
}

/** The changes are decoded when somebody walks through them. */
export function decodeState(payloads: Buffer[], decode: (payload: Buffer) => object): Captured {
  const base: KeyValue[] = [];
  const store: CapturedStore = { revision: 1, compactedRevision: 0, base, changes: [] };
  const captured: Captured = { store, leases: [], alarms: [], members: [], removed: [] };
  for (const [index, payload] of payloads.entries()) {
    const { head, keyValues, leases, changes } = decode(payload) as StateRecord;
    if (head) {
      store.revision = Number(head.revision);
      store.compactedRevision = Number(head.compactedRevision);
      captured.alarms.push(...head.alarms);
      captured.members.push(...head.members);
      captured.removed.push(...head.removed);
    }
    for (const kv of keyValues?.kvs ?? []) base.push(inMemory(kv));
    captured.leases.push(...(leases?.leases ?? []));
    if (changes) {
      store.changes = decodeChanges(payloads.slice(index), decode);
      break;
    }
  }
  return captured;
}

function* decodeChanges(payloads: Buffer[], decode: (payload: Buffer) => object): Generator<WrittenChange> {
  for (const payload of payloads) {
    const { changes } = decode(payload) as StateRecord;
    if (!changes) throw new Error('the snapshot does not end with its changes: another version has written it');
    for (const { revision, events } of changes.changes) {
      yield { revision: Number(revision), events: events.map(({ type, kv }) => ({ type, kv: inMemory(kv) })) };
    }
  }
}

/** An event's previous key-value is the one before it in its key's history: no need to write it twice. */
function withoutPrevious({ revision, events }: WrittenChange): object {
  return { revision, events: events.map(({ type, kv }) => ({ type, kv: plain(kv) })) };
}

/** With a value of its own, so that it does not hold the whole file in memory; the store copies the key. */
function inMemory({ key, value, createRevision, modRevision, version, lease }: Stored<KeyValue>): KeyValue {
  return {
    key,
    value: Buffer.from(value),
    createRevision: Number(createRevision),
    modRevision: Number(modRevision),
    version: Number(version),
    lease,
  };
}

function* pieces<T>(all: Iterable<T>): Generator<T[]> {
  let piece: T[] = [];
  for (const each of all) {
    piece.push(each);
    if (piece.length < perPayload) continue;
    yield piece;
    piece = [];
  }
  if (piece.length > 0) yield piece;
}
