// A file with the whole state: records as in the log, zeros up to a multiple of 512 bytes, and the SHA-256 of all that. Under its
// name there is always a whole snapshot: it is written under another name, synced, and renamed. `etcdctl snapshot save` checks a
// file by the same rule (its size and the hash at its end).

import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import type { Disk } from './disk.ts';
import { decodeRecords, encodeRecord } from './records.ts';

const blockSize = 512;
const hashSize = 32;

/** What has this ending was not finished. */
export const unfinished = '.tmp';

/**
 * @exercise 1.7 Yield the records of the payloads one by one, then the padding, then the hash of all that was yielded before.
 */
export function* snapshotContent(payloads: Iterable<Buffer>): Generator<Buffer> {
  const hash = createHash('sha256');
  let size = 0;
  for (const payload of payloads) {
    const record = encodeRecord(payload);
    hash.update(record);
    size += record.length;
    yield record;
  }
  const padding = Buffer.alloc((blockSize - (size % blockSize)) % blockSize);
  hash.update(padding);
  yield padding;
  yield hash.digest();
}

/**
 * Between two pieces others get their turn (`breath`), so that a large state holds up nobody. Resolves with the file's size when the
 * snapshot would survive a power failure, under its name.
 * @exercise 1.7 Write the content to an unfinished file, sync it, rename it, and sync the directory.
 */
export async function writeSnapshot(disk: Disk, path: string, payloads: Iterable<Buffer>): Promise<number> {
  await disk.remove(path + unfinished);
  const file = await disk.openForAppending(path + unfinished);
  let size = 0;
  try {
    for (const piece of snapshotContent(payloads)) {
      file.append(piece);
      size += piece.length;
      await breath();
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(path + unfinished, path);
  await disk.syncDirectory(dirname(path));
  return size;
}

/**
 * Throws an Error that names the file if its hash is wrong.
 * @exercise 1.7 Check the hash at the file's end, and return the payloads of its records.
 */
export async function readSnapshot(disk: Disk, path: string): Promise<Buffer[]> {
  const content = await disk.read(path);
  const body = content.subarray(0, Math.max(0, content.length - hashSize));
  const hash = createHash('sha256').update(body).digest();
  if (!hash.equals(content.subarray(body.length))) {
    throw new Error(`${path} is damaged: its checksum is wrong. Restore the data directory from a backup.`);
  }
  return decodeRecords(body).payloads;
}

/** Resolves when everything else that is ready had its turn. */
export function breath(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
