// The cluster's memory: one etcd, or several that agree by Raft, each a process of its own with its own data. Their peers' ports are
// chosen before any of them runs, since each must be told where all will be.

import { join } from 'node:path';
import type { Identities } from '#cluster/identities';
import type { Layout } from '#cluster/layout';
import type { ComponentProcesses } from '#cluster/processes';
import { freePorts } from '#kit/free-ports';

const hosts = ['127.0.0.1', 'localhost'];

/** Their titles in the start-up table: `etcd`, or `etcd (etcd-1)`, … */
export function etcdTitles(members: number): string[] {
  return members === 1 ? ['etcd'] : namesOf(members).map((name) => `etcd (${name})`);
}

/** Resolves with their URLs for clients when all of them serve. */
export async function startEtcdMembers(
  processes: ComponentProcesses,
  { identities, layout, members }: { identities: Identities; layout: Layout; members: number },
): Promise<string[]> {
  const titles = etcdTitles(members);
  const [serving, peering, ports] = await Promise.all([
    identities.certificate('etcd', { commonName: 'etcd', hosts, usages: ['server', 'client'] }),
    members > 1 ? identities.certificate('etcd-peer', { commonName: 'etcd', hosts, usages: ['server', 'client'] }) : undefined,
    freePorts(members > 1 ? members : 0),
  ]);
  const names = namesOf(members);
  const initialCluster = names.map((name, index) => `${name}=https://127.0.0.1:${ports[index]}`).join(',');
  const started = titles.map((title, index) =>
    processes.start(title, (url) => ({
      name: names[index] ?? '',
      'data-dir': join(layout.data, members === 1 ? 'etcd' : (names[index] ?? '')),
      'listen-client-urls': url ?? 'https://127.0.0.1:0',
      'cert-file': serving.certFile,
      'key-file': serving.keyFile,
      'trusted-ca-file': identities.caFile,
      ...(peering
        ? {
            'listen-peer-urls': `https://127.0.0.1:${ports[index]}`,
            'initial-cluster': initialCluster,
            'initial-cluster-token': layout.cluster,
            'peer-cert-file': peering.certFile,
            'peer-key-file': peering.keyFile,
            'peer-trusted-ca-file': identities.caFile,
          }
        : {}),
    })),
  );
  const running = await Promise.all(started);
  // A learner's may fail at first; nothing can go on without it.
  await Promise.all(running.map(({ serves }) => serves));
  return running.map(({ url }) => url);
}

function namesOf(members: number): string[] {
  return members === 1 ? ['default'] : Array.from({ length: members }, (_, index) => `etcd-${index + 1}`);
}
