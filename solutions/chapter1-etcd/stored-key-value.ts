// A key-value as the store keeps it. There may be a million of them, most of them old, and a Buffer costs a hundred bytes beside its
// content, and holds more memory than it shows: so a small value lies in memory as a string with one character a byte, and becomes a
// Buffer when somebody looks at it.

import { keyText } from './keys.ts';
import type { KeyValue, LeaseId } from './messages.ts';

/** Larger values stay as they are: there the hundred bytes don't count. */
const smallValue = 1024;

export class StoredKeyValue implements KeyValue {
  readonly key: Buffer;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: LeaseId;
  readonly #value: string | Buffer;

  constructor({ key, value, createRevision, modRevision, version, lease }: KeyValue) {
    this.key = key;
    this.createRevision = createRevision;
    this.modRevision = modRevision;
    this.version = version;
    this.lease = lease;
    this.#value = value.length > smallValue ? value : keyText(value);
  }

  get value(): Buffer {
    return typeof this.#value === 'string' ? Buffer.from(this.#value, 'latin1') : this.#value;
  }

  get size(): number {
    return this.key.length + this.#value.length;
  }
}
