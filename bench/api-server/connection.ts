// An HTTPS client that costs little, so that a measurement is one of the server: one connection, one request at a time, bytes that are
// made before; of an answer, only the code is looked at, and where it ends.

import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import type { ClientTls } from '#kit/component';

const endOfHead = Buffer.from('\r\n\r\n');
const lastChunk = Buffer.from('0\r\n\r\n');

interface Wanted {
  method: string;
  path: string;
  body?: string;
  headers?: Record<string, string>;
}

export class Connection {
  readonly #socket: TLSSocket;
  readonly #host: string;
  #receive: (chunk: Buffer) => void = () => {};
  #fail: (error: Error) => void = () => {};

  private constructor(socket: TLSSocket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  static async connect(url: string, { ca, cert, key }: ClientTls): Promise<Connection> {
    const { hostname, port, host } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), ca, cert, key });
    await once(socket, 'secureConnect');
    socket.setNoDelay(true);
    return new Connection(socket, host);
  }

  /** Resolves with how many bytes were answered; rejects for every code but 200 and 201. */
  request(wanted: Wanted): Promise<number> {
    return new Promise((resolve, reject) => {
      let head: Buffer = Buffer.alloc(0);
      let length: number | undefined;
      let read = 0;
      let tail: Buffer = Buffer.alloc(0);
      const take = (body: Buffer) => {
        read += body.length;
        // JSON has no CRLF, so where a chunked answer ends is where it looks like it.
        tail = body.length < lastChunk.length ? Buffer.concat([tail, body]).subarray(-lastChunk.length) : body.subarray(-lastChunk.length);
        if (length === undefined ? tail.equals(lastChunk) : read === length) resolve(read);
      };
      this.#fail = reject;
      this.#receive = (chunk) => {
        if (head.includes(endOfHead)) return take(chunk);
        const all = Buffer.concat([head, chunk]);
        const end = all.indexOf(endOfHead);
        head = all;
        if (end < 0) return;
        const text = all.toString('latin1', 0, end);
        if (!/^HTTP\/1.1 20[01] /.test(text)) reject(new Error(`${wanted.method} ${wanted.path}: ${all.toString().slice(0, 2000)}`));
        const given = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
        length = given === undefined ? undefined : Number(given);
        take(all.subarray(end + endOfHead.length));
      };
      this.#write(wanted);
    });
  }

  /** Resolves when the watch has begun; from then on, tells of every event, by its line. */
  watch(path: string, onEvent: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      let before = 0;
      let isOpen = false;
      this.#fail = reject;
      this.#receive = (chunk) => {
        if (!isOpen && !chunk.toString('latin1').startsWith('HTTP/1.1 200 ')) return reject(new Error(chunk.toString()));
        if (!isOpen) resolve();
        isOpen = true;
        for (const byte of chunk) {
          // A line's end; the chunks that it comes in end in CRLF.
          if (byte === 10 && before !== 13) onEvent();
          before = byte;
        }
      };
      this.#write({ method: 'GET', path });
    });
  }

  close(): void {
    this.#fail = () => {};
    this.#socket.destroy();
  }

  #write({ method, path, body = '', headers = {} }: Wanted): void {
    const all = { host: this.#host, accept: 'application/json', 'content-length': String(Buffer.byteLength(body)), ...headers };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
  }
}
