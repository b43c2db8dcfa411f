// SPDY/3.1, the forerunner of HTTP/2: many streams on one connection. kubectl forwards ports with it, two streams a connection. This is the
// server's half, as much of it as that takes: streams that the client opens, data both ways, resets, pings. There is no
// flow control but the connection's own: the client's library has none.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/util/httpstream/spdy; the frames: SPDY protocol, draft 3.1

import { Duplex } from 'node:stream';
import { HeaderDecoder, HeaderEncoder } from './spdy-headers.ts';

const version = 3;
const control = 0x8000;
const types = { synStream: 1, synReply: 2, rstStream: 3, settings: 4, ping: 6, goAway: 7, headers: 8, windowUpdate: 9 } as const;
const finFlag = 1;
const cancelled = 5;
const frameHeaderLength = 8;
/** A frame's length has 24 bits; nothing that is forwarded needs so much at once. Bytes. */
const largestFrame = 1024 * 1024;
const largestChunk = 32 * 1024;

/** What the client says when it opens a stream; names in lower case. */
export type SpdyHeaders = ReadonlyMap<string, string>;

export interface SpdyServerOptions {
  /** Where frames go. Resolves when there is room for more. */
  send(bytes: Buffer): Promise<void>;
  onStream(stream: SpdyStream): void;
}

export class SpdyServer {
  readonly #options: SpdyServerOptions;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #decoder = new HeaderDecoder();
  readonly #encoder = new HeaderEncoder();
  #unread = Buffer.alloc(0);

  constructor(options: SpdyServerOptions) {
    this.#options = options;
  }

  /** Bytes from the client, in order: call it again when this has resolved. @throws Error when they are no SPDY */
  async receive(bytes: Buffer): Promise<void> {
    this.#unread = Buffer.concat([this.#unread, bytes]);
    while (this.#unread.length >= frameHeaderLength) {
      const length = this.#unread.readUIntBE(5, 3);
      if (length > largestFrame) throw new Error(`a SPDY frame of ${length} bytes: more than ${largestFrame} are not taken`);
      const end = frameHeaderLength + length;
      if (this.#unread.length < end) return;
      const frame = this.#unread.subarray(0, end);
      this.#unread = this.#unread.subarray(end);
      await this.#handle(frame);
    }
  }

  /** Ends all streams, as if each had been reset. */
  close(): void {
    for (const stream of this.#streams.values()) stream.destroy();
    this.#streams.clear();
    this.#decoder.close();
    this.#encoder.close();
  }

  async #handle(frame: Buffer): Promise<void> {
    const flags = frame.readUInt8(4);
    const payload = frame.subarray(frameHeaderLength);
    if ((frame.readUInt16BE(0) & control) === 0) return this.#data(frame.readUInt32BE(0), payload, flags);
    const type = frame.readUInt16BE(2);
    if (type === types.synStream && payload.length >= 10) return this.#open(payload, flags);
    if (type === types.rstStream && payload.length >= 8) this.#streams.get(streamId(payload))?.destroy();
    // A ping of the client's (odd) is answered with itself.
    if (type === types.ping && payload.length >= 4 && payload.readUInt32BE(0) % 2 === 1) await this.#options.send(frame);
    // Headers share one dictionary, also those that nobody wants to know.
    if (type === types.headers && payload.length >= 4) await this.#decoder.decode(payload.subarray(4));
  }

  async #open(payload: Buffer, flags: number): Promise<void> {
    const id = streamId(payload);
    const headers = await this.#decoder.decode(payload.subarray(10));
    const stream = new SpdyStream(headers, {
      send: (chunk, isLast) => this.#send(id, chunk, isLast),
      reset: () => this.#options.send(controlFrame(types.rstStream, Buffer.concat([uint32(id), uint32(cancelled)]))),
      gone: () => this.#streams.delete(id),
    });
    this.#streams.set(id, stream);
    await this.#options.send(controlFrame(types.synReply, Buffer.concat([uint32(id), await this.#encoder.encode(new Map())])));
    if (flags & finFlag) stream.push(null);
    this.#options.onStream(stream);
  }

  #data(id: number, payload: Buffer, flags: number): Promise<void> | undefined {
    const stream = this.#streams.get(id & 0x7fffffff);
    // For one that was closed meanwhile.
    if (!stream) return undefined;
    const room = payload.length === 0 || stream.push(Buffer.from(payload));
    if (flags & finFlag) stream.push(null);
    return room ? undefined : stream.taken();
  }

  async #send(id: number, chunk: Buffer, isLast: boolean): Promise<void> {
    for (let from = 0; from < chunk.length; from += largestChunk) {
      await this.#options.send(dataFrame(id, chunk.subarray(from, from + largestChunk), false));
    }
    if (isLast) await this.#options.send(dataFrame(id, Buffer.alloc(0), true));
  }
}

interface Way {
  send(chunk: Buffer, isLast: boolean): Promise<void>;
  reset(): Promise<void>;
  gone(): void;
}

/** Both directions end by themselves; destroying it tells the client that it is over. */
export class SpdyStream extends Duplex {
  readonly headers: SpdyHeaders;
  readonly #way: Way;
  #taken: (() => void) | undefined;

  constructor(headers: SpdyHeaders, way: Way) {
    super({ allowHalfOpen: true });
    this.headers = headers;
    this.#way = way;
    this.on('close', () => this.#taken?.());
  }

  /** Resolves when what came in has been read. */
  taken(): Promise<void> {
    if (this.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#taken = resolve;
    });
  }

  override _read(): void {
    this.#taken?.();
    this.#taken = undefined;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#way.send(chunk, false).then(() => done(), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#way.send(Buffer.alloc(0), true).then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#way.gone();
    const isOver = this.readableEnded && this.writableFinished;
    // If the connection is gone, too, there is nobody to tell.
    if (!isOver) this.#way.reset().catch(() => {});
    done(error);
  }
}

/** The first bit is not part of it. */
function streamId(payload: Buffer): number {
  return payload.readUInt32BE(0) & 0x7fffffff;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function controlFrame(type: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(frameHeaderLength);
  head.writeUInt16BE(control | version, 0);
  head.writeUInt16BE(type, 2);
  head.writeUIntBE(payload.length, 5, 3);
  return Buffer.concat([head, payload]);
}

function dataFrame(id: number, chunk: Buffer, isLast: boolean): Buffer {
  const head = Buffer.alloc(frameHeaderLength);
  head.writeUInt32BE(id, 0);
  head.writeUInt8(isLast ? finFlag : 0, 4);
  head.writeUIntBE(chunk.length, 5, 3);
  return Buffer.concat([head, chunk]);
}
