// An append-only file of records. `append` resolves when its records are on the disk, not before; opening hands over every record
// that ever was acknowledged. A record that a crash cut short at the end was never acknowledged, and is cut off; a damaged one
// is an error.
// etcd: server/storage/wal

import { dirname } from 'node:path';
import { NotImplemented } from '#kit/not-implemented';
import type { AppendFile, Disk } from './disk.ts';
import { decodeRecords, encodeRecord } from './records.ts';

export interface OpenedLog {
  log: LogFile;
  payloads: Buffer[];
}

export class LogFile {
  readonly #file: AppendFile;
  #size: number;

  private constructor(file: AppendFile, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /**
   * A torn record is cut off, so that the next one does not stand behind it. The file's name and its size are synced before
   * anything is appended. A damaged record is an error that says where it is: whoever goes on without it loses what was promised.
   */
  static async open(disk: Disk, path: string): Promise<OpenedLog> {
    throw new NotImplemented('1.7', 'Read the file, if it is there, cut off a torn record, and return the open log and the payloads.');
  }

  /** Bytes. */
  get size(): number {
    return this.#size;
  }

  /**
   * One write and one sync for all of them: a sync takes as long for a thousand records as for one. Callers wait for one append
   * before they start the next.
   */
  async append(payloads: Buffer[]): Promise<void> {
    throw new NotImplemented('1.7', 'Append a record for each payload, and resolve when they are safe.');
  }

  /** Takes off again what an append that failed has left. */
  async cutToSize(): Promise<void> {
    await this.#file.truncate(this.#size);
    await this.#file.sync();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function damaged(path: string, at: number): Error {
  return new Error(
    `${path} is damaged at byte ${at}: the checksum of the record there is wrong. Restore the data directory from a backup.`,
  );
}

function missingAsEmpty(error: NodeJS.ErrnoException): Buffer {
  if (error.code === 'ENOENT') return Buffer.alloc(0);
  throw error;
}
