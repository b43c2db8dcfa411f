// One stream of an HTTP/2 connection, from the server's side: what arrives is handed on, what is to be sent waits for the client's
// windows.

import type { ErrorCode } from './frames.ts';
import type { Field } from './hpack.ts';
import type { Outbox } from './outbox.ts';
import type { ReceiveWindow } from './receive-window.ts';

/** With more than that waiting, the stream has no room. */
const enoughWaiting = 64 * 1024;

/** What the one who serves the stream wants to hear. */
export interface StreamHandlers {
  /** The bytes are a window into what came over the wire. */
  onData(bytes: Buffer): void;
  onEnd(): void;
  /** The client has given up, or is gone. Nothing comes after it. */
  onAbort(): void;
  onRoom(): void;
}

export interface StreamOptions {
  id: number;
  /** Of the request, in its order. */
  fields: Field[];
  outbox: Outbox;
  sendWindow: number;
  receiveWindow: ReceiveWindow;
  reset: (stream: Http2Stream, code: ErrorCode) => void;
}

export class Http2Stream {
  readonly id: number;
  readonly fields: Field[];
  handlers: StreamHandlers | undefined;
  /** How much more the client takes; below zero after it has made its window smaller. */
  sendWindow: number;
  readonly receiveWindow: ReceiveWindow;
  hasRequestEnded = false;
  hasResponseEnded = false;
  readonly waiting: Buffer[] = [];
  waitingBytes = 0;
  /** Sent when nothing waits any more. */
  trailers: Buffer | undefined;
  /** Somebody was told that there is no room. */
  wantsRoom = false;
  readonly #outbox: Outbox;
  readonly #reset: StreamOptions['reset'];

  constructor({ id, fields, outbox, sendWindow, receiveWindow, reset }: StreamOptions) {
    this.id = id;
    this.fields = fields;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
    this.#outbox = outbox;
    this.#reset = reset;
  }

  get hasRoom(): boolean {
    this.wantsRoom = this.waitingBytes > enoughWaiting;
    return !this.wantsRoom;
  }

  /** The response's header block; `isLast`: there is no body. */
  respond(block: Buffer, isLast = false): void {
    if (!this.hasResponseEnded) this.#outbox.sendHeaders(this, block, isLast);
  }

  write(bytes: Buffer): void {
    if (!this.hasResponseEnded) this.#outbox.write(this, bytes);
  }

  end(trailers: Buffer): void {
    if (this.hasResponseEnded) return;
    this.trailers = trailers;
    if (this.waiting.length === 0) this.#outbox.pump(this);
  }

  /** Runs it when the connection's client has taken enough of what was answered before. */
  whenRoom(run: () => void): void {
    this.#outbox.whenRoom(run);
  }

  reset(code: ErrorCode): void {
    this.#reset(this, code);
  }
}
