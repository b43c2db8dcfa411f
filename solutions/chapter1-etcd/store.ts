// The keys and their history: multi-version concurrency control. Nothing is ever overwritten: a put adds a version of its key, a
// delete adds a tombstone, and every change of the store, however many keys it writes, takes the next revision.
// No I/O, no time: the same calls always give the same store.
// etcd: server/storage/mvcc/kvstore.go, key_index.go

import { compacted, futureRevision } from './errors.ts';
import { History, type PastVersion } from './history.ts';
import { KeyIndex } from './key-index.ts';
import { type KeyRange, keyBytes, keyText } from './keys.ts';
import { type Event, type KeyValue, type LeaseId, noLease } from './messages.ts';
import { type StoredEvent, unpackedSize } from './packing.ts';
import { StoredKeyValue } from './stored-key-value.ts';

/** What one request wrote: everything in it happened at once, at this revision. */
export interface Change {
  readonly revision: number;
  readonly events: StoredEvent[];
}

/** All that a store remembers: `base` are the versions below the compacted revision that are alive at it. */
export interface CapturedStore {
  revision: number;
  compactedRevision: number;
  base: KeyValue[];
  /** From the compacted revision on. */
  changes: Iterable<WrittenChange>;
}

/** A change as it comes from elsewhere: its key-values are not the store's own. */
export interface WrittenChange {
  readonly revision: number;
  readonly events: Event[];
}

/** A key, and what is known of its versions without a look at the changes; a tombstone has version 0. */
interface KeyHistory {
  readonly key: string;
  /** When it was written, oldest first, without what is compacted. */
  readonly revisions: number[];
  /** What was written last. */
  latest: StoredKeyValue;
  /** What was written first, if there is something later, and no change has it any more. */
  oldest: StoredKeyValue | undefined;
}

export class Store {
  #keys = new KeyIndex<KeyHistory>();
  /** One after the other, no revision missing: from the compacted revision (or the first change, 2) to the present one. */
  #changes = this.#noChanges();
  #revision = 1;
  #compactedRevision = 0;
  #baseSize = 0;
  /** `#baseSize` was counted after the compaction at this revision. */
  #sizedAt = 0;

  /** Of an empty store: 1. */
  get revision(): number {
    return this.#revision;
  }

  /** Reads below it fail; 0 if nothing was compacted yet. */
  get compactedRevision(): number {
    return this.#compactedRevision;
  }

  /** About how many bytes the keys and their history would take on a disk. */
  get size(): number {
    if (this.#sizedAt !== this.#compactedRevision) {
      this.#sizedAt = this.#compactedRevision;
      this.#baseSize = this.#base().reduce((size, kv) => size + unpackedSize(kv), 0);
    }
    return this.#baseSize + this.#changes.size;
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
      this.#changes.push(change);
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
      key: keyBytes(key),
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
    if (previous) this.#record(change, key, { type: 'DELETE', kv: tombstone(keyBytes(key), change.revision), prevKv: previous });
    return previous;
  }

  /**
   * The key as it is now, or as it was at a revision; undefined where it does not exist.
   * @exercise 1.1 Return the latest version of the key at that revision, unless it is a tombstone.
   */
  get(key: string, revision?: number): KeyValue | undefined {
    const history = this.#keys.get(key);
    return history && this.#living([history], revision)[0];
  }

  /**
   * The keys of the range in order, as they are now or as they were at a revision.
   * @exercise 1.2 List what lives in the range, in the order of the keys.
   */
  list(range: KeyRange, revision?: number): KeyValue[] {
    return this.#living(this.#keys.range(range), revision);
  }

  /** What happened at that revision; undefined if it is in the future or compacted away. */
  changeAt(revision: number): Change | undefined {
    return this.#changes.at(revision);
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
      for (const { kv } of change.events) this.#forget(kv, revision);
    }
    this.#changes.dropBelow(revision);
  }

  /** What is captured does not change when the store does. */
  capture(): CapturedStore {
    const [revision, compactedRevision] = [this.#revision, this.#compactedRevision];
    return { revision, compactedRevision, base: this.#base(), changes: this.#changes.capture() };
  }

  /** Becomes the store that was captured, whatever it was before. */
  restore({ revision, compactedRevision, base, changes }: CapturedStore): void {
    this.#keys = new KeyIndex();
    this.#changes = this.#noChanges();
    for (const kv of base) this.#add(keyText(kv.key), kv);
    for (const { revision: written, events } of changes) {
      const change: Change = { revision: written, events: [] };
      for (const event of events) this.#record(change, keyText(event.kv.key), { ...event, prevKv: this.get(keyText(event.kv.key)) });
      this.#changes.push(change);
    }
    this.#revision = revision;
    this.#compactedRevision = compactedRevision;
    this.#sizedAt = -1;
  }

  /** The event and the key's history share one key-value. */
  #record(change: Change, key: string, event: Event): void {
    const { type, kv, prevKv } = event;
    change.events.push({ type, kv: this.#add(key, kv), prevKv });
  }

  #add(key: string, kv: KeyValue): StoredKeyValue {
    const history = this.#keys.get(key);
    const latest = new StoredKeyValue(history?.key ?? key, kv);
    if (!history) this.#keys.add({ key, revisions: [kv.modRevision], latest, oldest: undefined });
    else {
      if (history.latest.modRevision < this.#changes.first) history.oldest = history.latest;
      history.revisions.push(kv.modRevision);
      history.latest = latest;
    }
    return latest;
  }

  /** Of each key the version to be seen at the revision (absent: the latest), if the key exists there. */
  #living(histories: readonly KeyHistory[], revision: number | undefined): KeyValue[] {
    const isAlive = ({ version }: KeyValue) => version > 0;
    if (revision === undefined) return histories.map(({ latest }) => latest).filter(isAlive);
    const versions = histories.flatMap((history) => versionAt(history, revision) ?? []);
    const past = this.#changes.find(versions.filter(isPast));
    let next = 0;
    return versions.map((version) => (isPast(version) ? (past[next++] as KeyValue) : version)).filter(isAlive);
  }

  /** What no change has any more. */
  #base(): StoredKeyValue[] {
    const { first } = this.#changes;
    return this.#keys.range(everything).flatMap(({ oldest, latest }) => oldest ?? (latest.modRevision < first ? latest : []));
  }

  #noChanges(): History {
    return new History(({ keyText: key, modRevision }) => this.get(key, modRevision - 1));
  }

  /**
   * Called for every key-value that a change up to the revision has written. If the key was written again up to the revision, there
   * is nothing to do: that later one is still to come. Else it is what a read at the revision sees: it stays, however old it is, as
   * the `oldest` of its history, unless it is the latest. What is before it goes, and it goes too if it is a tombstone. A key without
   * versions leaves the index.
   * @exercise 1.3 Drop the key's versions that no read at the revision or later can see.
   */
  #forget(kv: StoredKeyValue, revision: number): void {
    const history = this.#keys.get(kv.keyText);
    const { revisions } = history ?? { revisions: [] };
    const last = lastAt(revisions, revision);
    if (!history || revisions[last] !== kv.modRevision) return;
    const isTombstone = kv.version === 0;
    revisions.splice(0, isTombstone ? last + 1 : last);
    history.oldest = isTombstone || revisions.length === 1 ? undefined : kv;
    if (revisions.length === 0) this.#keys.remove(kv.keyText);
  }
}

const everything: KeyRange = { from: '', to: undefined };

/** The version to be seen at the revision, be it a tombstone; undefined if the key was written later. */
function versionAt({ key, revisions, latest, oldest }: KeyHistory, revision: number): KeyValue | PastVersion | undefined {
  const at = lastAt(revisions, revision);
  const modRevision = revisions[at];
  if (modRevision === undefined) return undefined;
  if (at === revisions.length - 1) return latest;
  return at === 0 && oldest ? oldest : { key, revision: modRevision };
}

function isPast(version: KeyValue | PastVersion): version is PastVersion {
  return !('value' in version);
}

/**
 * The revisions at which a key was written, oldest first. A key that is written all the time has many: halve, do not walk.
 * @exercise 1.3 Return the index of the last one that is not above the revision; -1 if there is none.
 */
function lastAt(revisions: readonly number[], revision: number): number {
  let low = -1;
  let high = revisions.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((revisions[middle] as number) <= revision) low = middle;
    else high = middle - 1;
  }
  return low;
}

function tombstone(key: Buffer, revision: number): KeyValue {
  return { key, value: Buffer.alloc(0), createRevision: 0, modRevision: revision, version: 0, lease: noLease };
}
