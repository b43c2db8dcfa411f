// NodePorts on the machine's own loopback: whoever opens http://127.0.0.1:30080 comes out at port 30080 of a node, and from there
// kube-proxy's rules take over. A convenience of this cluster: in a real one you would use a node's address.

import type { Duplex } from 'node:stream';
import { Gate } from '#cluster/gate';
import { Informer } from '#controller-manager/informer';
import { type Service, Services } from '#kit/api';
import type { Client } from '#kit/client';
import type { ComponentContext } from '#kit/component';
import { createLogger } from '#kit/log';

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
  const told = new Set<string>();
  const log = createLogger('node-ports', ({ error }) => {
    const [why = ''] = String(error).split('\n');
    if (told.has(why)) return;
    told.add(why);
    notice(`NodePorts do not open on 127.0.0.1 while the API server does not tell which Services there are: ${why}`);
  });
  const services = new Informer<Service>(client, Services, { ...context, log });

  const open = (port: number) =>
    new Gate(
      { host: '127.0.0.1', port },
      () => dial(port),
      (message) => notice(`NodePort ${port} is not open on 127.0.0.1 (${message}): use a node's address instead`),
    );
  const adjust = () => {
    const wanted = new Set(services.list().flatMap(nodePortsOf));
    for (const [port, gate] of gates) if (!wanted.has(port)) gates.delete(port) && gate.close();
    for (const port of wanted) if (!gates.has(port)) gates.set(port, open(port));
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
