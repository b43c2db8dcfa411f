// etcd: a key-value store with a history, over gRPC. `startEtcd` opens the data directory, finds its peers if it has any, and serves.
// One server a data directory; what was acknowledged outlives a crash; stop() leaves no timer, socket or lock behind.
// etcd: server/embed/etcd.go

import type { Clock } from '#kit/clock';
import type { ClientTls, ComponentContext, ListenAddress, RunningComponent, ServingTls } from '#kit/component';
import { Alone } from './alone.ts';
import { Applier } from './applier.ts';
import type { MembershipFlags } from './beginning.ts';
import { clusterService } from './cluster-service.ts';
import { codecOf } from './codec.ts';
import type { Consensus } from './consensus.ts';
import { lockDataDirectory } from './data-directory.ts';
import { type Disk, systemDisk } from './disk.ts';
import { createGrpcJsTransport } from './grpc-js.ts';
import { createHttpEndpoints } from './http-endpoints.ts';
import { createLeanTransport } from './lean-grpc.ts';
import { LeaseExpiry } from './lease-expiry.ts';
import { listen } from './listener.ts';
import { maintenanceService } from './maintenance.ts';
import type { MemberAttributes } from './messages.ts';
import { Proposals } from './proposals.ts';
import { loadProtocol, serviceOf } from './protocol.ts';
import { electionMsOf } from './raft/member.ts';
import type { PeersOptions } from './raft/peers.ts';
import { recoverAlone, recoverMember } from './recovery.ts';
import { Replicated } from './replicated.ts';
import { GrpcEdge, type Rpc, rpcsOf, type Transport } from './rpc.ts';
import { ServerMetrics } from './server-metrics.ts';
import { keyValueService, leaseService, type ServerState } from './services.ts';
import { Snapshots } from './snapshots.ts';
import { WatchService } from './watch-service.ts';

export interface EtcdOptions extends ComponentContext {
  dataDir: string;
  listen: ListenAddress;
  tls?: ServingTls;
  name?: string;
  /** Where clients find this server; if it is not given, where it listens. */
  advertiseClientUrls?: string[];
  /** The store may take so many bytes; then the NOSPACE alarm is raised. 0: any number. 2 GiB if not given, as in etcd. */
  quotaBytes?: number;
  /** No snapshot is written for less log than that. */
  snapshotAfterBytes?: number;
  /** Where the data directory lies; tests have disks that fail. */
  disk?: Disk;
  /** Who speaks gRPC: the usual library, or HTTP/2 by hand. */
  transport?: TransportName;
  /** Absent: this server has no peers. */
  cluster?: ClusterOptions;
}

export type TransportName = 'grpc-js' | 'lean';

/** The flags of a member of a cluster. */
export interface ClusterOptions {
  listenPeers: ListenAddress;
  /** `a=http://10.0.0.1:2380,b=http://10.0.0.2:2380`: who begins the cluster, or whom to ask */
  initialCluster: string;
  /** `existing` joins a cluster that runs. */
  initialClusterState?: 'new' | 'existing';
  initialClusterToken?: string;
  /** Peers show each other certificates of this CA. */
  peerTls?: { serving: Required<ServingTls>; client: Required<ClientTls> };
  /** `--heartbeat-interval`; an election begins after ten to twenty of them without a leader. */
  heartbeatMs?: number;
  /** `--snapshot-catchup-entries`: so many entries are kept behind a snapshot; who lacks more gets the whole state. 5,000 as in etcd. */
  catchUpEntries?: number;
  /** False: the wire is cut for this message. For tests. */
  passes?: PeersOptions['passes'];
}

const defaultQuota = 2 * 1024 ** 3;
const defaultSnapshotAfter = 16 * 1024 ** 2;

/** @throws Error if the data directory is in use, damaged or another cluster's, an address is taken, or no cluster comes about */
export async function startEtcd(options: EtcdOptions): Promise<RunningComponent> {
  const cleanUp: (() => unknown)[] = [];
  const stop = async () => {
    for (let step = cleanUp.pop(); step; step = cleanUp.pop()) await step();
  };
  try {
    const url = await start(options, cleanUp);
    return { url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What is pushed to `cleanUp` is called when the server stops, the last one first. */
async function start(options: EtcdOptions, cleanUp: (() => unknown)[]): Promise<string> {
  const { clock, log, random, name = 'default', tls, cluster } = options;
  const metrics = new ServerMetrics(clock);
  const disk = metrics.timed(options.disk ?? systemDisk);
  const protocol = loadProtocol(String);
  const codec = codecOf(protocol);
  let consensus: Consensus | undefined;
  const directory = await lockDataDirectory(options.dataDir);
  cleanUp.push(() => directory.unlock());
  const place = { disk, path: directory.path, codec, log, term: () => consensus?.standing.term ?? 0 };
  const membership = cluster && (await recoverMember(place, flagsOf(name, cluster, directory.path), { tls: cluster.peerTls, clock }));
  const { identity, journal, machine } = membership ?? (await recoverAlone(place, name));
  cleanUp.push(() => journal.close());

  const edge = new GrpcEdge(log);
  const hasLeader = () => consensus?.standing.leader !== undefined;
  const watches = new WatchService(edge, machine, clock, { hasLeader, electionMs: electionMsOf(cluster?.heartbeatMs) });
  cleanUp.push(() => watches.stop());
  const expiry = new LeaseExpiry(clock, (id) => {
    proposals.propose({ leaseRevoke: { ID: id } }).catch((error) => log.warn('an expired lease was not revoked', { id, error }));
  });
  cleanUp.push(() => expiry.stop());
  const applier = new Applier({
    machine,
    expiry,
    isLeader: () => consensus?.standing.leader === identity.memberId,
    onTurn: () => {
      watches.deliver();
      snapshots.takeIfDue();
    },
  });
  const parts = { identity, journal, machine, applier, expiry, codec };
  const replicated =
    membership &&
    cluster &&
    new Replicated({
      ...parts,
      ...membership,
      ...cluster,
      prepare: (command) => proposals.prepare(command),
      onEnd: (error) => watches.end(error),
      clock,
      random,
      log,
    });
  consensus = replicated ?? new Alone(parts);
  const snapshots = new Snapshots({ journal, consensus, afterBytes: options.snapshotAfterBytes ?? defaultSnapshotAfter, log });
  cleanUp.push(() => snapshots.stop());
  const proposals = new Proposals({
    machine,
    consensus,
    encode: codec.encodeCommand,
    quotaBytes: options.quotaBytes ?? defaultQuota,
    random,
  });
  cleanUp.push(() => proposals.stop());
  if (replicated) {
    cleanUp.push(() => replicated.stop());
    await replicated.listen();
  }

  // Asked for when the port is known.
  const self = () => ({
    ID: identity.memberId,
    name,
    clientURLs: options.advertiseClientUrls?.length ? options.advertiseClientUrls : [url],
  });
  const state: ServerState = { machine, consensus, proposals, expiry, journal, snapshots, encodeState: codec.encodeState, random };
  const rpcs = rpcsOf([
    [serviceOf(protocol, 'KV'), keyValueService(edge, state)],
    [serviceOf(protocol, 'Watch'), watches.methods],
    [serviceOf(protocol, 'Lease'), leaseService(edge, state)],
    [serviceOf(protocol, 'Cluster'), clusterService(edge, state, self)],
    [serviceOf(protocol, 'Maintenance'), maintenanceService(edge, state)],
  ]);
  const server = await listen({
    address: options.listen,
    tls,
    grpc: createTransport(options.transport, { rpcs, edge, metrics, clock }),
    http: createHttpEndpoints(state, metrics),
    clock,
    log,
  });
  cleanUp.push(() => server.stop());
  const url = `${tls ? 'https' : 'http'}://${options.listen.host}:${server.port}`;
  if (replicated) cleanUp.push(publish(proposals, self(), clock));
  log.info('etcd is serving', { url, dataDir: directory.path, revision: machine.store.revision, logRecords: journal.records });
  return url;
}

function createTransport(
  name: TransportName = 'grpc-js',
  { rpcs, edge, metrics, clock }: { rpcs: Rpc[]; edge: GrpcEdge; metrics: ServerMetrics; clock: Clock },
): Transport {
  const options = { rpcs, failureOf: (error: unknown) => edge.failure(error), onHandled: metrics.countRpc.bind(metrics) };
  return name === 'lean' ? createLeanTransport({ ...options, clock }) : createGrpcJsTransport(options);
}

/** Says who it is until it has been heard. */
function publish(proposals: Proposals, attributes: MemberAttributes, clock: Clock): () => void {
  const over = new AbortController();
  const say = async () => {
    while (!over.signal.aborted) {
      const isHeard = await proposals.propose({ publish: attributes }).then(
        () => true,
        () => false,
      );
      if (isHeard) return;
      await clock.sleep(500, over.signal);
    }
  };
  void say();
  return () => over.abort();
}

function flagsOf(name: string, cluster: ClusterOptions, dataDir: string): MembershipFlags {
  const { initialCluster, initialClusterState = 'new', initialClusterToken = 'etcd-cluster' } = cluster;
  return { name, initialCluster, initialClusterState, initialClusterToken, dataDir };
}
