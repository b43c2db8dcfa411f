// Protobuf's wire format: a message is a sequence of fields, each a number and a value. What a number means is not written.
// https://protobuf.dev/programming-guides/encoding/

export interface WireField {
  number: number;
  /** A varint, or the bytes of anything else. */
  value: bigint | Buffer;
}

export class BytesReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  *fields(): Generator<WireField> {
    while (this.#at < this.#bytes.length) {
      const key = Number(this.#varint());
      yield { number: key >>> 3, value: this.#value(key & 7) };
    }
  }

  /** All that is left, as varints. */
  *varints(): Generator<bigint> {
    while (this.#at < this.#bytes.length) yield this.#varint();
  }

  #value(wireType: number): bigint | Buffer {
    if (wireType === 0) return this.#varint();
    if (wireType === 1) return this.#take(8);
    if (wireType === 2) return this.#take(Number(this.#varint()));
    if (wireType === 5) return this.#take(4);
    throw new Error(`wire type ${wireType} is not known`);
  }

  /** Seven bits a byte, the lowest first; the eighth bit says that more follow. */
  #varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#take(1)[0] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new Error('a number does not end');
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Error('it ends in the middle of a value');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
