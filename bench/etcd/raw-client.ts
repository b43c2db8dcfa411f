// A gRPC client that costs next to nothing, so that a measurement is one of the server: frames by hand, requests that are encoded
// already, answers of which only the status is looked at.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import {
  encodeFrame,
  encodeNumberFrame,
  encodeSettings,
  errorCode,
  FrameReader,
  flag,
  frameHeaderSize,
  frameType,
  preface,
  writeFrameHeader,
} from '#etcd/http2/frames';
import { encodeHeaders, HeaderDecoder } from '#etcd/http2/hpack';
import { encodeMessage, MessageReader } from '#etcd/http2/messages';

const largestWindow = 2 ** 31 - 1;

interface Pending {
  onMessage: (message: Buffer) => void;
  onEnd: (failure: Error | undefined) => void;
  messages: MessageReader;
}

export class RawClient {
  readonly #socket: Socket;
  readonly #frames = new FrameReader();
  readonly #headers = new HeaderDecoder();
  readonly #heads = new Map<string, Buffer>();
  readonly #pending = new Map<number, Pending>();
  readonly #authority: string;
  #nextId = 1;
  #goodbye = 'without a word';

  private constructor(socket: Socket, authority: string, url: string) {
    this.#socket = socket;
    this.#authority = authority;
    socket.write(preface);
    socket.write(encodeSettings({ headerTableSize: 0, initialWindowSize: largestWindow }));
    socket.write(encodeNumberFrame(frameType.windowUpdate, 0, largestWindow - 65_535));
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('close', () => {
      for (const { onEnd } of this.#pending.values()) onEnd(new Error(`${url} closed the connection: ${this.#goodbye}`));
    });
  }

  static async connect(url: string): Promise<RawClient> {
    const { hostname, port, host } = new URL(url);
    const socket = connect(Number(port), hostname).setNoDelay(true);
    await once(socket, 'connect');
    return new RawClient(socket, host, url);
  }

  /** One request and its answer's bytes. */
  call(path: string, request: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let answer: Buffer = Buffer.alloc(0);
      this.#open(path, request, flag.endStream, {
        messages: new MessageReader(),
        onMessage: (message) => {
          answer = message;
        },
        onEnd: (failure) => (failure ? reject(failure) : resolve(answer)),
      });
    });
  }

  /** One request, and answers until the connection is closed. */
  stream(path: string, request: Buffer, onMessage: (message: Buffer) => void): void {
    this.#open(path, request, 0, { messages: new MessageReader(), onMessage, onEnd: () => {} });
  }

  close(): void {
    this.#pending.clear();
    this.#socket.destroy();
  }

  #open(path: string, request: Buffer, flags: number, pending: Pending): void {
    const id = this.#nextId;
    this.#nextId += 2;
    this.#pending.set(id, pending);
    const head = this.#headOf(path);
    const message = encodeMessage(request);
    const bytes = Buffer.allocUnsafe(head.length + message.length + 2 * frameHeaderSize);
    writeFrameHeader(bytes, 0, head.length, frameType.headers, flag.endHeaders, id);
    head.copy(bytes, frameHeaderSize);
    const at = frameHeaderSize + head.length;
    writeFrameHeader(bytes, at, message.length, frameType.data, flags, id);
    message.copy(bytes, at + frameHeaderSize);
    this.#socket.write(bytes);
  }

  #headOf(path: string): Buffer {
    const head =
      this.#heads.get(path) ??
      encodeHeaders([
        [':method', 'POST'],
        [':scheme', 'http'],
        [':path', path],
        [':authority', this.#authority],
        ['content-type', 'application/grpc'],
        ['te', 'trailers'],
      ]);
    this.#heads.set(path, head);
    return head;
  }

  #receive(chunk: Buffer): void {
    for (const { type, flags, streamId, payload } of this.#frames.read(chunk)) {
      const pending = this.#pending.get(streamId);
      if (type === frameType.data) for (const { bytes } of pending?.messages.add(payload) ?? []) pending?.onMessage(bytes);
      if (type === frameType.headers) {
        const fields = this.#headers.decode(payload);
        if (flags & flag.endStream) this.#end(streamId, pending, fields);
      }
      if (type === frameType.resetStream && payload.readUInt32BE() !== errorCode.none) pending?.onEnd(new Error('the stream was reset'));
      if (type === frameType.goAway) this.#goodbye = payload.toString('latin1', 8);
      if (type === frameType.settings && !(flags & flag.ack)) {
        this.#socket.write(encodeFrame(frameType.settings, flag.ack, 0, Buffer.alloc(0)));
      }
      if (type === frameType.ping && !(flags & flag.ack)) this.#socket.write(encodeFrame(frameType.ping, flag.ack, 0, payload));
    }
  }

  #end(streamId: number, pending: Pending | undefined, fields: [string, string][]): void {
    this.#pending.delete(streamId);
    const code = fields.find(([name]) => name === 'grpc-status')?.[1];
    const reason = fields.find(([name]) => name === 'grpc-message')?.[1];
    pending?.onEnd(code === '0' ? undefined : new Error(`status ${code}: ${reason}`));
  }
}
