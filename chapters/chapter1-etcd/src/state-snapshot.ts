// The whole state as a sequence of payloads, and back. The state is captured at once, by reference, and encoded piece by piece
// later: key-values and changes never change, so what is written meanwhile does not show.
// etcd: the database file itself is its snapshot (server/storage/backend)

import { keyBytes, keyText } from './keys.ts';
import type { Event, KeyValue, LeaseGrantRequest, MemberAttributes } from './messages.ts';
import type { Captured } from './state-machine.ts';
import type { Change } from './store.ts';

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
  for (const kvs of pieces(base)) yield encode({ keyValues: { kvs } });
  for (const piece of pieces(changes)) yield encode({ changes: { changes: piece.map(withoutPrevious) } });
  for (const leases of pieces(captured.leases)) yield encode({ leases: { leases } });
}

export function decodeState(payloads: Buffer[], decode: (payload: Buffer) => object): Captured {
  const store = { revision: 1, compactedRevision: 0, base: [], changes: [] };
  const captured: Captured = { store, leases: [], alarms: [], members: [], removed: [] };
  for (const payload of payloads) {
    const { head, keyValues, changes, leases } = decode(payload) as StateRecord;
    if (head) {
      captured.store.revision = Number(head.revision);
      captured.store.compactedRevision = Number(head.compactedRevision);
      captured.alarms.push(...head.alarms);
      captured.members.push(...head.members);
      captured.removed.push(...head.removed);
    }
    for (const kv of keyValues?.kvs ?? []) captured.store.base.push(inMemory(kv));
    for (const change of changes?.changes ?? []) {
      const events = change.events.map(({ type, kv }) => ({ type, kv: inMemory(kv) }));
      captured.store.changes.push({ revision: Number(change.revision), events });
    }
    captured.leases.push(...(leases?.leases ?? []));
  }
  return captured;
}

/** An event's previous key-value is the one before it in its key's history: no need to write it twice. */
function withoutPrevious({ revision, events }: Change): object {
  return { revision, events: events.map(({ type, kv }) => ({ type, kv })) };
}

/** With buffers of its own, so that a key or a value does not hold the whole file in memory. */
function inMemory({ key, value, createRevision, modRevision, version, lease }: Stored<KeyValue>): KeyValue {
  return {
    key: keyBytes(keyText(key)),
    value: Buffer.from(value),
    createRevision: Number(createRevision),
    modRevision: Number(modRevision),
    version: Number(version),
    lease,
  };
}

function* pieces<T>(all: readonly T[]): Generator<T[]> {
  for (let start = 0; start < all.length; start += perPayload) yield all.slice(start, start + perPayload);
}
