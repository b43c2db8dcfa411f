// A request that somebody else answers: it is passed on as it comes, and so is the answer. The API server looks at the head of both, and
// never into a body. Whoever reads slowly makes the writer wait, on either side.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/util/proxy/upgradeaware.go

import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import { NotImplemented } from '#kit/not-implemented';
import type { Connection, Open } from './outgoing.ts';
import { type ForwardedFrom, requestHeaders, responseHeaders } from './relay-headers.ts';
import type { ApiRequest } from './server.ts';

export interface Way {
  open: Open;
  /** Path and query over there. */
  path: string;
  /** There when it is a proxy's request: the answer must lead back through the proxy. */
  proxy?: ForwardedFrom;
}

/**
 * Passes the request on with its method, its `requestHeaders` and, unless it asks for an upgrade, its body (`message`), and answers with
 * what comes back: code, reason phrase, `responseHeaders`, body. The head goes out as soon as it is there, also when the body takes its
 * time. When the other side agrees to an upgrade (there is a `connection`), hands both connections to `takeOver`. When the client goes
 * away, so does the request: abort the signal once `response` closes. That the answer can't be delivered then is nobody's failure; that it
 * breaks off is: reject.
 */
export async function relay(request: ApiRequest, { open, path, proxy }: Way): Promise<undefined> {
  throw new NotImplemented('2.12', 'Pass a request on, and its answer back, without holding either in memory');
}

/** The client gets the head of the other side's 101 as it came, and from then on the connection. */
async function takeOver({ response, upgrade }: ApiRequest, answer: IncomingMessage, connection: Connection): Promise<undefined> {
  if (!upgrade) throw new Error('nobody asked for an upgrade');
  response.statusCode = 101;
  response.detachSocket(upgrade.socket as TLSSocket);
  const { statusMessage, rawHeaders } = answer;
  const lines = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}\r\n`] : []));
  // More than Node expects of one socket: TLS's, HTTP's, and those of a pipeline each way.
  for (const { socket } of [upgrade, connection]) socket.setMaxListeners(20);
  upgrade.socket.write(`HTTP/1.1 101 ${statusMessage}\r\n${lines.join('')}\r\n`);
  await join(upgrade, connection);
}

/**
 * Makes two connections one: what comes in on either goes out on the other, and first what has been read from each already (its `head`). It
 * waits while the reader has no room. When one side has said all it has to say, the other hears that, too, and may go on talking; when one
 * side breaks, the other is ended. Resolves when both are over, however that came; never rejects.
 */
export async function join(one: Connection, other: Connection): Promise<void> {
  throw new NotImplemented('2.12', 'Carry bytes both ways between two connections until both have ended');
}
