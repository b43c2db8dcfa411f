// A peer that speaks HTTP/2 frame by frame, right or wrong, and keeps what the server says.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodeFrame, encodeSettings, FrameReader, flag, frameType, preface } from '#etcd/http2/frames';
import { encodeHeaders, type Field, HeaderDecoder } from '#etcd/http2/hpack';
import { eventually } from '#kit/testing/wait';

export interface Said {
  type: number;
  flags: number;
  streamId: number;
  payload: Buffer;
  /** Of HEADERS. */
  fields?: Record<string, string>;
}

const putPath = '/etcdserverpb.KV/Put';

export class Peer {
  readonly socket: Socket;
  readonly said: Said[] = [];
  isClosed = false;
  readonly #frames = new FrameReader();
  readonly #headers = new HeaderDecoder();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      for (const frame of this.#frames.read(chunk)) {
        const payload = Buffer.from(frame.payload);
        const fields = frame.type === frameType.headers ? { fields: Object.fromEntries(this.#headers.decode(payload)) } : {};
        this.said.push({ ...frame, payload, ...fields });
      }
    });
    socket.on('close', () => {
      this.isClosed = true;
    });
    // The server may cut the connection while something is still being written.
    socket.on('error', () => {});
  }

  /** `greets`: with the preface and empty settings. */
  static async connect(url: string, { greets = true } = {}): Promise<Peer> {
    const { port, hostname } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const peer = new Peer(socket);
    if (greets) peer.send(preface, encodeSettings({}));
    return peer;
  }

  send(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** The next frame of that type, on that stream, that was not asked for yet. */
  async next(type: number, streamId = 0): Promise<Said> {
    const isIt = (frame: Said) => frame.type === type && frame.streamId === streamId;
    const story = () => this.said.map((frame) => JSON.stringify({ ...frame, payload: frame.payload.toString('latin1') })).join('\n');
    await eventually(`a frame of type ${type} on stream ${streamId}`, () => this.said.some(isIt), { story });
    return this.said.splice(this.said.findIndex(isIt), 1)[0] as Said;
  }

  /** The code of the GOAWAY; resolves when the connection is closed, too. */
  async goAway(): Promise<number> {
    const { payload } = await this.next(frameType.goAway);
    await eventually('the server closes the connection', () => this.isClosed);
    return payload.readUInt32BE(4);
  }

  /** The code of the RST_STREAM. */
  async reset(streamId: number): Promise<number> {
    return (await this.next(frameType.resetStream, streamId)).payload.readUInt32BE();
  }

  /** `grpc-status` and `grpc-message`, when the stream is ended. */
  async status(streamId: number): Promise<{ code: string | undefined; message: string | undefined }> {
    for (;;) {
      const { flags, fields } = await this.next(frameType.headers, streamId);
      if (flags & flag.endStream) return { code: fields?.['grpc-status'], message: fields?.['grpc-message'] };
    }
  }

  close(): void {
    this.socket.destroy();
  }
}

export function request(path = putPath): Field[] {
  return [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'localhost'],
    ['content-type', 'application/grpc'],
    ['te', 'trailers'],
  ];
}

export function headers(streamId: number, fields: Field[] = request(), flags: number = flag.endHeaders): Buffer {
  return encodeFrame(frameType.headers, flags, streamId, encodeHeaders(fields));
}

export function data(streamId: number, payload: Buffer, flags: number = flag.endStream): Buffer {
  return encodeFrame(frameType.data, flags, streamId, payload);
}
