// What Node leaves open when a server is asked for a WebSocket, or for SPDY: there is a connection and no response. Most such requests are
// refused, though, and then the answer is one like any other.
// Use: `createServer({ shouldUpgradeCallback: asksForUpgrade })`, and `responseOn` in the handler of its event `upgrade`.

import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** False for every other protocol that a client would like better: such a request is answered as usual. */
export function asksForUpgrade({ method, headers }: IncomingMessage): boolean {
  const wanted = headers.upgrade?.toLowerCase() ?? '';
  return (method === 'GET' && wanted === 'websocket') || wanted.startsWith('spdy/');
}

/** The last answer on this connection. Whoever takes the connection over detaches the response from it first. */
export function responseOn(socket: Duplex, request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request);
  response.assignSocket(socket as Socket);
  response.on('finish', () => socket.end());
  return response.setHeader('connection', 'close');
}
