// Sends a request's body as no honest client would: in chunks, broken off, or with a head that says something else about it than is true. On a
// connection of its own, byte by byte, for a client of HTTP would not let one lie.

import { connect } from 'node:tls';
import type { ClientTls } from '#kit/component';
import type { HttpRequest } from '#kit/transport';

export interface Delivery {
  how: 'in chunks' | 'chunks break off' | 'chunks without sense' | 'claims more' | 'claims less' | 'claims nonsense';
  /** Of the body, what is sent at once, or what the head is right about: 0 to 1. */
  share: number;
}

export interface Delivered {
  /** Absent: the connection was closed without an answer. */
  code?: number;
  /** The answer with its head, and what came after it. */
  text: string;
}

/** Whoever sends it so is owed an answer; the others only that the connection ends. */
export const isOwedAnAnswer = ({ how }: Delivery) => how === 'in chunks' || how === 'claims less';

/** What is said of a body that is none of this. */
const nonsense = [
  'Content-Length: -1',
  'Content-Length: 1e3',
  'Content-Length: 0x5',
  'Content-Length: 99999999999999999999',
  'Content-Length: 5\r\nContent-Length: 7',
  'Content-Length: 5\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: gzip',
  'Transfer-Encoding: chunked, chunked',
];

/** Resolves when the server has closed the connection; rejects when it has not before the signal aborts. */
export function deliver(
  url: string,
  tls: ClientTls,
  request: HttpRequest,
  { how, share }: Delivery,
  signal: AbortSignal,
): Promise<Delivered> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), ...tls, ALPNProtocols: ['http/1.1'] });
  const body = Buffer.from(request.body ?? '');
  const at = Math.floor(body.length * share);
  const head = (framing: string) => {
    const headers = Object.entries(request.headers ?? {}).map(([name, value]) => `${name}: ${value}\r\n`);
    return `${request.method} ${request.path} HTTP/1.1\r\nHost: ${hostname}\r\n${headers.join('')}${framing}\r\n\r\n`;
  };
  const chunk = (bytes: Buffer) =>
    bytes.length === 0 ? '' : Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
  const pieces = {
    'in chunks': () => [
      head('Connection: close\r\nTransfer-Encoding: chunked'),
      chunk(body.subarray(0, at)),
      chunk(body.subarray(at)),
      '0\r\n\r\n',
    ],
    'chunks break off': () => [
      head('Transfer-Encoding: chunked'),
      chunk(body.subarray(0, at)),
      `${body.length.toString(16)}\r\n`,
      body.subarray(at, -1),
    ],
    'chunks without sense': () => [head('Transfer-Encoding: chunked'), chunk(body.subarray(0, at)), 'no number\r\n', body.subarray(at)],
    'claims more': () => [head(`Content-Length: ${body.length + 1 + at}`), body],
    'claims less': () => [head(`Content-Length: ${at}`), body],
    'claims nonsense': () => [head(nonsense[Math.floor(share * nonsense.length)] as string), body],
  }[how]();
  return new Promise((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (data: string) => {
      text += data;
      // It has answered what was whole: there is nothing more to come.
      socket.end();
    });
    socket.on('secureConnect', () => {
      for (const piece of pieces) socket.write(piece);
      if (!isOwedAnAnswer({ how, share })) socket.end();
    });
    // A server may well close a connection while there is still something to read on it.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error);
    });
    socket.on('close', () => resolve(read(text)));
    signal.addEventListener('abort', () => {
      socket.destroy();
      reject(new Error(`neither answered nor closed: ${text.slice(0, 200)}`));
    });
  });
}

/** What was answered first; 100 is not the answer yet. */
function read(text: string): Delivered {
  const answer = text.replace(/^(HTTP\/1\.1 1\d\d .*\r\n(.+\r\n)*\r\n)+/, '');
  const [, code] = /^HTTP\/1\.1 (\d{3}) /.exec(answer) ?? [];
  return { text: answer, ...(code ? { code: Number(code) } : {}) };
}
