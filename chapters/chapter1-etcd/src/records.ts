// How records lie in a file: a header of 12 bytes and the payload, one record after the other. Two checksums tell a record that a
// crash cut short from one that is damaged: the first was never acknowledged and may be dropped, the second may not.
//
//   0        4              8                       12
//   │ length │ CRC-32 of    │ CRC-32 of            │ payload …
//   │        │ the payload  │ the 8 bytes before   │
//
// Numbers are unsigned, little-endian. No payload is empty. etcd: server/storage/wal/encoder.go, decoder.go

import { crc32 } from 'node:zlib';
import { NotImplemented } from '#kit/not-implemented';

const headerSize = 12;
/** Disks write sectors as a whole. */
const sectorSize = 512;

export interface Decoded {
  payloads: Buffer[];
  /** Where the last whole record ends. */
  end: number;
  /** What is behind it: nothing, a record that was cut short, or one that is damaged. */
  rest: 'nothing' | 'torn' | 'damaged';
}

/** Return the record: header and payload. */
export function encodeRecord(payload: Buffer): Buffer {
  throw new NotImplemented('1.7', 'Return the record: header and payload.');
}

/**
 * Reads records until the end, or until one is not whole. That one is `torn` if it is the last and the rest of it is missing:
 * - fewer bytes are left than a header has, or
 * - the header is right, and fewer bytes are left than it announces, or
 * - it goes up to the very end, but a sector of it never arrived (`hasLostSector`), or
 * - nothing but zeros is left: the file grew, and its content did not arrive.
 *
 * In every other case it is `damaged`. The payloads may be windows into the content.
 */
export function decodeRecords(content: Buffer): Decoded {
  throw new NotImplemented('1.7', 'Return the payloads of the whole records, where they end, and what is behind them.');
}

/** Whether a sector of the file, as far as it lies between the two bytes, is all zeros. */
function hasLostSector(content: Buffer, from: number, to: number): boolean {
  for (let start = from; start < to; ) {
    const end = Math.min(to, (Math.floor(start / sectorSize) + 1) * sectorSize);
    if (isZero(content, start, end)) return true;
    start = end;
  }
  return false;
}

function isZero(content: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (content[at] !== 0) return false;
  return true;
}
