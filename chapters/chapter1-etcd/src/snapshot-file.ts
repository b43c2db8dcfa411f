// A file with the whole state: records as in the log, zeros up to a multiple of 512 bytes, and the SHA-256 of all that. Under its
// name there is always a whole snapshot: it is written under another name, synced, and renamed. `etcdctl snapshot save` checks a
// file by the same rule (its size and the hash at its end).

import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { NotImplemented } from '#kit/not-implemented';
import type { Disk } from './disk.ts';
import { decodeRecords, encodeRecord } from './records.ts';

const blockSize = 512;
const hashSize = 32;

/** What has this ending was not finished. */
export const unfinished = '.tmp';

/** Yield the records of the payloads one by one, then the padding, then the hash of all that was yielded before. */
export function* snapshotContent(payloads: Iterable<Buffer>): Generator<Buffer> {
  throw new NotImplemented(
    '1.7',
    'Yield the records of the payloads one by one, then the padding, then the hash of all that was yielded before.',
  );
}

/**
 * Between two pieces others get their turn (`breath`), so that a large state holds up nobody. Resolves with the file's size when the
 * snapshot would survive a power failure, under its name.
 */
export async function writeSnapshot(disk: Disk, path: string, payloads: Iterable<Buffer>): Promise<number> {
  throw new NotImplemented('1.7', 'Write the content to an unfinished file, sync it, rename it, and sync the directory.');
}

/** Throws an Error that names the file if its hash is wrong. */
export async function readSnapshot(disk: Disk, path: string): Promise<Buffer[]> {
  throw new NotImplemented('1.7', "Check the hash at the file's end, and return the payloads of its records.");
}

/** Resolves when everything else that is ready had its turn. */
export function breath(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
