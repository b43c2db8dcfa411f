// Where a cluster keeps what it writes, and how it is called: everything under one folder (`.kubekata/`), everything it makes in
// Docker under one label value.

import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';

export interface Layout {
  /** The folder: absolute. */
  folder: string;
  /** The cluster's name: the value of its label on containers and networks, and their names' prefix. */
  cluster: string;
  kubeconfig: string;
  pki: string;
  logs: string;
  data: string;
  /** Which process runs the cluster: there while it runs. */
  record: string;
}

/** Two checkouts on one machine are two clusters: the name holds four digits of the folder's hash. */
export function layoutOf(folder: string): Layout {
  const absolute = resolve(folder);
  const digits = createHash('sha256').update(absolute).digest('hex').slice(0, 4);
  return {
    folder: absolute,
    cluster: `kubekata-${digits}`,
    kubeconfig: join(absolute, 'kubeconfig'),
    pki: join(absolute, 'pki'),
    logs: join(absolute, 'logs'),
    data: join(absolute, 'data'),
    record: join(absolute, 'cluster.json'),
  };
}

export const defaultFolder = '.kubekata';

/** The addresses of everything in a cluster. */
export const addresses = {
  /** All pods; node N has 10.244.N.0/24 of it. */
  clusterCidr: '10.244.0.0/16',
  serviceClusterIpRange: '10.96.0.0/12',
  /** Of the Service `kubernetes`: the first of the range. */
  apiServer: '10.96.0.1',
  clusterDns: '10.96.0.10',
  clusterDomain: 'cluster.local',
} as const;
