// Keys and ranges of keys. A key is bytes, and keys are ordered byte by byte. Inside the server a key is a string with one
// character a byte (latin1): comparing two such strings compares their bytes, and Map and Set can hold them.

/** Keys from `from` up to, without, `to`; undefined: no end. */
export interface KeyRange {
  readonly from: string;
  readonly to: string | undefined;
}

export function keyText(key: Buffer): string {
  return key.toString('latin1');
}

export function keyBytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/**
 * The keys that `key` and `rangeEnd` of a request mean:
 *
 * | rangeEnd               | keys                                |
 * | ---                    | ---                                 |
 * | empty                  | `key` alone                         |
 * | one zero byte          | every key from `key` on             |
 * | anything else          | from `key` up to, without, rangeEnd |
 *
 * The smallest key after `k` is `k` with a zero byte at its end.
 * @exercise 1.2 Translate a request's key and range end into a range of keys.
 */
export function keyRange(key: Buffer, rangeEnd: Buffer): KeyRange {
  const from = keyText(key);
  if (rangeEnd.length === 0) return { from, to: `${from}\0` };
  const to = keyText(rangeEnd);
  return { from, to: to === '\0' ? undefined : to };
}

/** @exercise 1.2 Say whether the key lies in the range. */
export function contains(range: KeyRange, key: string): boolean {
  return key >= range.from && (range.to === undefined || key < range.to);
}
