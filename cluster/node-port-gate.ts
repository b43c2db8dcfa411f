// NodePorts on the machine's own loopback: whoever opens http://127.0.0.1:30080 comes out at port 30080 of a node, and from there
// kube-proxy's rules take over. A convenience of this cluster: in a real one you would use a node's address.

import { createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { Informer } from '#controller-manager/informer';
import { type Service, Services } from '#kit/api';
import type { Client } from '#kit/client';
import type { ComponentContext } from '#kit/component';

export interface NodePortGate {
  stop(): Promise<void>;
}

/** @param dial opens a connection to a port of a node; @param notice is told what a person should know */
export async function openNodePortGate(
  client: Client,
  dial: (port: number) => Duplex,
  context: ComponentContext,
  notice: (text: string) => void,
): Promise<NodePortGate> {
  const gates = new Map<number, Gate>();
  const services = new Informer<Service>(client, Services, context);

  const adjust = () => {
    const wanted = new Set(services.list().flatMap(nodePortsOf));
    for (const [port, gate] of gates) if (!wanted.has(port)) gates.delete(port) && gate.close();
    for (const port of wanted) if (!gates.has(port)) gates.set(port, new Gate(port, dial, notice));
  };
  services.onChange({ added: adjust, updated: adjust, deleted: adjust });
  await services.start();

  return {
    async stop() {
      await services.stop();
      for (const gate of gates.values()) gate.close();
    },
  };
}

function nodePortsOf(service: Service): number[] {
  return (service.spec?.ports ?? []).flatMap(({ nodePort, protocol = 'TCP' }) => (nodePort && protocol === 'TCP' ? [nodePort] : []));
}

class Gate {
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();

  constructor(port: number, dial: (port: number) => Duplex, notice: (text: string) => void) {
    this.#server = createServer((incoming) => {
      const outgoing = dial(port);
      for (const socket of [incoming, outgoing]) {
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
      }
      incoming.pipe(outgoing).pipe(incoming);
      incoming.on('error', () => outgoing.destroy());
      // A refused connection is refused to the caller too, not answered with an empty one.
      outgoing.on('error', () => incoming.resetAndDestroy());
    });
    this.#server.on('error', ({ message }) =>
      notice(`NodePort ${port} is not open on 127.0.0.1 (${message}): use a node's address instead`),
    );
    this.#server.listen(port, '127.0.0.1');
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
