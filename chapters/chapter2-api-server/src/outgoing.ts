// A request of the API server's own: to a kubelet, or to whatever serves in a pod. It uses a connection of its own, which may become
// something else than HTTP.

import http, { type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import https from 'node:https';
import type { Duplex, Readable } from 'node:stream';

export interface Outgoing {
  /** GET by default. */
  method?: string;
  /** Path and query. */
  path: string;
  /** With `connection: Upgrade` and `upgrade`, the other side may turn the connection into that. */
  headers?: OutgoingHttpHeaders;
  body?: Readable | undefined;
  /** Aborting it ends the request, and what comes as its answer. */
  signal: AbortSignal;
}

export interface Opened {
  /** The head of the answer is there; its body is still to come. */
  answer: IncomingMessage;
  /** There when the other side agreed to the upgrade (101): the answer has no body then. */
  connection?: Connection;
}

/** Bytes both ways, in no protocol that anybody here knows. */
export interface Connection {
  socket: Duplex;
  /** What was read from it already. */
  head: Buffer;
}

/** Makes a request to one place. Rejects with Unreachable when there is no answer. */
export type Open = (outgoing: Outgoing) => Promise<Opened>;

/** Nobody answered; the message says why. */
export class Unreachable extends Error {}

export interface Place {
  scheme: 'http' | 'https';
  host: string;
  port: number;
  ca?: string;
  cert?: string;
  key?: string;
  rejectUnauthorized?: boolean;
  /** Instead of a connection to host and port. */
  createConnection?: () => Duplex;
}

export function open({ scheme, ...place }: Place, { body, ...request }: Outgoing): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const { request: send } = scheme === 'https' ? https : http;
    const own = place.createConnection ? {} : { agent: false };
    // Either side may have said all it has to say, and still listen.
    const options: object = { ...own, ...place, ...request, allowHalfOpen: true };
    const outgoing = send(options);
    outgoing.on('response', (answer) => resolve({ answer }));
    outgoing.on('upgrade', (answer, socket, head) => resolve({ answer, connection: { socket, head } }));
    outgoing.on('error', (error) => reject(new Unreachable(explain(error, place), { cause: error })));
    if (body) body.pipe(outgoing);
    else outgoing.end();
  });
}

/** In the words that people know from Kubernetes. */
export function explain({ code, message }: NodeJS.ErrnoException, { host, port }: Pick<Place, 'host' | 'port'>): string {
  const dialing = `dial tcp ${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (code === 'ECONNREFUSED') return `${dialing}: connect: connection refused`;
  if (code === 'EHOSTUNREACH') return `${dialing}: connect: no route to host`;
  if (code === 'ENOTFOUND') return `dial tcp: lookup ${host}: no such host`;
  if (code === 'ECONNRESET') return 'EOF: the other side hung up before it answered';
  return message;
}
