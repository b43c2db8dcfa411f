// gRPC's messages in a stream of bytes: one byte that says whether the message is compressed, four with its length, and the message.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

const prefixSize = 5;

export interface WireMessage {
  isCompressed: boolean;
  /** Its own copy, unless it came in one piece: then a window into that. */
  bytes: Buffer;
}

/** Puts messages together from the pieces in which they arrive. */
export class MessageReader {
  #pieces: Buffer[] = [];
  #size = 0;

  /** Bytes of a message that is not whole yet. */
  get held(): number {
    return this.#size;
  }

  /** Whole messages, oldest first. The one that is announced next, if it is too large, is the caller's to refuse: see `announced`. */
  add(bytes: Buffer): WireMessage[] {
    this.#pieces.push(bytes);
    this.#size += bytes.length;
    const messages: WireMessage[] = [];
    for (let length = this.announced; length !== undefined && this.#size >= prefixSize + length; length = this.announced) {
      const all = this.#joined();
      messages.push({ isCompressed: all[0] !== 0, bytes: all.subarray(prefixSize, prefixSize + length) });
      this.#size -= prefixSize + length;
      this.#pieces = this.#size > 0 ? [all.subarray(prefixSize + length)] : [];
    }
    return messages;
  }

  /** The length of the message that is under way, as soon as it is known. */
  get announced(): number | undefined {
    if (this.#size < prefixSize) return undefined;
    const [first] = this.#pieces as [Buffer];
    return (first.length >= prefixSize ? first : this.#joined()).readUInt32BE(1);
  }

  /** What stays must not point into a chunk that is read anew. */
  #joined(): Buffer {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)];
    return this.#pieces[0] as Buffer;
  }
}

export function encodeMessage(message: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(prefixSize + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  message.copy(bytes, prefixSize);
  return bytes;
}
