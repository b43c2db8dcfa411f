// A connection that becomes SPDY: the answer to the request for it, and the streams that the client opens then. In clients before 1.30, and
// in those that are told to, it is how `kubectl exec` and `port-forward` speak; newer ones put the same frames into a WebSocket.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/util/httpstream/spdy/upgrade.go

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { SpdyServer, type SpdyStream } from './spdy.ts';

export function asksForSpdy({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase().startsWith('spdy/') ?? false;
}

/** Agrees to SPDY, and to one protocol of those that the client offers. False: it does not offer this one, and has heard so. */
export function agreeToSpdy({ headers }: IncomingMessage, socket: Duplex, protocol: string): boolean {
  const offered = String(headers['x-stream-protocol-version'] ?? protocol).split(/, */);
  if (!offered.includes(protocol)) {
    const why = `unable to negotiate protocol: client supports [${offered}], server accepts [${protocol}]`;
    socket.end(`HTTP/1.1 403 Forbidden\r\nX-Accepted-Stream-Protocol-Versions: ${protocol}\r\nContent-Length: ${why.length}\r\n\r\n${why}`);
    return false;
  }
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  );
  return true;
}

/** Resolves when the client has ended the connection; then its streams have ended, too. @throws Error when it breaks, or what comes is no SPDY */
export async function serveSpdy(connection: Duplex, onStream: (stream: SpdyStream) => void): Promise<void> {
  const spdy = new SpdyServer({ send: (bytes) => send(connection, bytes), onStream });
  // While it is read, the reader hears of it; what a pod still says afterwards its own writer hears of.
  connection.on('error', () => {});
  try {
    for await (const bytes of connection) await spdy.receive(bytes);
  } finally {
    spdy.close();
  }
}

/** Resolves when the connection has taken it. */
function send(connection: Duplex, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}
