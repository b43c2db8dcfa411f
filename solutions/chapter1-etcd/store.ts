// The keys and their history: multi-version concurrency control. Nothing is ever overwritten: a put adds a version of its key, a
// delete adds a tombstone, and every change of the store, however many keys it writes, takes the next revision.
// No I/O, no time: the same calls always give the same store.
// etcd: server/storage/mvcc/kvstore.go, key_index.go

import { compacted, futureRevision } from './errors.ts';
import { KeyIndex } from './key-index.ts';
import { type KeyRange, keyBytes, keyText } from './keys.ts';
import { type Event, type KeyValue, type LeaseId, noLease } from './messages.ts';
import { StoredKeyValue } from './stored-key-value.ts';

/** What one request wrote: everything in it happened at once, at this revision. */
export interface Change {
  readonly revision: number;
  readonly events: Event[];
}

/** All that a store remembers: `base` are the versions below the compacted revision that are alive at it. */
export interface CapturedStore {
  revision: number;
  compactedRevision: number;
  base: KeyValue[];
  changes: Change[];
}

/** A key and all its versions that are not compacted, oldest first; a tombstone has version 0. */
interface KeyHistory {
  readonly key: string;
  readonly versions: StoredKeyValue[];
}

export class Store {
  #keys = new KeyIndex<KeyHistory>();
  /** One after the other, no revision missing: from the compacted revision (or the first change, 2) to the present one. */
  #changes: Change[] = [];
  #revision = 1;
  #compactedRevision = 0;
  #size = 0;
  /** `#size` was counted anew after the compaction at this revision. */
  #sizedAt = 0;

  /** Of an empty store: 1. */
  get revision(): number {
    return this.#revision;
  }

  /** Reads below it fail; 0 if nothing was compacted yet. */
  get compactedRevision(): number {
    return this.#compactedRevision;
  }

  /** About how many bytes the keys and their history take. */
  get size(): number {
    if (this.#sizedAt !== this.#compactedRevision) {
      this.#sizedAt = this.#compactedRevision;
      this.#size = 0;
      for (const { versions } of this.#keys.range(everything)) for (const version of versions) this.#size += sizeOf(version);
    }
    return this.#size;
  }

  /**
   * Calls `write`, which writes through `put` and `delete`. All it writes is one change with the next revision, kept in `#changes`
   * for watchers. The store's own revision moves when `write` is done. If it wrote nothing, there is no change and no revision is
   * used up. Returns what `write` returns.
   * @exercise 1.1 Run the writes as one change with the next revision, and count the revision only if there were any.
   */
  commit<T>(write: (change: Change) => T): T {
    const change: Change = { revision: this.#revision + 1, events: [] };
    const result = write(change);
    if (change.events.length > 0) {
      this.#revision = change.revision;
      // An array that grew by pushing has room for sixteen more events, and will never need it.
      this.#changes.push({ revision: change.revision, events: change.events.slice() });
    }
    return result;
  }

  /**
   * Adds a version of the key to the change; returns the version before it, undefined if the key did not exist. The event has that
   * one as its `prevKv`, and so has a delete's.
   * `createRevision` and `version` start anew when a deleted key comes back.
   * @exercise 1.1 Add the key's next version to the change, and return the one before it.
   */
  put(change: Change, key: string, value: Buffer, lease: LeaseId = noLease): KeyValue | undefined {
    const previous = this.get(key);
    const kv: KeyValue = {
      key: previous?.key ?? keyBytes(key),
      value,
      createRevision: previous?.createRevision ?? change.revision,
      modRevision: change.revision,
      version: (previous?.version ?? 0) + 1,
      lease,
    };
    this.#record(change, key, { type: 'PUT', kv, prevKv: previous });
    return previous;
  }

  /**
   * Adds a tombstone of the key to the change; returns what was deleted. A key that does not exist is not deleted: nothing is
   * added, undefined is returned.
   * @exercise 1.1 Add the key's tombstone to the change if the key exists, and return what it hides.
   */
  delete(change: Change, key: string): KeyValue | undefined {
    const previous = this.get(key);
    if (previous) this.#record(change, key, { type: 'DELETE', kv: tombstone(previous.key, change.revision), prevKv: previous });
    return previous;
  }

  /**
   * The key as it is now, or as it was at a revision; undefined where it does not exist.
   * @exercise 1.1 Return the latest version of the key at that revision, unless it is a tombstone.
   */
  get(key: string, revision?: number): KeyValue | undefined {
    return living(this.#keys.get(key), revision);
  }

  /**
   * The keys of the range in order, as they are now or as they were at a revision.
   * @exercise 1.2 List what lives in the range, in the order of the keys.
   */
  list(range: KeyRange, revision?: number): KeyValue[] {
    const found: KeyValue[] = [];
    for (const history of this.#keys.range(range)) {
      const kv = living(history, revision);
      if (kv) found.push(kv);
    }
    return found;
  }

  /** What happened at that revision; undefined if it is in the future or compacted away. */
  changeAt(revision: number): Change | undefined {
    return this.#changes[revision - (this.#changes[0]?.revision ?? 0)];
  }

  /**
   * `compacted` below the compacted revision, `futureRevision` above the present one (see `errors.ts`): a wrong answer is worse
   * than none.
   * @exercise 1.3 Throw the EtcdError that says why a read at this revision cannot be answered, if it cannot.
   */
  checkReadable(revision: number): void {
    if (revision > this.#revision) throw futureRevision();
    if (revision < this.#compactedRevision) throw compacted();
  }

  /**
   * Forgets what only reads below the revision could see, and the changes below it. Reads and watches at the revision itself
   * still work. Throws `compacted` if that was done already, `futureRevision` if the revision is still to come; then nothing is
   * forgotten. Walks only the changes that it forgets: a key that was not written since the last compaction has nothing to forget.
   * @exercise 1.3 Check the revision, remember it, and forget the versions and the changes that it hides.
   */
  compact(revision: number): void {
    if (revision <= this.#compactedRevision) throw compacted();
    if (revision > this.#revision) throw futureRevision();
    this.#compactedRevision = revision;
    for (const change of this.#changes) {
      if (change.revision > revision) break;
      for (const { kv } of change.events) this.#forget(keyText(kv.key), revision);
    }
    this.#changes = this.#changes.filter((change) => change.revision >= revision);
  }

  /** What is captured does not change when the store does. */
  capture(): CapturedStore {
    const inChanges = this.#changes[0]?.revision ?? Number.POSITIVE_INFINITY;
    const base: KeyValue[] = [];
    for (const { versions } of this.#keys.range(everything)) {
      const [oldest] = versions;
      if (oldest && oldest.modRevision < inChanges) base.push(oldest);
    }
    return { revision: this.#revision, compactedRevision: this.#compactedRevision, base, changes: this.#changes.slice() };
  }

  /** Becomes the store that was captured, whatever it was before. */
  restore({ revision, compactedRevision, base, changes }: CapturedStore): void {
    this.#keys = new KeyIndex();
    this.#size = 0;
    this.#sizedAt = compactedRevision;
    for (const kv of base) this.#add(keyText(kv.key), new StoredKeyValue(kv));
    for (const change of changes) {
      for (const event of change.events) {
        const key = keyText(event.kv.key);
        event.prevKv = living(this.#keys.get(key), undefined);
        this.#keep(key, event);
      }
    }
    this.#changes = changes;
    this.#revision = revision;
    this.#compactedRevision = compactedRevision;
  }

  #record(change: Change, key: string, event: Event): void {
    change.events.push(event);
    this.#keep(key, event);
  }

  /** The event and the key's history share one key-value. */
  #keep(key: string, event: Event): void {
    const version = new StoredKeyValue(event.kv);
    event.kv = version;
    this.#add(key, version);
  }

  #add(key: string, version: StoredKeyValue): void {
    this.#size += sizeOf(version);
    const history = this.#keys.get(key);
    if (history) history.versions.push(version);
    else this.#keys.add({ key, versions: [version] });
  }

  /**
   * What a read at the revision sees stays, however old it is. What is before it goes, and it goes too if it is a tombstone. A key
   * without versions leaves the index.
   * @exercise 1.3 Drop the key's versions that no read at the revision or later can see.
   */
  #forget(key: string, revision: number): void {
    const versions = this.#keys.get(key)?.versions ?? [];
    const last = lastAt(versions, revision);
    if (last < 0) return;
    versions.splice(0, versions[last]?.version === 0 ? last + 1 : last);
    if (versions.length === 0) this.#keys.remove(key);
  }
}

const everything: KeyRange = { from: '', to: undefined };

/** An entry's numbers and references take about a hundred bytes. */
function sizeOf({ size }: StoredKeyValue): number {
  return 100 + size;
}

/** The version to be seen at the revision (absent: the latest), if the key exists there. */
function living(history: KeyHistory | undefined, revision: number | undefined): KeyValue | undefined {
  if (!history) return undefined;
  const { versions } = history;
  const seen = revision === undefined ? versions.at(-1) : versions[lastAt(versions, revision)];
  return seen && seen.version > 0 ? seen : undefined;
}

/**
 * The versions lie in the order of their revisions. A key that is written all the time has many: halve, do not walk.
 * @exercise 1.3 Return the index of the last version whose modRevision is not above the revision; -1 if there is none.
 */
function lastAt(versions: readonly KeyValue[], revision: number): number {
  let low = -1;
  let high = versions.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((versions[middle] as KeyValue).modRevision <= revision) low = middle;
    else high = middle - 1;
  }
  return low;
}

function tombstone(key: Buffer, revision: number): KeyValue {
  return { key, value: Buffer.alloc(0), createRevision: 0, modRevision: revision, version: 0, lease: noLease };
}
