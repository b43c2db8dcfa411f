// One port for all that clients speak. Their first bytes tell: HTTP/2 begins with `PRI`, and goes to gRPC; anything else is HTTP/1.1, for
// /health, /version and /metrics. With TLS, the same is said inside.
// etcd: server/embed/serve.go (with cmux)

import type { Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Clock } from '#kit/clock';
import type { ListenAddress, ServingTls } from '#kit/component';
import type { Logger } from '#kit/log';
import type { Transport } from './rpc.ts';

const http2Begins = 'PRI';
/** Who connects and says nothing is cut off. */
const firstBytesWithinMs = 10_000;

export interface ListenerOptions {
  address: ListenAddress;
  tls: ServingTls | undefined;
  grpc: Transport;
  http: HttpServer;
  clock: Clock;
  log: Logger;
}

export interface Listener {
  port: number;
  stop(): void;
}

/** @throws Error if the address is taken */
export async function listen({ address: { host, port }, tls, grpc, http, clock, log }: ListenerOptions): Promise<Listener> {
  const sockets = new Set<Socket>();
  const accept = (socket: Socket) => {
    socket.setNoDelay(true);
    const giveUp = clock.after(firstBytesWithinMs, () => socket.destroy());
    socket.on('close', () => giveUp.cancel());
    socket.on('error', (error) => log.debug('a connection broke', { error }));
    firstBytes(socket, (first) => {
      giveUp.cancel();
      if (first === http2Begins) grpc.accept(socket);
      else {
        http.emit('connection', socket);
        socket.resume();
      }
    });
  };
  const server: Server = tls ? createTlsServer(tlsOptions(tls), accept) : createServer(accept);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', (error) => log.debug('a TLS handshake failed', { error }));
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(new Error(`cannot listen on ${host}:${port}; is another server running there?`, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => {
      server.close();
      grpc.stop();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function tlsOptions({ cert, key, clientCa }: ServingTls) {
  const clients = clientCa ? { ca: clientCa, requestCert: true, rejectUnauthorized: true } : {};
  // The first that the client knows, too, is taken: gRPC clients know h2 only, and all others ask for pages.
  return { cert, key, ...clients, ALPNProtocols: ['http/1.1', 'h2'] };
}

/** Calls back with the first bytes, which are still to be read; the socket is paused then. */
function firstBytes(socket: Socket, callback: (first: string) => void): void {
  let bytes = Buffer.alloc(0);
  const look = (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length < http2Begins.length && http2Begins.startsWith(bytes.toString('latin1'))) return;
    socket.off('data', look);
    socket.pause();
    socket.unshift(bytes);
    callback(bytes.toString('latin1', 0, http2Begins.length));
  };
  socket.on('data', look);
}
