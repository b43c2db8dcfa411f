// Clean-up by label: removes every container and network of one cluster and nothing else. A network namespace takes its veths,
// routes and iptables rules with it.

import type Docker from 'dockerode';
import { clusterLabel } from '#kit/node/node-container';

/** Resolves with how many containers and networks were removed. */
export async function sweep(docker: Docker, cluster: string): Promise<number> {
  const filters = { label: [`${clusterLabel}=${cluster}`] };
  const containers = await docker.listContainers({ all: true, filters });
  await Promise.all(containers.map(({ Id }) => removed(docker.getContainer(Id).remove({ force: true, v: true }))));
  const networks = await docker.listNetworks({ filters });
  await Promise.all(networks.map(({ Id }) => removed(docker.getNetwork(Id).remove())));
  return containers.length + networks.length;
}

/** Gone already, or going: as good as removed. */
async function removed(removal: Promise<unknown>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    const { statusCode, message } = error as { statusCode?: number; message: string };
    if (statusCode !== 404 && !/already in progress/.test(message)) throw error;
  }
}
