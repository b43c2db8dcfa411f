// One RPC under way on a stream: messages in both directions, a deadline, and exactly one end: the answer's trailers, or the client's
// change of mind.

import { status } from '@grpc/grpc-js';
import type { Clock, Timer } from '#kit/clock';
import type { Conversation, Failure, Rpc, TransportOptions } from '../rpc.ts';
import { largestMessage, requiresLeaderField } from '../rpc.ts';
import { encodeHeaders, type Field } from './hpack.ts';
import { encodeMessage, MessageReader } from './messages.ts';
import type { RequestHead } from './request.ts';
import type { Http2Stream } from './stream.ts';

/** What the requests of one connection may take in memory, until they are answered. */
const largestHeld = 32 * 1024 * 1024;

export interface CallOptions extends Omit<TransportOptions, 'rpcs'> {
  clock: Clock;
  /** Bytes of requests on this connection that are not answered yet. */
  budget: { held: number };
}

/** What the transport itself has to object to. */
export class CallError extends Error {
  readonly failure: Failure;

  constructor(code: status, details: string) {
    super(details);
    this.failure = { code, details };
  }
}

export class Call implements Conversation<object> {
  readonly requiresLeader: boolean;
  readonly #stream: Http2Stream;
  readonly #rpc: Rpc;
  readonly #options: CallOptions;
  readonly #messages = new MessageReader();
  #held = 0;
  #deadline: Timer | undefined;
  #hasHead = false;
  #isOver = false;
  #request: (request: object) => void = () => {};
  #end: () => void = () => this.finish();
  #room: () => void = () => {};
  #close: () => void = () => {};

  constructor(stream: Http2Stream, rpc: Rpc, { fields }: RequestHead, options: CallOptions) {
    this.#stream = stream;
    this.#rpc = rpc;
    this.#options = options;
    this.requiresLeader = fields.get(requiresLeaderField) === 'true';
    const timeout = fields.get('grpc-timeout');
    if (timeout !== undefined) this.#setDeadline(timeout);
    stream.handlers = {
      onData: (bytes) => this.#guard(() => this.#receive(bytes)),
      onEnd: () => this.#guard(() => this.#end()),
      onAbort: () => this.#over(status.CANCELLED),
      onRoom: () => this.#guard(() => this.#room()),
    };
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get hasRoom(): boolean {
    return this.#stream.hasRoom;
  }

  onRequest(handle: (request: object) => void): void {
    this.#request = handle;
  }

  /** The client has sent all its requests. Unless somebody else cares, that is the end. */
  onEnd(handle: () => void): void {
    this.#end = handle;
  }

  onRoom(handle: () => void): void {
    this.#room = handle;
  }

  onClose(handle: () => void): void {
    this.#close = handle;
  }

  /** Runs it when the client has taken enough of what was answered before, if the call is not over then. */
  whenRoom(run: () => void): void {
    this.#stream.whenRoom(() => this.#isOver || this.#guard(run));
  }

  send(answer: object): void {
    if (this.#isOver) return;
    if (!this.#hasHead) this.#stream.respond(responseHead);
    this.#hasHead = true;
    this.#stream.write(encodeMessage(this.#rpc.encode(answer)));
  }

  finish(): void {
    if (this.#isOver) return;
    if (!this.#hasHead) this.#stream.respond(responseHead);
    this.#stream.end(okTrailers);
    this.#over(status.OK);
  }

  fail(failure: Failure): void {
    if (this.#isOver) return;
    sendFailure(this.#stream, failure, this.#hasHead);
    this.#over(failure.code);
  }

  failBecause(error: unknown): void {
    if (!this.#isOver) this.fail(error instanceof CallError ? error.failure : this.#options.failureOf(error));
  }

  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.failBecause(error);
    }
  }

  #receive(bytes: Buffer): void {
    if (this.#isOver) return;
    this.#hold(bytes.length);
    for (const { isCompressed, bytes: message } of this.#messages.add(bytes)) {
      if (isCompressed) throw new CallError(status.UNIMPLEMENTED, 'compressed messages are not understood: see grpc-accept-encoding');
      checkSize(message.length);
      this.#request(this.#decode(message));
      if (this.#rpc.method.kind === 'conversation') this.#hold(this.#messages.held - this.#held);
      if (this.#isOver) return;
    }
    checkSize(this.#messages.announced ?? 0);
  }

  #decode(message: Buffer): object {
    try {
      return this.#rpc.decode(message);
    } catch (error) {
      throw new CallError(status.INTERNAL, `Error deserializing request: ${(error as Error).message}`);
    }
  }

  #hold(bytes: number): void {
    const { budget } = this.#options;
    this.#held += bytes;
    budget.held += bytes;
    if (budget.held > largestHeld) throw new CallError(status.RESOURCE_EXHAUSTED, 'too much is under way on this connection');
  }

  /** `250m`: how long the client waits. */
  #setDeadline(timeout: string): void {
    const [, amount = '', unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(timeout) ?? [];
    const ms = Number(amount) * (millisecondsOf[unit] ?? 0);
    this.#deadline = this.#options.clock.after(Math.min(ms, longestTimer), () => {
      this.fail({ code: status.DEADLINE_EXCEEDED, details: 'Deadline exceeded' });
    });
  }

  #over(code: status): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#deadline?.cancel();
    this.#options.budget.held -= this.#held;
    this.#options.onHandled(this.#rpc, code);
    this.#close();
  }
}

const millisecondsOf: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
/** Timers of the system cannot be set further ahead. */
const longestTimer = 2 ** 31 - 1;

const headFields: Field[] = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
  ['grpc-accept-encoding', 'identity'],
];
const responseHead = encodeHeaders(headFields);
const okTrailers = encodeHeaders([['grpc-status', '0']]);

/** Trailers that say why; with the head in them if none was sent. */
export function sendFailure(stream: Http2Stream, { code, details }: Failure, hasHead: boolean): void {
  const trailers: Field[] = [
    ['grpc-status', String(code)],
    ['grpc-message', percentEncoded(details)],
  ];
  if (hasHead) stream.end(encodeHeaders(trailers));
  else stream.respond(encodeHeaders([...headFields, ...trailers]), true);
}

/** Printable ASCII stays, but for the percent sign. */
function percentEncoded(text: string): string {
  const encode = (byte: number) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  return [...Buffer.from(text)]
    .map((byte) => (byte >= 0x20 && byte < 0x7f && byte !== 0x25 ? String.fromCharCode(byte) : encode(byte)))
    .join('');
}

function checkSize(bytes: number): void {
  if (bytes <= largestMessage) return;
  throw new CallError(status.RESOURCE_EXHAUSTED, `Received message larger than max (${bytes} vs ${largestMessage})`);
}
