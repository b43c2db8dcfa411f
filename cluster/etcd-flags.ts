// etcd's flags, spelled as the real one's where it has them, and what they come to.

import { readFileSync } from 'node:fs';
import { type FlagValues, listenAddress, split, UsageError, wholeNumber } from '#cluster/flags';
import type { ClusterOptions, EtcdOptions } from '#etcd';
import type { ComponentContext } from '#kit/component';

export const etcdFlags = {
  'data-dir': { description: 'folder of the data' },
  name: { description: "the member's name", default: 'default' },
  'listen-client-urls': { description: 'where clients are served; port 0 takes a free one', default: 'http://127.0.0.1:0' },
  'cert-file': { description: "the server's certificate", default: '' },
  'key-file': { description: "the certificate's key", default: '' },
  'trusted-ca-file': { description: 'clients must show a certificate signed by this CA', default: '' },
  transport: { description: 'who speaks gRPC: lean, HTTP/2 by hand, or grpc-js, the usual library', default: 'lean' },
  'advertise-client-urls': { description: 'where clients find this member (default: where it serves them)', default: '' },
  'quota-backend-bytes': { description: 'the store may take so many bytes; 0: 2 GiB', default: '0' },
  'listen-peer-urls': { description: 'where the other members of its cluster are served; without it, it has no peers', default: '' },
  'initial-advertise-peer-urls': { description: 'where the others find this member (default: where it serves them)', default: '' },
  'initial-cluster': { description: 'the members that the cluster begins with: NAME=URL,NAME=URL', default: '' },
  'initial-cluster-state': { description: 'new, or existing: join a cluster that runs', default: 'new' },
  'initial-cluster-token': { description: 'keeps clusters with the same URLs apart', default: 'etcd-cluster' },
  'peer-cert-file': { description: 'certificate for peers, as server and as client', default: '' },
  'peer-key-file': { description: "that certificate's key", default: '' },
  'peer-trusted-ca-file': { description: 'peers must show a certificate signed by this CA', default: '' },
  'heartbeat-interval': { description: 'milliseconds between two heartbeats of a leader', default: '100' },
};

type Values = FlagValues<typeof etcdFlags>;

const read = (path: string) => readFileSync(path, 'utf8');

/** @throws UsageError if a value is none that its flag can have */
export function etcdOptions(flags: Values): Omit<EtcdOptions, keyof ComponentContext> {
  const { transport } = flags;
  if (transport !== 'grpc-js' && transport !== 'lean') throw new UsageError(`--transport is "${transport}": it must be grpc-js or lean`);
  const quotaBytes = wholeNumber('quota-backend-bytes', flags['quota-backend-bytes'], { min: 0, max: 2 ** 50 });
  const tls = flags['cert-file'] && {
    cert: read(flags['cert-file']),
    key: read(flags['key-file']),
    ...(flags['trusted-ca-file'] ? { clientCa: read(flags['trusted-ca-file']) } : {}),
  };
  return {
    dataDir: flags['data-dir'],
    name: flags.name,
    listen: listenAddress(flags['listen-client-urls']),
    advertiseClientUrls: split(flags['advertise-client-urls']),
    transport,
    ...(quotaBytes > 0 ? { quotaBytes } : {}),
    ...(tls ? { tls } : {}),
    ...(flags['listen-peer-urls'] ? { cluster: clusterOptions(flags) } : {}),
  };
}

function clusterOptions(flags: Values): ClusterOptions {
  const listenPeers = flags['listen-peer-urls'];
  const state = flags['initial-cluster-state'];
  if (state !== 'new' && state !== 'existing') throw new UsageError(`--initial-cluster-state is "${state}": it must be new or existing`);
  return {
    listenPeers: listenAddress(listenPeers),
    initialCluster: flags['initial-cluster'] || `${flags.name}=${flags['initial-advertise-peer-urls'] || listenPeers}`,
    initialClusterState: state,
    initialClusterToken: flags['initial-cluster-token'],
    heartbeatMs: wholeNumber('heartbeat-interval', flags['heartbeat-interval'], { min: 1, max: 60_000 }),
    ...(flags['peer-cert-file'] ? { peerTls: peerTls(flags) } : {}),
  };
}

/** The same certificate on both sides of a connection. */
function peerTls(flags: Values): Required<ClusterOptions>['peerTls'] {
  const pair = { cert: read(flags['peer-cert-file']), key: read(flags['peer-key-file']) };
  const ca = read(flags['peer-trusted-ca-file']);
  return { serving: { ...pair, clientCa: ca }, client: { ...pair, ca } };
}
