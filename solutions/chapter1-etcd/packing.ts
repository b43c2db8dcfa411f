// Changes as compressed bytes, and back. Each key-value has a header of 40 bytes, its key and its value, one behind the other; what is
// common to them, and in objects of Kubernetes that is nearly everything, is stored once by the compression.
//
//   0             8                16        24      32           36             40
//   │ modRevision │ createRevision │ version │ lease │ key length │ value length │ key … │ value …
//
// Numbers are little-endian: doubles, a 64-bit integer for the lease, and unsigned integers for the lengths.

import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Event } from './messages.ts';
import { StoredKeyValue } from './stored-key-value.ts';

/** An event as the store keeps it. */
export interface StoredEvent extends Event {
  kv: StoredKeyValue;
}

const headerSize = 40;
/** Zstandard's quickest level: the others gain little on text, and a put would wait for them. */
const options = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** What a key-value takes before it is compressed. */
export function unpackedSize({ keyText, valueSize }: StoredKeyValue): number {
  return headerSize + keyText.length + valueSize;
}

/** `size`: what all of them take before they are compressed. */
export function pack(events: Iterable<StoredEvent>, size: number): Uint8Array {
  const raw = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { kv } of events) at = write(raw, at, kv);
  // A copy of exactly that size: what the compression returns may be cut from something larger.
  return new Uint8Array(zstdCompressSync(raw, options));
}

/** The key-values have memory of their own. */
export function* unpack(packed: Uint8Array): Generator<StoredKeyValue> {
  const raw = zstdDecompressSync(packed);
  for (let at = 0; at < raw.length; ) {
    const keyAt = at + headerSize;
    const valueAt = keyAt + raw.readUInt32LE(at + 32);
    const end = valueAt + raw.readUInt32LE(at + 36);
    yield new StoredKeyValue(raw.toString('latin1', keyAt, valueAt), {
      value: Buffer.from(raw.subarray(valueAt, end)),
      modRevision: raw.readDoubleLE(at),
      createRevision: raw.readDoubleLE(at + 8),
      version: raw.readDoubleLE(at + 16),
      lease: String(raw.readBigInt64LE(at + 24)),
    });
    at = end;
  }
}

function write(raw: Buffer, at: number, kv: StoredKeyValue): number {
  const { modRevision, createRevision, version, lease, keyText, value } = kv;
  raw.writeDoubleLE(modRevision, at);
  raw.writeDoubleLE(createRevision, at + 8);
  raw.writeDoubleLE(version, at + 16);
  raw.writeBigInt64LE(BigInt(lease), at + 24);
  raw.writeUInt32LE(keyText.length, at + 32);
  raw.writeUInt32LE(value.length, at + 36);
  const valueAt = at + headerSize + raw.write(keyText, at + headerSize, 'latin1');
  return valueAt + value.copy(raw, valueAt);
}
