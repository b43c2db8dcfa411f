// An append-only file of records. `append` resolves when its records are on the disk, not before; opening hands over every record
// that ever was acknowledged. A record that a crash cut short at the end was never acknowledged, and is cut off; a damaged one
// is an error.
// etcd: server/storage/wal

import { dirname } from 'node:path';
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
   * @exercise 1.7 Read the file, if it is there, cut off a torn record, and return the open log and the payloads.
   */
  static async open(disk: Disk, path: string): Promise<OpenedLog> {
    const content = await disk.read(path).catch(missingAsEmpty);
    const { payloads, end, rest } = decodeRecords(content);
    if (rest === 'damaged') throw damaged(path, end);
    const file = await disk.openForAppending(path);
    try {
      if (end < content.length) await file.truncate(end);
      await file.sync();
      await disk.syncDirectory(dirname(path));
    } catch (error) {
      await file.close();
      throw error;
    }
    return { log: new LogFile(file, end), payloads };
  }

  /** Bytes. */
  get size(): number {
    return this.#size;
  }

  /**
   * One write and one sync for all of them: a sync takes as long for a thousand records as for one. Callers wait for one append
   * before they start the next.
   * @exercise 1.7 Append a record for each payload, and resolve when they are safe.
   */
  async append(payloads: Buffer[]): Promise<void> {
    const records = Buffer.concat(payloads.map(encodeRecord));
    this.#file.append(records);
    await this.#file.sync();
    this.#size += records.length;
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
