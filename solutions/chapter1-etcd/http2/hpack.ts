// Header compression (HPACK, RFC 7541). The decoder remembers what it has decoded: one for each connection, and every block must go
// through it, in order. The encoder is plain: it refers to nothing, so that a block can be kept and sent again.

import { errorCode, Http2ConnectionError } from './frames.ts';
import { decodeHuffman } from './huffman.ts';

export type Field = [name: string, value: string];

/** RFC 7541, appendix A; numbered from 1. */
const staticTable: Field[] = `
  :authority :method=GET :method=POST :path=/ :path=/index.html :scheme=http :scheme=https :status=200 :status=204 :status=206 :status=304
  :status=400 :status=404 :status=500 accept-charset accept-encoding=gzip,_deflate accept-language accept-ranges accept
  access-control-allow-origin age allow authorization cache-control content-disposition content-encoding content-language content-length
  content-location content-range content-type cookie date etag expect expires from host if-match if-modified-since if-none-match if-range
  if-unmodified-since last-modified link location max-forwards proxy-authenticate proxy-authorization range referer refresh retry-after
  server set-cookie strict-transport-security transfer-encoding user-agent vary via www-authenticate`
  .trim()
  .split(/\s+/)
  .map((entry) => {
    const [name = '', value = ''] = entry.split('=');
    return [name, value.replace('_', ' ')];
  });

/** Bytes of a dynamic table, as every peer may assume unless told otherwise. */
const largestTable = 4096;
/** What an entry counts beside its text. */
const entryOverhead = 32;
/** Of one block, decoded: a few short references can stand for megabytes. */
export const largestFieldList = 16_384;

export class HeaderDecoder {
  /** Newest first. */
  #dynamic: Field[] = [];
  #size = 0;
  #maxSize = largestTable;

  /** @throws Http2ConnectionError if the block is wrong, or says too much */
  decode(block: Buffer): Field[] {
    const reader = new BlockReader(block);
    const fields: Field[] = [];
    let total = 0;
    const add = (field: Field) => {
      total += sizeOf(field);
      if (total > largestFieldList) throw new Http2ConnectionError(errorCode.enhanceYourCalm, 'the header fields are too large');
      fields.push(field);
    };
    while (!reader.isAtEnd) {
      const first = reader.peek();
      if (first & 0x80) add(this.#lookUp(reader.integer(7)));
      else if (first & 0x40) {
        const field = this.#literal(reader, 6);
        add(field);
        this.#remember(field);
      } else if (first & 0x20) {
        if (fields.length > 0) throw wrong('a change of the table size between fields');
        this.#resize(reader.integer(5));
      } else add(this.#literal(reader, 4));
    }
    return fields;
  }

  #literal(reader: BlockReader, prefix: number): Field {
    const index = reader.integer(prefix);
    const name = index > 0 ? this.#lookUp(index)[0] : reader.text();
    return [name, reader.text()];
  }

  #lookUp(index: number): Field {
    const field = index <= staticTable.length ? staticTable[index - 1] : this.#dynamic[index - staticTable.length - 1];
    if (!field) throw wrong(`there is no entry ${index}`);
    return field;
  }

  #remember(field: Field): void {
    this.#dynamic.unshift(field);
    this.#size += sizeOf(field);
    this.#evict();
  }

  #resize(size: number): void {
    if (size > largestTable) throw wrong(`a table of ${size} bytes`);
    this.#maxSize = size;
    this.#evict();
  }

  #evict(): void {
    while (this.#size > this.#maxSize) this.#size -= sizeOf(this.#dynamic.pop() as Field);
  }
}

class BlockReader {
  readonly #block: Buffer;
  #at = 0;

  constructor(block: Buffer) {
    this.#block = block;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#block.length;
  }

  peek(): number {
    const byte = this.#block[this.#at];
    if (byte === undefined) throw wrong('the block ends too early');
    return byte;
  }

  /** What fits into the first byte's last bits, or goes on in further bytes, seven bits each. */
  integer(prefix: number): number {
    const most = 2 ** prefix - 1;
    let value = this.#next() & most;
    if (value < most) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#next();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw wrong('a number that is too large');
  }

  text(): string {
    const isHuffman = (this.peek() & 0x80) !== 0;
    const length = this.integer(7);
    const end = this.#at + length;
    if (end > this.#block.length) throw wrong('the block ends too early');
    const bytes = this.#block.subarray(this.#at, end);
    this.#at = end;
    const text = isHuffman ? decodeHuffman(bytes) : bytes.toString('latin1');
    if (text === undefined) throw wrong('a text that is no Huffman code');
    return text;
  }

  #next(): number {
    const byte = this.peek();
    this.#at += 1;
    return byte;
  }
}

/** A block of fields that refer to nothing but names and whole entries of the static table. */
export function encodeHeaders(fields: Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => {
      const whole = staticTable.findIndex((entry) => entry[0] === name && entry[1] === value) + 1;
      if (whole > 0) return [encodeInteger(whole, 7, 0x80)];
      const named = staticTable.findIndex((entry) => entry[0] === name) + 1;
      return [encodeInteger(named, 4, 0), ...(named > 0 ? [] : encodeText(name)), ...encodeText(value)];
    }),
  );
}

function encodeText(text: string): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  return [encodeInteger(bytes.length, 7, 0), bytes];
}

function encodeInteger(value: number, prefix: number, mark: number): Buffer {
  const most = 2 ** prefix - 1;
  if (value < most) return Buffer.of(mark | value);
  const bytes = [mark | most];
  let rest = value - most;
  for (; rest >= 0x80; rest >>>= 7) bytes.push(0x80 | (rest & 0x7f));
  return Buffer.from([...bytes, rest]);
}

function sizeOf([name, value]: Field): number {
  return name.length + value.length + entryOverhead;
}

function wrong(what: string): Http2ConnectionError {
  return new Http2ConnectionError(errorCode.compression, `the header block is wrong: ${what}`);
}
