// A piece of cable that a test can cut: a TCP proxy before a server. Cut, it ends every connection and takes no new one; frozen, it
// keeps them and lets nothing through, as a network does that loses all packets.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class CuttableWire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #state: 'whole' | 'cut' | 'frozen' = 'whole';

  private constructor(server: Server) {
    this.#server = server;
  }

  /** From a free port to that one. */
  static async to(port: number): Promise<CuttableWire> {
    const server = createServer();
    const wire = new CuttableWire(server);
    server.on('connection', (socket) => wire.#join(socket, port));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return wire;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  cut(): void {
    this.#state = 'cut';
    for (const socket of this.#sockets) socket.destroy();
  }

  freeze(): void {
    this.#state = 'frozen';
    for (const socket of this.#sockets) socket.pause();
  }

  mend(): void {
    this.#state = 'whole';
    for (const socket of this.#sockets) socket.resume();
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket, port: number): void {
    if (this.#state === 'cut') {
      near.destroy();
      return;
    }
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      // By hand, and not by `pipe`: a pipe would begin to flow again by itself.
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', () => {}); // Its close is what counts.
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#state === 'frozen') from.pause();
    }
  }
}
