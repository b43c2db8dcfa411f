// A header block comes in one HEADERS frame and any number of CONTINUATION frames, with nothing in between (RFC 9113, section 6.10).

import { contentOf, errorCode, type Frame, flag, frameType, Http2ConnectionError } from './frames.ts';

/** Of one block, as it comes over the wire. */
const largestBlock = 32 * 1024;
/** Frames of one block; empty ones count, too. */
const mostFrames = 16;

export interface HeaderBlock {
  streamId: number;
  bytes: Buffer;
  /** The request has no body, or this is its end. */
  hasEnded: boolean;
  dependsOn: number | undefined;
}

export class HeaderBlocks {
  #begun: (Omit<HeaderBlock, 'bytes'> & { pieces: Buffer[]; size: number }) | undefined;

  /** The whole block, if this frame ends one; `incomplete` if it is a part of one; undefined if it is about something else. */
  add(frame: Frame): HeaderBlock | 'incomplete' | undefined {
    const { type, flags, streamId } = frame;
    if (this.#begun ? type !== frameType.continuation || streamId !== this.#begun.streamId : type === frameType.continuation) {
      throw new Http2ConnectionError(errorCode.protocol, 'a header block was interrupted, or continued without a beginning');
    }
    if (type === frameType.headers) this.#begun = begin(frame);
    if (!this.#begun) return undefined;
    const bytes = contentOf(frame);
    this.#begun.pieces.push(Buffer.from(bytes));
    this.#begun.size += bytes.length;
    if (this.#begun.size > largestBlock || this.#begun.pieces.length > mostFrames) {
      throw new Http2ConnectionError(errorCode.enhanceYourCalm, 'a header block that is too large');
    }
    if ((flags & flag.endHeaders) === 0) return 'incomplete';
    const { pieces, hasEnded, dependsOn } = this.#begun;
    this.#begun = undefined;
    return { streamId, bytes: pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces), hasEnded, dependsOn };
  }
}

function begin({ flags, streamId, payload }: Frame): {
  streamId: number;
  hasEnded: boolean;
  dependsOn: number | undefined;
  pieces: Buffer[];
  size: number;
} {
  if (streamId === 0) throw new Http2ConnectionError(errorCode.protocol, 'HEADERS are about a stream');
  const at = flags & flag.padded ? 1 : 0;
  const hasPriority = (flags & flag.priority) !== 0 && payload.length >= at + 5;
  const dependsOn = hasPriority ? payload.readUInt32BE(at) & 0x7fffffff : undefined;
  return { streamId, hasEnded: (flags & flag.endStream) !== 0, dependsOn, pieces: [], size: 0 };
}
