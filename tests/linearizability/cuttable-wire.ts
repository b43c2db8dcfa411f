// A piece of cable that a test can cut: a TCP proxy before a server. Cut, it ends every connection and takes no new one; frozen, it
// keeps them and lets nothing through, as a network does that loses all packets. It stays where it is when the server comes up elsewhere.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class CuttableWire {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #farPort: number;
  #state: 'whole' | 'cut' | 'frozen' = 'whole';

  private constructor(server: Server, farPort: number) {
    this.#server = server;
    this.#farPort = farPort;
  }

  /** From a free port to that one. */
  static async to(port: number): Promise<CuttableWire> {
    const server = createServer();
    const wire = new CuttableWire(server, port);
    server.on('connection', (socket) => wire.#join(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return wire;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** From now on, new connections go to that port. */
  leadTo(port: number): void {
    this.#farPort = port;
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

  #join(near: Socket): void {
    if (this.#state === 'cut') {
      near.destroy();
      return;
    }
    const far = connect(this.#farPort, '127.0.0.1');
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
