// What a connection sends. Data waits for three things: the stream's window, the connection's window, and a socket that takes more. The
// rest goes at once. What is sent in one turn of the event loop leaves together.

import type { Socket } from 'node:net';
import { encodeFrame, encodeNumberFrame, errorCode, flag, frameHeaderSize, frameType, largestPayload, writeFrameHeader } from './frames.ts';
import type { Http2Stream } from './stream.ts';

/** With so much unsent, data waits. */
const enoughUnsent = 1024 * 1024;
/** Answers to settings and pings, and headers, cannot wait: a client that makes us say so much, and does not listen, is cut off. */
const tooMuchUnsent = 8 * 1024 * 1024;
/** With so much data waiting, no new request is looked at. */
const enoughWaiting = 16 * 1024 * 1024;
/** So much is sent without waiting for the turn to end: then the client has work while others are told the same. */
const enoughForWrite = 16 * 1024;
/** Pieces up to that size are worth copying together. */
const smallPiece = 4096;

export interface OutboxOptions {
  socket: Socket;
  /** The response is sent. */
  onResponseEnd: (stream: Http2Stream) => void;
  onFlood: () => void;
}

export class Outbox {
  /** How much the client takes, on all streams together. */
  sendWindow = 65_535;
  readonly #options: OutboxOptions;
  #pieces: Buffer[] = [];
  #piecesSize = 0;
  /** Streams that wait for the connection's window, or for the socket. */
  readonly #blocked = new Set<Http2Stream>();
  #waitingBytes = 0;
  #parked: (() => void)[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
    options.socket.on('drain', () => this.pumpAll());
  }

  send(frame: Buffer): void {
    if (this.#pieces.length === 0) queueMicrotask(() => this.flush());
    this.#pieces.push(frame);
    this.#piecesSize += frame.length;
    if (this.#piecesSize >= enoughForWrite) this.flush();
    if (this.#unsent > tooMuchUnsent) this.#options.onFlood();
  }

  sendHeaders(stream: Http2Stream, block: Buffer, isLast: boolean): void {
    this.send(encodeFrame(frameType.headers, flag.endHeaders | (isLast ? flag.endStream : 0), stream.id, block));
    if (isLast) this.#finish(stream);
  }

  write(stream: Http2Stream, bytes: Buffer): void {
    stream.waiting.push(bytes);
    stream.waitingBytes += bytes.length;
    this.#waitingBytes += bytes.length;
    this.pump(stream);
  }

  /** Sends what the stream has waiting, as far as it goes; then its trailers. */
  pump(stream: Http2Stream): void {
    while (stream.waiting.length > 0) {
      if (stream.sendWindow <= 0) return;
      if (this.sendWindow <= 0 || this.#unsent > enoughUnsent) {
        this.#blocked.add(stream);
        return;
      }
      this.#sendPiece(stream, Math.min(stream.sendWindow, this.sendWindow, largestPayload));
    }
    if (stream.trailers) this.sendHeaders(stream, stream.trailers, true);
    else if (stream.wantsRoom) {
      stream.wantsRoom = false;
      stream.handlers?.onRoom();
    }
  }

  pumpAll(): void {
    const blocked = [...this.#blocked];
    this.#blocked.clear();
    for (const stream of blocked) this.pump(stream);
  }

  /** Nothing more is sent on this stream. */
  forget(stream: Http2Stream): void {
    stream.hasResponseEnded = true;
    this.#blocked.delete(stream);
    this.#sent(stream.waitingBytes);
    stream.waiting.length = 0;
    stream.waitingBytes = 0;
  }

  /** Runs it now, or when clients have taken enough of what was answered before. */
  whenRoom(run: () => void): void {
    if (this.#waitingBytes < enoughWaiting && this.#parked.length === 0) run();
    else this.#parked.push(run);
  }

  flush(): void {
    const { socket } = this.#options;
    const pieces = this.#pieces;
    if (pieces.length === 0) return;
    this.#pieces = [];
    if (this.#piecesSize / pieces.length < smallPiece) socket.write(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces));
    else {
      socket.cork();
      for (const piece of pieces) socket.write(piece);
      socket.uncork();
    }
    this.#piecesSize = 0;
  }

  get #unsent(): number {
    return this.#piecesSize + this.#options.socket.writableLength;
  }

  #sendPiece(stream: Http2Stream, most: number): void {
    const [first] = stream.waiting as [Buffer];
    const piece = first.length > most ? first.subarray(0, most) : first;
    if (piece === first) stream.waiting.shift();
    else stream.waiting[0] = first.subarray(most);
    stream.waitingBytes -= piece.length;
    stream.sendWindow -= piece.length;
    this.sendWindow -= piece.length;
    if (piece.length <= smallPiece) this.send(encodeFrame(frameType.data, 0, stream.id, piece));
    else {
      const header = Buffer.allocUnsafe(frameHeaderSize);
      writeFrameHeader(header, 0, piece.length, frameType.data, 0, stream.id);
      this.send(header);
      this.send(piece);
    }
    this.#sent(piece.length);
  }

  #sent(bytes: number): void {
    this.#waitingBytes -= bytes;
    while (this.#parked.length > 0 && this.#waitingBytes < enoughWaiting) this.#parked.shift()?.();
  }

  #finish(stream: Http2Stream): void {
    this.forget(stream);
    if (!stream.hasRequestEnded) this.send(encodeNumberFrame(frameType.resetStream, stream.id, errorCode.none));
    this.#options.onResponseEnd(stream);
  }
}
