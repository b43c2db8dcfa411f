// A port of this machine behind which there is another one: whoever connects to it is connected on.

import { createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ListenAddress } from '#kit/component';

export class Gate {
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  /** @param dial opens the connection on; @param failed is told why the port cannot be opened */
  constructor({ host, port }: ListenAddress, dial: () => Duplex, failed: (message: string) => void) {
    this.#server = createServer((incoming) => {
      const outgoing = dial();
      for (const socket of [incoming, outgoing]) {
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
      }
      incoming.pipe(outgoing).pipe(incoming);
      incoming.on('error', () => outgoing.destroy());
      // A refused connection is refused to the caller too, not answered with an empty one.
      outgoing.on('error', () => incoming.resetAndDestroy());
    });
    this.#server.on('error', ({ message }) => failed(message));
    this.#server.listen(port, host);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
