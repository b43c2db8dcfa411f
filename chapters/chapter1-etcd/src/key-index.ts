// An ordered index: entries found by key, and listed by range in the order of their keys. The sorted entries lie in blocks of at
// most 512, so that adding one moves a few hundred entries at worst, however many there are: a B+ tree of two levels.
// etcd: server/storage/mvcc/index.go (a B-tree)

import type { KeyRange } from './keys.ts';

const largestBlock = 512;

export class KeyIndex<Entry extends { readonly key: string }> {
  readonly #entries = new Map<string, Entry>();
  /** Never an empty block; every key of a block is smaller than every key of the next. */
  readonly #blocks: Entry[][] = [];

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** The entry's key must not be in the index yet. */
  add(entry: Entry): void {
    this.#entries.set(entry.key, entry);
    const at = this.#blockOf(entry.key);
    const block = this.#blocks[at];
    if (!block) {
      this.#blocks.push([entry]);
      return;
    }
    block.splice(firstNotBelow(block, entry.key), 0, entry);
    if (block.length > largestBlock) this.#blocks.splice(at + 1, 0, block.splice(largestBlock / 2));
  }

  remove(key: string): void {
    if (!this.#entries.delete(key)) return;
    const at = this.#blockOf(key);
    const block = this.#blocks[at] as Entry[];
    block.splice(firstNotBelow(block, key), 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
  }

  /** The range's entries in the order of their keys. */
  range({ from, to }: KeyRange): Entry[] {
    const found: Entry[][] = [];
    for (let at = this.#blockOf(from); at < this.#blocks.length; at++) {
      const block = this.#blocks[at] as Entry[];
      const end = to === undefined ? block.length : firstNotBelow(block, to);
      found.push(block.slice(firstNotBelow(block, from), end));
      if (end < block.length) break;
    }
    return found.flat();
  }

  /** The only block that can hold the key: the last one that starts at or before it, or the first. */
  #blockOf(key: string): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const [first] = this.#blocks[middle] as [Entry];
      if (first.key <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Where in the sorted block the first key is that is not smaller; its length if there is none. */
function firstNotBelow(block: { readonly key: string }[], key: string): number {
  let low = 0;
  let high = block.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((block[middle] as { key: string }).key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
