// HTTP beneath the REST client: keep-alive, TLS with client certificates, bodies as streams.
// It turns what goes wrong on a connection into one sentence that says what to do next.

import http from 'node:http';
import https from 'node:https';
import { createSecureContext } from 'node:tls';
import type { ClientTls } from '#kit/component';

export interface HttpRequest {
  method: string;
  /** Path and query, beginning with `/`. */
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  code: number;
  headers: http.IncomingHttpHeaders;
  /** Read it, or destroy it. */
  body: http.IncomingMessage;
}

/** The server could not be reached: nothing was answered. */
export class ConnectionError extends Error {
  constructor(url: string, cause: NodeJS.ErrnoException) {
    super(explain(url, cause), { cause });
    this.name = 'ConnectionError';
  }
}

function explain(url: string, { code, message }: NodeJS.ErrnoException): string {
  if (code === 'ECONNREFUSED') return `nothing listens at ${url} yet: is the server started, and on this port?`;
  if (code === 'ECONNRESET') return `${url} closed the connection before it answered: look into that server's log for why`;
  return `the request to ${url} failed: ${message}`;
}

export class Transport {
  readonly url: string;
  readonly #base: URL;
  readonly #agent: http.Agent;

  constructor(url: string, tls?: ClientTls) {
    this.url = url;
    this.#base = new URL(url);
    // One context for all connections: to parse the certificates anew for each would cost more than the handshake.
    this.#agent =
      this.#base.protocol === 'https:'
        ? new https.Agent({ keepAlive: true, secureContext: createSecureContext(tls) })
        : new http.Agent({ keepAlive: true });
  }

  /** Resolves when the head of the answer is there, whatever its code. Rejects with ConnectionError when there is none. */
  send({ method, path, headers = {}, body, signal }: HttpRequest): Promise<HttpResponse> {
    const { protocol, hostname, port } = this.#base;
    const module = protocol === 'https:' ? https : http;
    return new Promise((resolve, reject) => {
      const request = module.request({
        method,
        path,
        port,
        signal,
        host: hostname.replace(/^\[|\]$/g, ''),
        agent: this.#agent,
        headers: body === undefined ? headers : { ...headers, 'content-length': Buffer.byteLength(body) },
      });
      request.on('response', (response) => resolve({ code: response.statusCode ?? 0, headers: response.headers, body: response }));
      request.on('error', (error) => reject(signal?.aborted ? error : new ConnectionError(this.url, error)));
      request.end(body);
    });
  }

  /** Closes idle connections; requests under way go on. */
  close(): void {
    this.#agent.destroy();
  }
}

export async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** The lines of a body that arrives in pieces; a last line without a line break counts too. */
export async function* readLines(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines.filter((line) => line !== '');
  }
  if (rest !== '') yield rest;
}
