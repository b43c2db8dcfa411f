// An append-only file of records. `append` resolves when its records are on the disk, not before; opening hands over every
// record that ever was. A record that a crash cut short at the end of the file was never acknowledged, and is dropped; a
// damaged one anywhere else is an error.
// Record: length (4 bytes), CRC-32 of the payload (4 bytes), payload. etcd: server/storage/wal

import { appendFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';

const headerSize = 8;

export class LogFile {
  readonly #file: FileHandle;
  #size: number;
  #records: number;

  private constructor(file: FileHandle, size: number, records: number) {
    this.#file = file;
    this.#size = size;
    this.#records = records;
  }

  /** Calls `replay` with every record's payload, oldest first. */
  static async open(path: string, replay: (payload: Buffer) => void): Promise<LogFile> {
    const file = await open(path, 'a+', 0o600);
    try {
      const content = await file.readFile();
      const { size, records } = replayRecords(path, content, replay);
      if (size < content.length) await file.truncate(size);
      await file.datasync();
      await syncDirectory(dirname(path));
      return new LogFile(file, size, records);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Bytes. */
  get size(): number {
    return this.#size;
  }

  get records(): number {
    return this.#records;
  }

  /** One write and one sync for all of them. Callers wait for one append before they start the next. */
  async append(payloads: Buffer[]): Promise<void> {
    const records = Buffer.concat(payloads.flatMap((payload) => [header(payload), payload]));
    // The write only goes to the system's memory, which is quicker than handing it to another thread; the sync is what takes time.
    appendFileSync(this.#file.fd, records);
    await this.#file.datasync();
    this.#size += records.length;
    this.#records += payloads.length;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function header(payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(headerSize);
  bytes.writeUInt32LE(payload.length, 0);
  bytes.writeUInt32LE(crc32(payload), 4);
  return bytes;
}

/** @returns where the last whole record ends, and how many there are */
function replayRecords(path: string, content: Buffer, replay: (payload: Buffer) => void): { size: number; records: number } {
  let start = 0;
  let records = 0;
  while (start + headerSize <= content.length) {
    const end = start + headerSize + content.readUInt32LE(start);
    if (end > content.length) break;
    const payload = content.subarray(start + headerSize, end);
    if (crc32(payload) !== content.readUInt32LE(start + 4)) {
      if (end === content.length) break;
      throw new Error(
        `${path} is damaged at byte ${start}: the checksum of the record there is wrong. Restore the data directory from a backup.`,
      );
    }
    replay(payload);
    start = end;
    records += 1;
  }
  return { size: start, records };
}

/** A new file survives a crash only when its directory is on the disk too. Windows cannot sync a directory, and need not. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
