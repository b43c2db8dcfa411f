// The keys and their history: multi-version concurrency control. Nothing is ever overwritten: a put adds a version of its key, a
// delete adds a tombstone, and every change of the store, however many keys it writes, takes the next revision.
// No I/O, no time: the same calls always give the same store.
// etcd: server/storage/mvcc/kvstore.go, key_index.go

import { NotImplemented } from '#kit/not-implemented';
import { compacted, futureRevision } from './errors.ts';
import { KeyIndex } from './key-index.ts';
import { type KeyRange, keyBytes, keyText } from './keys.ts';
import { type Event, type KeyValue, type LeaseId, noLease } from './messages.ts';

/** What one request wrote: everything in it happened at once, at this revision. */
export interface Change {
  readonly revision: number;
  readonly events: Event[];
}

/** A key and all its versions that are not compacted, oldest first; a tombstone has version 0. */
interface KeyHistory {
  readonly key: string;
  readonly versions: KeyValue[];
}

export class Store {
  readonly #keys = new KeyIndex<KeyHistory>();
  /** One after the other, no revision missing: from the compacted revision (or the first change, 2) to the present one. */
  #changes: Change[] = [];
  #revision = 1;
  #compactedRevision = 0;

  /** Of an empty store: 1. */
  get revision(): number {
    return this.#revision;
  }

  /** Reads below it fail; 0 if nothing was compacted yet. */
  get compactedRevision(): number {
    return this.#compactedRevision;
  }

  /**
   * Calls `write`, which writes through `put` and `delete`. All it writes is one change with the next revision, kept for
   * watchers. If it wrote nothing, there is no change and no revision is used up. Returns what `write` returns.
   */
  commit<T>(write: (change: Change) => T): T {
    throw new NotImplemented('1.1', 'Run the writes as one change with the next revision, and count the revision only if there were any.');
  }

  /**
   * Adds a version of the key to the change; returns the version before it, undefined if the key did not exist.
   * `createRevision` and `version` start anew when a deleted key comes back.
   */
  put(change: Change, key: string, value: Buffer, lease: LeaseId = noLease): KeyValue | undefined {
    throw new NotImplemented('1.1', "Add the key's next version to the change, and return the one before it.");
  }

  /**
   * Adds a tombstone of the key to the change; returns what was deleted. A key that does not exist is not deleted: nothing is
   * added, undefined is returned.
   */
  delete(change: Change, key: string): KeyValue | undefined {
    throw new NotImplemented('1.1', "Add the key's tombstone to the change if the key exists, and return what it hides.");
  }

  /** The key as it is now, or as it was at a revision; undefined where it does not exist. */
  get(key: string, revision?: number): KeyValue | undefined {
    throw new NotImplemented('1.1', 'Return the latest version of the key at that revision, unless it is a tombstone.');
  }

  /** The keys of the range in order, as they are now or as they were at a revision. */
  list(range: KeyRange, revision?: number): KeyValue[] {
    throw new NotImplemented('1.2', 'List what lives in the range, in the order of the keys.');
  }

  /** What happened at that revision; undefined if it is in the future or compacted away. */
  changeAt(revision: number): Change | undefined {
    return this.#changes[revision - (this.#changes[0]?.revision ?? 0)];
  }

  /** @throws EtcdError if a read at this revision cannot be answered: it is compacted, or still to come. */
  checkReadable(revision: number): void {
    if (revision > this.#revision) throw futureRevision();
    if (revision < this.#compactedRevision) throw compacted();
  }

  /**
   * Forgets what only reads below the revision could see. Reads and watches at the revision itself still work.
   * @throws EtcdError if that was done already, or the revision is still to come.
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

  #record(change: Change, key: string, event: Event): void {
    change.events.push(event);
    const history = this.#keys.get(key);
    if (history) history.versions.push(event.kv);
    else this.#keys.add({ key, versions: [event.kv] });
  }

  /** Drops the key's versions that are hidden at the revision: all before the last one, and that one too if it is a tombstone. */
  #forget(key: string, revision: number): void {
    const versions = this.#keys.get(key)?.versions ?? [];
    const last = versions.findLastIndex((version) => version.modRevision <= revision);
    if (last < 0) return;
    versions.splice(0, versions[last]?.version === 0 ? last + 1 : last);
    if (versions.length === 0) this.#keys.remove(key);
  }
}

/** The version to be seen at the revision (absent: the latest), if the key exists there. */
function living(history: KeyHistory | undefined, revision: number | undefined): KeyValue | undefined {
  const seen = revision === undefined ? history?.versions.at(-1) : history?.versions.findLast((kv) => kv.modRevision <= revision);
  return seen && seen.version > 0 ? seen : undefined;
}

function tombstone(key: Buffer, revision: number): KeyValue {
  return { key, value: Buffer.alloc(0), createRevision: 0, modRevision: revision, version: 0, lease: noLease };
}
