// etcd: a key-value store with a history, over gRPC. `startEtcd` opens the data directory, replays its log, and serves.
// One server a data directory; what was acknowledged is on the disk; stop() leaves no timer, socket or lock behind.
// etcd: server/embed/etcd.go

import { createHash } from 'node:crypto';
import type { Clock } from '#kit/clock';
import type { ComponentContext, ListenAddress, RunningComponent, ServingTls } from '#kit/component';
import type { Logger } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import { lockDataDirectory } from './data-directory.ts';
import { type Disk, systemDisk } from './disk.ts';
import { EtcdError } from './errors.ts';
import { createGrpcJsTransport } from './grpc-js.ts';
import { createHttpEndpoints } from './http-endpoints.ts';
import { DiskJournal, type Journal, type Recovery, VolatileJournal } from './journal.ts';
import { createLeanTransport } from './lean-grpc.ts';
import { LeaseExpiry } from './lease-expiry.ts';
import { listen } from './listener.ts';
import { maintenanceService } from './maintenance.ts';
import type { Command } from './messages.ts';
import { Proposals } from './proposals.ts';
import { commandType, loadProtocol, serviceOf, stateRecordType } from './protocol.ts';
import { GrpcEdge, type Rpc, rpcsOf, type Transport } from './rpc.ts';
import { ServerMetrics } from './server-metrics.ts';
import { clusterService, keyValueService, leaseService, type ServerState } from './services.ts';
import { Snapshots } from './snapshots.ts';
import { type Captured, StateMachine } from './state-machine.ts';
import { decodeState, encodeState } from './state-snapshot.ts';
import { WatchService } from './watch-service.ts';

export interface EtcdOptions extends ComponentContext {
  dataDir: string;
  listen: ListenAddress;
  tls?: ServingTls;
  name?: string;
  /** The store may take so many bytes; then the NOSPACE alarm is raised. 0: any number. 2 GiB if not given, as in etcd. */
  quotaBytes?: number;
  /** No snapshot is written for less log than that. */
  snapshotAfterBytes?: number;
  /** Where the data directory lies; tests have disks that fail. */
  disk?: Disk;
  /** Who speaks gRPC: the usual library, or HTTP/2 by hand. */
  transport?: TransportName;
}

export type TransportName = 'grpc-js' | 'lean';

const defaultQuota = 2 * 1024 ** 3;
const defaultSnapshotAfter = 16 * 1024 ** 2;

/** @throws Error if the data directory is in use or damaged, or the address is taken */
export async function startEtcd(options: EtcdOptions): Promise<RunningComponent> {
  const { clock, log: logger, random, name = 'default', tls } = options;
  const metrics = new ServerMetrics(clock);
  const disk = metrics.timed(options.disk ?? systemDisk);
  const protocol = loadProtocol(String);
  const commands = commandType(protocol);
  const stateRecord = stateRecordType(protocol);
  const machine = new StateMachine({ clusterId: identifier('cluster'), memberId: identifier(`member ${name}`), raftTerm: 1 });

  const cleanUp: (() => unknown)[] = [];
  const stop = async () => {
    for (let step = cleanUp.pop(); step; step = cleanUp.pop()) await step();
  };
  try {
    const directory = await lockDataDirectory(options.dataDir);
    cleanUp.push(() => directory.unlock());
    const journal = await openJournal(disk, directory.path, logger, {
      restore: (payloads, records) => machine.restore(decodeState(payloads, stateRecord.deserialize), records),
      replay: (payload) => replay(machine, commands.deserialize(payload) as Command),
    });
    cleanUp.push(() => journal.close());
    const stateOf = (captured: Captured) => encodeState(captured, stateRecord.serialize);
    const snapshotAfter = options.snapshotAfterBytes ?? defaultSnapshotAfter;
    const snapshots = new Snapshots({ machine, journal, encodeState: stateOf, afterBytes: snapshotAfter, log: logger });
    cleanUp.push(() => snapshots.stop());

    const edge = new GrpcEdge(logger);
    const watches = new WatchService(edge, machine, clock);
    cleanUp.push(() => watches.stop());
    const proposals = new Proposals({
      machine,
      journal,
      encode: commands.serialize,
      quotaBytes: options.quotaBytes ?? defaultQuota,
      onApplied: () => {
        watches.deliver();
        snapshots.takeIfDue();
      },
    });
    cleanUp.push(() => proposals.stop());
    const expiry = new LeaseExpiry(clock, (id) => {
      proposals.propose({ leaseRevoke: { ID: id } }).catch((error) => logger.warn('an expired lease was not revoked', { id, error }));
    });
    cleanUp.push(() => expiry.stop());
    for (const lease of machine.leases.all()) expiry.renew(lease);

    const state: ServerState = { machine, proposals, expiry, journal, snapshots, stateOf, random };
    const rpcs = rpcsOf([
      [serviceOf(protocol, 'KV'), keyValueService(edge, state)],
      [serviceOf(protocol, 'Watch'), watches.methods],
      [serviceOf(protocol, 'Lease'), leaseService(edge, state)],
      [serviceOf(protocol, 'Cluster'), clusterService(edge, state, name, () => [url()])],
      [serviceOf(protocol, 'Maintenance'), maintenanceService(edge, state)],
    ]);
    const server = await listen({
      address: options.listen,
      tls,
      grpc: createTransport(options.transport, { rpcs, edge, metrics, clock }),
      http: createHttpEndpoints(state, metrics),
      clock,
      log: logger,
    });
    cleanUp.push(() => server.stop());
    const url = () => `${tls ? 'https' : 'http'}://${options.listen.host}:${server.port}`;
    logger.info('etcd is serving', { url: url(), dataDir: directory.path, revision: machine.store.revision, logRecords: journal.records });
    return { url: url(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function createTransport(
  name: TransportName = 'grpc-js',
  { rpcs, edge, metrics, clock }: { rpcs: Rpc[]; edge: GrpcEdge; metrics: ServerMetrics; clock: Clock },
): Transport {
  const options = { rpcs, failureOf: (error: unknown) => edge.failure(error), onHandled: metrics.countRpc.bind(metrics) };
  return name === 'lean' ? createLeanTransport({ ...options, clock }) : createGrpcJsTransport(options);
}

/** Without a journal the first stages can be written and tested; only what is kept is lost. */
async function openJournal(disk: Disk, directory: string, log: Logger, recovery: Recovery): Promise<Journal> {
  try {
    return await DiskJournal.open(disk, directory, recovery);
  } catch (error) {
    if (!(error instanceof NotImplemented)) throw error;
    // It was met, and there is a way around it: whoever waits for this server need not give up because of it.
    NotImplemented.forget();
    log.warn('nothing is kept on the disk: stage 1.7 is not written yet');
    return new VolatileJournal();
  }
}

/** A command that was refused when it came is refused again, for the same reason, and changes as little as it did then. */
function replay(machine: StateMachine, command: Command): void {
  try {
    machine.apply(command);
  } catch (error) {
    if (!(error instanceof EtcdError)) throw error;
  }
}

/** The same id for the same name, in any run: 63 bits. */
function identifier(text: string): string {
  return String(createHash('sha256').update(`kubekata etcd ${text}`).digest().readBigUInt64BE() >> 1n);
}
