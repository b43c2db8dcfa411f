// The sockets of a DNS server: UDP and TCP on the same address and port. They carry messages and know nothing of what is in them.

import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, isIPv6, type Socket } from 'node:net';
import type { Clock } from '#kit/clock';
import type { ListenAddress } from '#kit/component';
import type { Logger } from '#kit/log';
import type { Transport } from './dns-upstream.ts';
import { framed, unframed } from './dns-wire.ts';

/** The answer; undefined for none. Must not reject. */
export type Respond = (message: Buffer, transport: Transport) => Promise<Buffer | undefined>;

/** A TCP connection on which nothing is asked is closed. */
const idleMs = 10_000;
/** A free UDP port is mostly free for TCP as well. */
const portAttempts = 10;

export interface DnsSockets {
  readonly port: number;
  close(): Promise<void>;
}

export async function openDnsSockets(
  { host, port }: ListenAddress,
  respond: Respond,
  { clock, log }: { clock: Clock; log: Logger },
): Promise<DnsSockets> {
  for (let attempt = 1; ; attempt++) {
    const udp = await bindUdp(host, port);
    const chosen = udp.address().port;
    try {
      const { server, connections } = await listenTcp({ host, port: chosen }, respond, clock);
      let open = true;
      udp.on('message', async (message, { address, port }) => {
        const answer = await respond(message, 'udp');
        // The socket may have been closed while the answer was on its way.
        if (answer && open) udp.send(answer, port, address, (error) => error && log.debug('an answer could not be sent', { error }));
      });
      udp.on('error', (error) => log.warn('the UDP socket has a problem', { error }));
      const close = async () => {
        if (!open) return;
        open = false;
        for (const socket of connections) socket.destroy();
        await Promise.all([new Promise<void>((resolve) => udp.close(resolve)), new Promise((resolve) => server.close(resolve))]);
      };
      return { port: chosen, close };
    } catch (error) {
      await new Promise<void>((resolve) => udp.close(resolve));
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (port !== 0 || !isTaken || attempt === portAttempts) throw error;
    }
  }
}

async function bindUdp(host: string, port: number): Promise<UdpSocket> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  return socket;
}

async function listenTcp({ host, port }: ListenAddress, respond: Respond, clock: Clock) {
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
    void serve(socket, respond, clock);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return { server, connections };
}

/** One query after the other: who asks faster than it reads must wait. */
async function serve(socket: Socket, respond: Respond, clock: Clock): Promise<void> {
  const hangUpWhenIdle = () => clock.after(idleMs, () => socket.destroy());
  let idle = hangUpWhenIdle();
  try {
    for await (const message of unframed(socket)) {
      idle.cancel();
      const answer = await respond(message, 'tcp');
      if (answer) socket.write(framed(answer));
      idle = hangUpWhenIdle();
    }
  } catch {
    // The client broke the connection off: there is nobody to tell.
  } finally {
    idle.cancel();
    socket.destroy();
  }
}
