// The clusters that tests make on Docker: what they are called, and which of them nobody will remove any more. A test that is killed
// (Ctrl-C, a save in the watch loop) leaves its containers behind. Their label names its process, so the next run knows that it is
// gone, and removes what carries that label and nothing else.

import { createHash, randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import type Docker from 'dockerode';
import { sweep } from '#cluster/sweep';
import { clusterLabel } from '#kit/node/node-container';

/** `kubekata-test-5f0c91aa-4711-9c2e`: where its process runs, the process's id, and something by chance. */
export function testClusterName(pid = process.pid): string {
  return `kubekata-test-${here()}-${pid}-${randomBytes(2).toString('hex')}`;
}

/** Those whose process ran here and is gone. */
export async function abandonedClusters(docker: Docker): Promise<string[]> {
  const filters = { label: [clusterLabel] };
  const [containers, networks] = await Promise.all([docker.listContainers({ all: true, filters }), docker.listNetworks({ filters })]);
  const names = new Set([...containers, ...networks].map(({ Labels }) => Labels?.[clusterLabel] ?? ''));
  return [...names].filter(isAbandoned);
}

/** Resolves with how many containers and networks were removed. */
export async function sweepAbandoned(docker: Docker): Promise<number> {
  let removed = 0;
  for (const cluster of await abandonedClusters(docker)) {
    try {
      removed += await sweep(docker, cluster);
    } catch (error) {
      // Its containers are being removed by another run at this moment: the network is that one's, too.
      if ((error as { statusCode?: number }).statusCode !== 403) throw error;
    }
  }
  return removed;
}

function isAbandoned(cluster: string): boolean {
  const [, where, pid] = /^kubekata-test-([0-9a-f]{8})-(\d+)-[0-9a-f]+$/.exec(cluster) ?? [];
  return where === here() && !isAlive(Number(pid));
}

/** One Docker may serve several systems (Windows and WSL, a machine and its containers): a process id means nothing but in its own. */
function here(): string {
  const processIds = process.platform === 'linux' ? readlinkSync('/proc/self/ns/pid') : '';
  return createHash('sha256').update([hostname(), process.platform, processIds].join(' ')).digest('hex').slice(0, 8);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
