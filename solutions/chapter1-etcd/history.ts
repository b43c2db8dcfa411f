// The changes of a store, oldest first, no revision missing. Most are old, and nobody looks at them again before they are compacted away:
// so only the latest lie here as they were made. The others are packed, a block of them at a time. Whoever reads one has its block unpacked,
// and the blocks that were read last stay open.
// etcd keeps them in a file: server/storage/backend

import type { KeyValue } from './messages.ts';
import { pack, type StoredEvent, unpack, unpackedSize } from './packing.ts';
import type { Change } from './store.ts';
import type { StoredKeyValue } from './stored-key-value.ts';

/** A version that is to be found in the change that wrote it. */
export interface PastVersion {
  readonly key: string;
  readonly revision: number;
}

interface Block {
  /** The revision of its first change. */
  readonly first: number;
  readonly packed: Uint8Array;
  /** Bytes, before they were packed. */
  readonly size: number;
}

/** So many bytes make a block: enough to be compressed well, little enough to be unpacked for a single version. */
const blockSize = 64 * 1024;
const mostOpen = 8;

export class History implements Iterable<Change> {
  readonly #previous: (kv: StoredKeyValue) => KeyValue | undefined;
  #blocks: Block[] = [];
  /** Behind the blocks. */
  #latest: Change[] = [];
  #latestSize = 0;
  /** Bytes of all changes, as they were before they were packed. */
  #size = 0;
  /** The one that was read last is the last one. */
  readonly #open = new Map<Block, Change[]>();

  /** `previous` finds what was there before a key-value; it is not packed with it. */
  constructor(previous: (kv: StoredKeyValue) => KeyValue | undefined) {
    this.#previous = previous;
  }

  /** The revision of the oldest change; Infinity if there is none. */
  get first(): number {
    return this.#blocks[0]?.first ?? this.#latest[0]?.revision ?? Number.POSITIVE_INFINITY;
  }

  get size(): number {
    return this.#size;
  }

  /** Its revision must be the next one. */
  push(change: Change): void {
    const size = sizeOf([change]);
    this.#latest.push(change);
    this.#latestSize += size;
    this.#size += size;
    if (this.#latestSize < blockSize) return;
    const block = blockOf(this.#latest);
    this.#blocks.push(block);
    this.#keepOpen(block, this.#latest);
    this.#latest = [];
    this.#latestSize = 0;
  }

  /** Undefined if it is still to come, or was dropped. */
  at(revision: number): Change | undefined {
    const [latest] = this.#latest;
    if (latest && revision >= latest.revision) return this.#latest[revision - latest.revision];
    const block = this.#blocks[firstAbove(this.#blocks, revision) - 1];
    return block && this.#unpacked(block)[revision - block.first];
  }

  /** The key-values of versions, in the same order. No block is unpacked twice for it. @throws RangeError if there is no such version */
  find(versions: readonly PastVersion[]): KeyValue[] {
    const found: KeyValue[] = [];
    const order = [...versions.keys()].sort((left, right) => (versions[left]?.revision ?? 0) - (versions[right]?.revision ?? 0));
    let at: { revision: number; written: Map<string, KeyValue> } | undefined;
    for (const index of order) {
      const { key, revision } = versions[index] as PastVersion;
      if (at?.revision !== revision) at = { revision, written: new Map(this.at(revision)?.events.map(({ kv }) => [kv.keyText, kv])) };
      const kv = at.written.get(key);
      if (!kv) throw new RangeError(`the change at revision ${revision} was dropped, or did not write ${key}`);
      found[index] = kv;
    }
    return found;
  }

  dropBelow(revision: number): void {
    const from = firstAbove(this.#blocks, revision) - 1;
    const torn = this.#blocks[from];
    if (torn) {
      const kept = this.#unpacked(torn).filter((change) => change.revision >= revision);
      this.#blocks = [...(kept.length > 0 ? [blockOf(kept)] : []), ...this.#blocks.slice(from + 1)];
    }
    this.#latest = this.#latest.filter((change) => change.revision >= revision);
    this.#latestSize = sizeOf(this.#latest);
    this.#size = this.#blocks.reduce((size, block) => size + block.size, this.#latestSize);
    this.#open.clear();
  }

  /** Those that there are now, whatever becomes of the history. */
  capture(): Iterable<Change> {
    const blocks = this.#blocks.slice();
    const latest = this.#latest.slice();
    const unpackedChanges = (block: Block) => this.#changesOf(block);
    return {
      *[Symbol.iterator]() {
        for (const block of blocks) yield* unpackedChanges(block);
        yield* latest;
      },
    };
  }

  [Symbol.iterator](): Iterator<Change> {
    return this.capture()[Symbol.iterator]();
  }

  #unpacked(block: Block): Change[] {
    const changes = this.#open.get(block) ?? this.#changesOf(block);
    this.#open.delete(block);
    this.#keepOpen(block, changes);
    return changes;
  }

  #keepOpen(block: Block, changes: Change[]): void {
    this.#open.set(block, changes);
    const [oldest] = this.#open.keys();
    if (oldest && this.#open.size > mostOpen) this.#open.delete(oldest);
  }

  #changesOf({ packed }: Block): Change[] {
    const changes: Change[] = [];
    for (const kv of unpack(packed)) {
      const last = changes.at(-1);
      const event = new PastEvent(kv, this.#previous);
      if (last?.revision === kv.modRevision) last.events.push(event);
      else changes.push({ revision: kv.modRevision, events: [event] });
    }
    return changes;
  }
}

/** Looks for the previous key-value when it is asked for it: few watches are. */
class PastEvent implements StoredEvent {
  readonly type: StoredEvent['type'];
  readonly kv: StoredKeyValue;
  readonly #previous: (kv: StoredKeyValue) => KeyValue | undefined;

  constructor(kv: StoredKeyValue, previous: (kv: StoredKeyValue) => KeyValue | undefined) {
    this.type = kv.version === 0 ? 'DELETE' : 'PUT';
    this.kv = kv;
    this.#previous = previous;
  }

  get prevKv(): KeyValue | undefined {
    return this.#previous(this.kv);
  }
}

function blockOf(changes: readonly Change[]): Block {
  const size = sizeOf(changes);
  const events = changes.flatMap((change) => change.events);
  return { first: changes[0]?.revision ?? 0, packed: pack(events, size), size };
}

function sizeOf(changes: readonly Change[]): number {
  let size = 0;
  for (const { events } of changes) for (const { kv } of events) size += unpackedSize(kv);
  return size;
}

/** The index of the first block that begins above the revision; their number if none does. */
function firstAbove(blocks: readonly Block[], revision: number): number {
  let low = 0;
  let high = blocks.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((blocks[middle] as Block).first <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}
