// HTTP/2's frames (RFC 9113, section 4): a header of nine bytes, then the payload.
//
//   0        3      4       5                9
//   │ length │ type │ flags │ stream's number │ payload …
//
// Stream 0 is the connection itself. Numbers are big-endian.

export const frameHeaderSize = 9;
/** What every peer must take, and the most that we take. */
export const largestPayload = 16_384;
/** What a client says first, before its first frame. */
export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  resetStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const flag = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
} as const;

export const errorCode = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refusedStream: 7,
  cancel: 8,
  compression: 9,
  enhanceYourCalm: 11,
} as const;
export type ErrorCode = (typeof errorCode)[keyof typeof errorCode];

/** The peer broke the protocol in a way that ends the connection. */
export class Http2ConnectionError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The peer broke the protocol in a way that ends one stream. */
export class Http2StreamError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Frame {
  type: number;
  flags: number;
  streamId: number;
  /** A window into what came over the wire. */
  payload: Buffer;
}

/** Puts frames together from the pieces in which they arrive. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Yields the frames that are whole now. @throws Http2ConnectionError if one is larger than we take */
  *read(chunk: Buffer): Generator<Frame> {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    while (bytes.length - at >= frameHeaderSize) {
      const length = bytes.readUIntBE(at, 3);
      if (length > largestPayload) throw new Http2ConnectionError(errorCode.frameSize, `a frame of ${length} bytes`);
      const end = at + frameHeaderSize + length;
      if (end > bytes.length) break;
      const payload = bytes.subarray(at + frameHeaderSize, end);
      yield { type: bytes[at + 3] as number, flags: bytes[at + 4] as number, streamId: bytes.readUInt32BE(at + 5) & 0x7fffffff, payload };
      at = end;
    }
    this.#rest = bytes.subarray(at);
  }
}

export function encodeFrame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(frameHeaderSize + payload.length);
  writeFrameHeader(frame, 0, payload.length, type, flags, streamId);
  payload.copy(frame, frameHeaderSize);
  return frame;
}

export function writeFrameHeader(buffer: Buffer, at: number, length: number, type: number, flags: number, streamId: number): void {
  buffer.writeUIntBE(length, at, 3);
  buffer[at + 3] = type;
  buffer[at + 4] = flags;
  buffer.writeUInt32BE(streamId, at + 5);
}

export function encodeSettings(settings: Partial<Record<keyof typeof setting, number>>): Buffer {
  const entries = Object.entries(settings) as [keyof typeof setting, number][];
  const payload = Buffer.alloc(entries.length * 6);
  for (const [index, [name, value]] of entries.entries()) {
    payload.writeUInt16BE(setting[name], index * 6);
    payload.writeUInt32BE(value, index * 6 + 2);
  }
  return encodeFrame(frameType.settings, 0, 0, payload);
}

/** A frame whose payload is a single number: RST_STREAM with its reason, WINDOW_UPDATE with its bytes. */
export function encodeNumberFrame(type: number, streamId: number, value: number): Buffer {
  const payload = Buffer.allocUnsafe(4);
  payload.writeUInt32BE(value);
  return encodeFrame(type, 0, streamId, payload);
}

export function encodeGoAway(lastStreamId: number, code: ErrorCode, message: string): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(lastStreamId);
  payload.writeUInt32BE(code, 4);
  return encodeFrame(frameType.goAway, 0, 0, Buffer.concat([payload, Buffer.from(message)]));
}

/** Without padding and, in HEADERS, without the priority. @throws Http2ConnectionError if there is more padding than payload */
export function contentOf({ type, flags, payload }: Frame): Buffer {
  const isPadded = type !== frameType.continuation && (flags & flag.padded) !== 0;
  const start = (isPadded ? 1 : 0) + (type === frameType.headers && flags & flag.priority ? 5 : 0);
  const end = payload.length - (isPadded ? (payload[0] ?? 0) : 0);
  if (start > end) throw new Http2ConnectionError(errorCode.protocol, 'a frame with more padding than payload');
  return payload.subarray(start, end);
}

/** @throws Http2ConnectionError, Http2StreamError */
export function checkPriority(frame: Frame): void {
  if (frame.streamId === 0) throw new Http2ConnectionError(errorCode.protocol, 'PRIORITY is about a stream');
  if (frame.payload.length !== 5) throw new Http2StreamError(errorCode.frameSize, 'PRIORITY has 5 bytes');
  if ((frame.payload.readUInt32BE() & 0x7fffffff) === frame.streamId) {
    throw new Http2StreamError(errorCode.protocol, 'a stream that depends on itself');
  }
}

/** @throws Http2ConnectionError */
export function expectLength({ payload }: Frame, length: number): void {
  if (payload.length !== length) throw new Http2ConnectionError(errorCode.frameSize, `a frame of ${payload.length} bytes, not ${length}`);
}

/** @throws Http2ConnectionError */
export function expectConnection({ streamId }: Frame): void {
  if (streamId !== 0) throw new Http2ConnectionError(errorCode.protocol, 'a frame about the connection names a stream');
}
