// A disk in memory whose power can fail: then it loses what was not synced, all or a part of it, and new names that were not synced
// with their directory. It can also be full, or fail to sync.

import { dirname } from 'node:path';
import type { AppendFile, Disk } from '#etcd/disk';
import type { Random } from '#kit/clock';

interface Inode {
  content: Buffer;
  synced: Buffer;
  /** So many of the synced bytes have not been cut off since. */
  kept: number;
}

export class PowerFailureDisk implements Disk {
  /** How many times a file was synced. */
  syncs = 0;
  /** So many bytes can still be written. */
  room = Number.POSITIVE_INFINITY;
  /** What the next syncs fail with. */
  syncError: Error | undefined;
  /** Resolves when the power is off: from then on nothing is answered, until it is known what the disk has. Then all fails. */
  readonly off: Promise<void>;
  readonly #over: Promise<never>;
  #turnOff: () => void = () => {};
  #end: () => void = () => {};
  #operationsLeft = Number.POSITIVE_INFINITY;
  #names = new Map<string, Inode>();
  #syncedNames = new Map<string, Inode>();

  constructor() {
    this.off = new Promise((resolve) => {
      this.#turnOff = resolve;
    });
    this.#over = new Promise((_, reject) => {
      this.#end = () => reject(new Error('the power is off'));
    });
    this.#over.catch(() => {});
  }

  /** The power fails when so many more operations were made. */
  failAfter(operations: number): void {
    this.#operationsLeft = operations;
  }

  /** The disk as the machine finds it when the power is back. */
  afterPowerFailure(random: Random): PowerFailureDisk {
    this.#end();
    const disk = new PowerFailureDisk();
    const names = new Map([...this.#syncedNames, ...[...this.#names].filter(() => random() < 0.5)]);
    const survivors = new Map<Inode, Inode>();
    for (const [path, inode] of names) {
      // A rename that was not synced may have happened or not, but the file has one name.
      const content = survivors.get(inode)?.content ?? survivingContent(inode, random);
      const survivor = { content, synced: content, kept: content.length };
      survivors.set(inode, survivor);
      disk.#names.set(path, survivor);
      disk.#syncedNames.set(path, survivor);
    }
    return disk;
  }

  paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  /** Changes a file behind the server's back. */
  tamper(path: string, change: (content: Buffer) => Buffer): void {
    const inode = this.#inode(path);
    inode.content = inode.synced = change(Buffer.from(inode.content));
    inode.kept = inode.content.length;
  }

  async list(directory: string): Promise<string[]> {
    await this.#operation();
    return [...this.#names.keys()].filter((path) => dirname(path) === directory).map((path) => path.slice(directory.length + 1));
  }

  async read(path: string): Promise<Buffer> {
    await this.#operation();
    return Buffer.from(this.#inode(path).content);
  }

  async openForAppending(path: string): Promise<AppendFile> {
    await this.#operation();
    if (!this.#names.has(path)) this.#names.set(path, { content: Buffer.alloc(0), synced: Buffer.alloc(0), kept: 0 });
    const inode = this.#inode(path);
    return {
      append: (bytes) => {
        if (!this.#isOn()) return;
        const written = bytes.subarray(0, this.room);
        this.room -= written.length;
        inode.content = Buffer.concat([inode.content, written]);
        if (written.length < bytes.length) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      },
      sync: async () => {
        const { content } = inode;
        await this.#operation();
        if (this.syncError) throw this.syncError;
        this.syncs += 1;
        inode.synced = content;
        inode.kept = content.length;
      },
      truncate: async (size) => {
        await this.#operation();
        inode.content = inode.content.subarray(0, size);
        inode.kept = Math.min(inode.kept, size);
      },
      close: async () => {},
    };
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#operation();
    this.#names.set(to, this.#inode(from));
    this.#names.delete(from);
  }

  async remove(path: string): Promise<void> {
    await this.#operation();
    this.#names.delete(path);
  }

  async syncDirectory(directory: string): Promise<void> {
    await this.#operation();
    for (const path of this.#syncedNames.keys()) if (dirname(path) === directory) this.#syncedNames.delete(path);
    for (const [path, inode] of this.#names) if (dirname(path) === directory) this.#syncedNames.set(path, inode);
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    if (!inode) throw Object.assign(new Error(`there is no ${path}`), { code: 'ENOENT' });
    return inode;
  }

  async #operation(): Promise<void> {
    if (!this.#isOn()) await this.#over;
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#operationsLeft < 0) await this.#over;
  }

  #isOn(): boolean {
    this.#operationsLeft -= 1;
    if (this.#operationsLeft < 0) this.#turnOff();
    return this.#operationsLeft >= 0;
  }
}

/**
 * What was synced, and of what was appended since as much as chance wants. What was cut off since may be there again, behind that or
 * under it: the new bytes and the new size are written one by one.
 */
function survivingContent({ content, synced, kept }: Inode, random: Random): Buffer {
  const written = content.subarray(0, kept + Math.floor(random() * (content.length - kept + 1)));
  return kept < synced.length && random() < 0.5 ? Buffer.concat([written, synced.subarray(written.length)]) : written;
}
