// A key-value as the store keeps it. A Buffer costs a few hundred bytes beside its content, and one that was cut from a larger one holds
// all of that: so the key, and a small value, lie in memory as a string with one character a byte, and become Buffers whenever somebody
// looks. Who looks more than once, or wants `...` to copy everything, takes a `plain` copy.

import { keyBytes, keyText } from './keys.ts';
import type { KeyValue, LeaseId } from './messages.ts';

/** Larger values stay as they are: there a few hundred bytes don't count. */
const smallValue = 4096;

export class StoredKeyValue implements KeyValue {
  readonly keyText: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: LeaseId;
  readonly #value: string | Buffer;

  constructor(key: string, { value, createRevision, modRevision, version, lease }: Omit<KeyValue, 'key'>) {
    this.keyText = key;
    this.createRevision = createRevision;
    this.modRevision = modRevision;
    this.version = version;
    this.lease = lease;
    this.#value = value.length > smallValue ? value : keyText(value);
  }

  get key(): Buffer {
    return keyBytes(this.keyText);
  }

  get value(): Buffer {
    return typeof this.#value === 'string' ? Buffer.from(this.#value, 'latin1') : this.#value;
  }

  get valueSize(): number {
    return this.#value.length;
  }
}

/** With properties like any object's. */
export function plain({ key, value, createRevision, modRevision, version, lease }: KeyValue): KeyValue {
  return { key, value, createRevision, modRevision, version, lease };
}
