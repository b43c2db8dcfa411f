// What a cluster has in Docker, while it is being made: first the network, a little later the nodes. Who needs only the one does not wait
// for the other.

import type Docker from 'dockerode';
import { type MachineAddress, machineAddress } from '#cluster/machine-address';
import { createPlaces, type DockerPlace } from '#cluster/node-places';
import { createNodeNetwork, type NodeContainer, type NodeNetwork } from '#kit/node/node-container';

export interface Machines {
  docker: Docker;
  network: Promise<NodeNetwork>;
  places: Promise<DockerPlace[]>;
  /** How nodes and pods reach this machine. */
  address: Promise<MachineAddress>;
}

export function makeMachines(docker: Docker, cluster: string, nodes: number): Machines {
  const network = createNodeNetwork(docker, { cluster });
  const places = network.then((made) => createPlaces(docker, made, cluster, nodes));
  const someNode = async () => (await places)[0]?.container as NodeContainer;
  const address = network.then((made) => machineAddress(made, someNode));
  // Each is awaited by who needs it; this only keeps a failure from counting as unhandled until then.
  for (const making of [network, places, address]) making.catch(() => {});
  return { docker, network, places, address };
}
