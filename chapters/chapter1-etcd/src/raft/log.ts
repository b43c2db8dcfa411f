// The replicated log of one member: the entries since the latest compaction, and the snapshot that stands for those before.
// Entries up to `stable` are on the disk. Nothing here decides what may be appended: see replication.ts and followers.ts.
// etcd: raft/log.go

import type { Entry, Member, Snapshot } from './messages.ts';

export class RaftLog {
  snapshot: Snapshot;
  /** The last index that is on the disk. */
  stable: number;
  /** The entry right before the first one that is kept. */
  #base: { index: number; term: number };
  #entries: Entry[];
  /** Where the members changed, oldest first. */
  #memberChanges: Entry[];

  constructor(snapshot: Snapshot, entries: readonly Entry[]) {
    this.snapshot = snapshot;
    const [first] = entries;
    this.#base = first && first.index <= snapshot.index ? { index: first.index, term: first.term } : snapshot;
    this.#entries = entries.filter(({ index }) => index > this.#base.index);
    this.#memberChanges = this.#entries.filter(({ members }) => members);
    this.stable = this.lastIndex;
  }

  get firstIndex(): number {
    return this.#base.index + 1;
  }

  get lastIndex(): number {
    return this.#base.index + this.#entries.length;
  }

  get lastTerm(): number {
    return this.#entries.at(-1)?.term ?? this.#base.term;
  }

  /** The members as the log's end has them, committed or not. Raft, thesis 4.1: the latest configuration in the log counts. */
  get members(): readonly Member[] {
    return this.#memberChanges.at(-1)?.members ?? this.snapshot.members;
  }

  /** The index of the latest change of members, 0 if the log has none. */
  get membersIndex(): number {
    return this.#memberChanges.at(-1)?.index ?? 0;
  }

  /** The members after the entry at `index`. */
  membersAt(index: number): readonly Member[] {
    return this.#memberChanges.findLast((entry) => entry.index <= index)?.members ?? this.snapshot.members;
  }

  /** Everybody who is a member at `index` or becomes one later, even if only for a time. */
  membersSince(index: number): readonly Member[] {
    const later = this.#memberChanges.filter((entry) => entry.index > index);
    return [...this.membersAt(index), ...later.flatMap(({ members }) => members ?? [])];
  }

  /** The term of the entry at `index`; undefined if it is no longer, or not yet, in the log. */
  termAt(index: number): number | undefined {
    return index === this.#base.index ? this.#base.term : this.entryAt(index)?.term;
  }

  entryAt(index: number): Entry | undefined {
    return this.#entries[index - this.firstIndex];
  }

  /** Entries `from` to `to`, both included. */
  slice(from: number, to = this.lastIndex): Entry[] {
    return this.#entries.slice(Math.max(0, from - this.firstIndex), Math.max(0, to - this.firstIndex + 1));
  }

  /** Writes the entries where they belong; whatever stood there, and all behind it, is gone. */
  overwrite(entries: readonly Entry[]): void {
    const [first] = entries;
    if (!first) return;
    if (first.index > this.lastIndex + 1 || first.index < this.firstIndex) {
      throw new RangeError(`entry ${first.index} does not fit a log from ${this.firstIndex} to ${this.lastIndex}`);
    }
    if (first.index <= this.lastIndex) {
      this.#entries.length = first.index - this.firstIndex;
      this.#memberChanges = this.#memberChanges.filter(({ index }) => index < first.index);
      this.stable = Math.min(this.stable, first.index - 1);
    }
    for (const entry of entries) this.#entries.push(entry);
    this.#memberChanges.push(...entries.filter(({ members }) => members));
  }

  /** Keeps the snapshot in place of the entries up to `through`, which may be older than the snapshot: slow followers still need some. */
  compact(snapshot: Snapshot, through: number): void {
    const term = this.termAt(through);
    if (term === undefined || snapshot.index < through)
      throw new RangeError(`a snapshot at ${snapshot.index} cannot replace entries up to ${through}`);
    this.#entries = this.slice(through + 1);
    this.#base = { index: through, term };
    this.#memberChanges = this.#memberChanges.filter(({ index }) => index > through);
    this.snapshot = snapshot;
  }

  /** Nothing is left but the snapshot. */
  restart(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    this.#base = { index: snapshot.index, term: snapshot.term };
    this.#entries = [];
    this.#memberChanges = [];
    this.stable = snapshot.index;
  }
}
