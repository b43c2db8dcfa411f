// The nodes of a cluster: with Docker each is a container with a network namespace of its own; hollow ones are names and
// addresses that nothing stands behind.

import type Docker from 'dockerode';
import { addresses } from '#cluster/layout';
import { connectNodes, createNode, type NodeContainer, type NodeNetwork } from '#kit/node/node-container';

export interface NodePlace {
  /** node-1, node-2, … */
  name: string;
  podCidr: string;
  ip: string;
  /** Absent: a hollow node. */
  container?: NodeContainer;
}

export function hollowPlaces(count: number): NodePlace[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `node-${index + 1}`,
    podCidr: `10.244.${index + 1}.0/24`,
    ip: `172.30.0.${index + 2}`,
  }));
}

export type DockerPlace = NodePlace & { container: NodeContainer };

export async function createPlaces(docker: Docker, network: NodeNetwork, cluster: string, count: number): Promise<DockerPlace[]> {
  const places = await Promise.all(
    hollowPlaces(count).map(async ({ name, podCidr }) => {
      const container = await createNode(docker, { cluster, name, network, podCidr });
      return { name, podCidr, ip: container.ip, container };
    }),
  );
  const containers = places.map(({ container }) => container);
  await connectNodes(containers, addresses.clusterCidr);
  return places;
}
