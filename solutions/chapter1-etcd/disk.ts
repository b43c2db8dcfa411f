// The part of the file system that the storage needs, so that a test can put a disk in its place that fails, or loses what was not
// synced. What was written is safe only after a sync; a new name is safe only after a sync of its directory.

import { appendFileSync, fdatasync } from 'node:fs';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface Disk {
  /** The names in a directory. */
  list(directory: string): Promise<string[]>;
  read(path: string): Promise<Buffer>;
  /** Creates the file if it is not there. */
  openForAppending(path: string): Promise<AppendFile>;
  /** Takes the place of what had that name, at once and as a whole. */
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
}

export interface AppendFile {
  /**
   * Hands the bytes to the system; they are not safe yet. @throws Error if they cannot be written, with the code ENOSPC if the disk
   * is full; then the file may have some of them at its end
   */
  append(bytes: Buffer): void;
  /** Resolves when all that was appended is safe. */
  sync(): Promise<void>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

/** As a FileHandle's, but with less between the call and the system's: a put waits for it. */
const datasync = promisify(fdatasync);

export const systemDisk: Disk = {
  list: (directory) => readdir(directory),
  read: (path) => readFile(path),
  async openForAppending(path) {
    const file = await open(path, 'a', 0o600);
    return {
      // Only as far as the system's memory: that is quicker than handing it to another thread. The sync is what takes time.
      append: (bytes) => appendFileSync(file.fd, bytes),
      sync: () => datasync(file.fd),
      truncate: (size) => file.truncate(size),
      close: () => file.close(),
    };
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  async syncDirectory(path) {
    // Windows cannot sync a directory, and need not.
    if (process.platform === 'win32') return;
    const directory = await open(path, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },
};
