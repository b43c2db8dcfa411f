// One HTTP/2 connection, from the server's side (RFC 9113): frames in, streams out, and back. Whatever a client sends, it costs a bounded
// amount of memory and ends in an answer, a RST_STREAM for its stream or a GOAWAY for the connection.

import type { Socket } from 'node:net';
import type { Clock } from '#kit/clock';
import { Allowance } from './allowance.ts';
import {
  checkPriority,
  contentOf,
  type ErrorCode,
  encodeFrame,
  encodeGoAway,
  encodeNumberFrame,
  encodeSettings,
  errorCode,
  expectConnection,
  expectLength,
  type Frame,
  FrameReader,
  flag,
  frameType,
  Http2ConnectionError,
  Http2StreamError,
  preface,
} from './frames.ts';
import { HeaderBlocks } from './header-blocks.ts';
import { type Field, HeaderDecoder, largestFieldList } from './hpack.ts';
import { Outbox } from './outbox.ts';
import { ReceiveWindow } from './receive-window.ts';
import { largestWindow, readSettings } from './settings.ts';
import { Http2Stream } from './stream.ts';

/** How much a client may send before it is told to go on: on one stream, and on all of them. */
const streamWindow = 1024 * 1024;
const connectionWindow = 4 * 1024 * 1024;
const initialWindow = 65_535;
const mostStreams = 20_000;
/** Streams that a client may take back: so many at once, and so many more each second. Opening costs it less than it costs us. */
const resets = { atOnce: 1000, eachSecond: 100 };
/** How long a client has to read why it is cut off. */
const farewellMs = 1000;

export interface Http2ConnectionOptions {
  socket: Socket;
  clock: Clock;
  /** Called for each stream when its request's headers are there; must set the stream's handlers or end it. */
  serve: (stream: Http2Stream) => void;
  onClose: () => void;
}

export class Http2Connection {
  readonly #options: Http2ConnectionOptions;
  readonly #outbox: Outbox;
  readonly #frames = new FrameReader();
  readonly #headers = new HeaderDecoder();
  readonly #blocks = new HeaderBlocks();
  readonly #streams = new Map<number, Http2Stream>();
  #unreadPreface = preface;
  #hasSettings = false;
  #lastStreamId = 0;
  readonly #receiveWindow = new ReceiveWindow(connectionWindow);
  #clientWindow = initialWindow;
  readonly #resets: Allowance;
  #isClosed = false;

  constructor(options: Http2ConnectionOptions) {
    const { socket, clock } = options;
    this.#options = options;
    this.#resets = new Allowance({ ...resets, clock });
    const onFlood = () => this.#goAway(errorCode.enhanceYourCalm, 'too much was asked for and not read');
    this.#outbox = new Outbox({ socket, onFlood, onResponseEnd: (stream) => this.#streams.delete(stream.id) });
    this.#outbox.send(
      encodeSettings({ maxConcurrentStreams: mostStreams, initialWindowSize: streamWindow, maxHeaderListSize: largestFieldList }),
    );
    this.#outbox.send(encodeNumberFrame(frameType.windowUpdate, 0, connectionWindow - initialWindow));
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('close', () => this.#abortAll());
    socket.resume();
  }

  /** Cuts the connection. */
  close(): void {
    this.#goAway(errorCode.none, 'the server is stopping');
    this.#options.socket.destroy();
  }

  #receive(chunk: Buffer): void {
    if (this.#isClosed) return;
    try {
      for (const frame of this.#frames.read(this.#withoutPreface(chunk))) {
        this.#handle(frame);
        if (this.#isClosed) return;
      }
    } catch (error) {
      if (!(error instanceof Http2ConnectionError)) throw error;
      this.#goAway(error.code, error.message);
    }
    this.#outbox.flush();
  }

  #withoutPreface(chunk: Buffer): Buffer {
    if (this.#unreadPreface.length === 0) return chunk;
    const length = Math.min(chunk.length, this.#unreadPreface.length);
    if (this.#unreadPreface.compare(chunk, 0, length, 0, length) !== 0) {
      throw new Http2ConnectionError(errorCode.protocol, 'this is no HTTP/2 preface');
    }
    this.#unreadPreface = this.#unreadPreface.subarray(length);
    return chunk.subarray(length);
  }

  #handle(frame: Frame): void {
    if (!this.#hasSettings && frame.type !== frameType.settings) {
      throw new Http2ConnectionError(errorCode.protocol, 'the first frame must be SETTINGS');
    }
    const block = this.#blocks.add(frame);
    if (block === 'incomplete') return;
    try {
      if (block) this.#headersOf(block.streamId, block.hasEnded, this.#headers.decode(block.bytes), block.dependsOn);
      else this.#handleOther(frame);
    } catch (error) {
      if (!(error instanceof Http2StreamError)) throw error;
      this.#resetStream(frame.streamId, error.code);
    }
  }

  #handleOther(frame: Frame): void {
    const { type, flags, streamId, payload } = frame;
    switch (type) {
      case frameType.data:
        this.#data(frame);
        break;
      case frameType.priority:
        checkPriority(frame);
        break;
      case frameType.resetStream:
        expectLength(frame, 4);
        this.#resetByClient(streamId);
        break;
      case frameType.settings:
        this.#settings(frame);
        break;
      case frameType.pushPromise:
        throw new Http2ConnectionError(errorCode.protocol, 'a client may not push');
      case frameType.ping:
        expectLength(frame, 8);
        expectConnection(frame);
        if ((flags & flag.ack) === 0) this.#outbox.send(encodeFrame(frameType.ping, flag.ack, 0, payload));
        break;
      case frameType.goAway:
        expectConnection(frame);
        break;
      case frameType.windowUpdate:
        this.#windowUpdate(frame);
        break;
      // Frames of types that nobody knows are to be ignored.
    }
  }

  #headersOf(streamId: number, hasEnded: boolean, fields: Field[], dependsOn: number | undefined): void {
    if (dependsOn === streamId) throw new Http2StreamError(errorCode.protocol, 'a stream that depends on itself');
    const known = this.#streams.get(streamId);
    if (known) this.#trailers(known, hasEnded);
    else this.#open(streamId, hasEnded, fields);
  }

  #open(streamId: number, hasEnded: boolean, fields: Field[]): void {
    if (streamId % 2 === 0) throw new Http2ConnectionError(errorCode.protocol, `a client's stream has an odd number, not ${streamId}`);
    if (streamId <= this.#lastStreamId) throw new Http2ConnectionError(errorCode.streamClosed, `stream ${streamId} is closed`);
    this.#lastStreamId = streamId;
    if (this.#streams.size >= mostStreams) throw new Http2StreamError(errorCode.refusedStream, 'too many streams');
    const stream = new Http2Stream({
      id: streamId,
      fields,
      outbox: this.#outbox,
      sendWindow: this.#clientWindow,
      receiveWindow: new ReceiveWindow(streamWindow),
      reset: (_, code) => this.#resetStream(streamId, code),
    });
    this.#streams.set(streamId, stream);
    this.#options.serve(stream);
    if (hasEnded) this.#endOf(stream);
  }

  #trailers(stream: Http2Stream, hasEnded: boolean): void {
    if (stream.hasRequestEnded) throw new Http2StreamError(errorCode.streamClosed, 'headers after the end');
    if (!hasEnded) throw new Http2StreamError(errorCode.protocol, 'headers in the middle of a request');
    this.#endOf(stream);
  }

  #endOf(stream: Http2Stream): void {
    stream.hasRequestEnded = true;
    stream.handlers?.onEnd();
  }

  /** What counts for the windows is the whole payload, with its padding. */
  #data(frame: Frame): void {
    const { streamId, flags, payload } = frame;
    this.#checkNotIdle(streamId);
    const tooMuch = 'more data than the window allows';
    if (!this.#receiveWindow.take(payload.length)) throw new Http2ConnectionError(errorCode.flowControl, tooMuch);
    this.#reopen(0, this.#receiveWindow);
    const content = contentOf(frame);
    const stream = this.#streams.get(streamId);
    if (!stream || stream.hasRequestEnded) throw new Http2StreamError(errorCode.streamClosed, 'data after the end');
    if (!stream.receiveWindow.take(payload.length)) throw new Http2StreamError(errorCode.flowControl, tooMuch);
    if (content.length > 0) stream.handlers?.onData(content);
    if (flags & flag.endStream) this.#endOf(stream);
    else if (!stream.hasResponseEnded) this.#reopen(streamId, stream.receiveWindow);
  }

  #reopen(streamId: number, window: ReceiveWindow): void {
    const bytes = window.reopen();
    if (bytes > 0) this.#outbox.send(encodeNumberFrame(frameType.windowUpdate, streamId, bytes));
  }

  #settings(frame: Frame): void {
    const { initialWindowSize } = readSettings(frame);
    this.#hasSettings = true;
    if (frame.flags & flag.ack) return;
    if (initialWindowSize !== undefined) {
      const difference = initialWindowSize - this.#clientWindow;
      this.#clientWindow = initialWindowSize;
      for (const stream of this.#streams.values()) {
        stream.sendWindow += difference;
        if (stream.sendWindow > largestWindow) throw new Http2ConnectionError(errorCode.flowControl, 'a window that is too large');
      }
      for (const stream of [...this.#streams.values()]) if (stream.waitingBytes > 0) this.#outbox.pump(stream);
    }
    this.#outbox.send(encodeFrame(frameType.settings, flag.ack, 0, Buffer.alloc(0)));
  }

  #windowUpdate(frame: Frame): void {
    expectLength(frame, 4);
    const { streamId } = frame;
    const bytes = frame.payload.readUInt32BE() & largestWindow;
    if (streamId === 0) this.#widen(bytes);
    else this.#widenStream(streamId, bytes);
  }

  #widen(bytes: number): void {
    if (bytes === 0) throw new Http2ConnectionError(errorCode.protocol, 'a window update of 0');
    this.#outbox.sendWindow += bytes;
    if (this.#outbox.sendWindow > largestWindow) throw new Http2ConnectionError(errorCode.flowControl, 'a window that is too large');
    this.#outbox.pumpAll();
  }

  #widenStream(streamId: number, bytes: number): void {
    this.#checkNotIdle(streamId);
    if (bytes === 0) throw new Http2StreamError(errorCode.protocol, 'a window update of 0');
    const stream = this.#streams.get(streamId);
    if (!stream) return;
    stream.sendWindow += bytes;
    if (stream.sendWindow > largestWindow) throw new Http2StreamError(errorCode.flowControl, 'a window that is too large');
    if (stream.waitingBytes > 0) this.#outbox.pump(stream);
  }

  #resetByClient(streamId: number): void {
    this.#checkNotIdle(streamId);
    const stream = this.#streams.get(streamId);
    if (!stream) return;
    this.#forget(stream);
    if (!this.#resets.spend()) throw new Http2ConnectionError(errorCode.enhanceYourCalm, 'too many streams were opened and taken back');
  }

  #resetStream(streamId: number, code: ErrorCode): void {
    const stream = this.#streams.get(streamId);
    if (stream) this.#forget(stream);
    this.#outbox.send(encodeNumberFrame(frameType.resetStream, streamId, code));
  }

  #forget(stream: Http2Stream): void {
    this.#streams.delete(stream.id);
    this.#outbox.forget(stream);
    stream.handlers?.onAbort();
  }

  #checkNotIdle(streamId: number): void {
    if (streamId === 0 || streamId > this.#lastStreamId) {
      throw new Http2ConnectionError(errorCode.protocol, `stream ${streamId} was not opened`);
    }
  }

  #goAway(code: ErrorCode, message: string): void {
    if (this.#isClosed) return;
    const { socket, clock } = this.#options;
    this.#isClosed = true;
    socket.end(encodeGoAway(this.#lastStreamId, code, message));
    this.#abortAll();
    const farewell = clock.after(farewellMs, () => socket.destroy());
    socket.on('close', () => farewell.cancel());
  }

  #abortAll(): void {
    this.#isClosed = true;
    for (const stream of this.#streams.values()) this.#forget(stream);
    this.#options.onClose();
  }
}
