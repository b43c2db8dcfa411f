// etcd: a key-value store with a history, over gRPC. `startEtcd` opens the data directory, replays its log, and serves.
// One server a data directory; what was acknowledged is on the disk; stop() leaves no timer, socket or lock behind.
// etcd: server/embed/etcd.go

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ComponentContext, ListenAddress, RunningComponent, ServingTls } from '#kit/component';
import { lockDataDirectory } from './data-directory.ts';
import { EtcdError } from './errors.ts';
import { GrpcEdge, listen } from './grpc.ts';
import { LeaseExpiry } from './lease-expiry.ts';
import { LogFile } from './log-file.ts';
import type { Command } from './messages.ts';
import { Proposals } from './proposals.ts';
import { commandType, loadProtocol, serviceOf } from './protocol.ts';
import { clusterService, keyValueService, leaseService, maintenanceService, type ServerState } from './services.ts';
import { StateMachine } from './state-machine.ts';
import { WatchService } from './watch-service.ts';

export interface EtcdOptions extends ComponentContext {
  dataDir: string;
  listen: ListenAddress;
  tls?: ServingTls;
  name?: string;
}

/** @throws Error if the data directory is in use or damaged, or the address is taken */
export async function startEtcd(options: EtcdOptions): Promise<RunningComponent> {
  const { clock, log: logger, random, name = 'default', tls } = options;
  const protocol = loadProtocol(String);
  const commands = commandType(protocol);
  const machine = new StateMachine({ clusterId: identifier('cluster'), memberId: identifier(`member ${name}`), raftTerm: 1 });

  const cleanUp: (() => unknown)[] = [];
  const stop = async () => {
    for (let step = cleanUp.pop(); step; step = cleanUp.pop()) await step();
  };
  try {
    const directory = await lockDataDirectory(options.dataDir);
    cleanUp.push(() => directory.unlock());
    const log = await LogFile.open(join(directory.path, 'log'), (payload) => replay(machine, commands.deserialize(payload) as Command));
    cleanUp.push(() => log.close());

    const edge = new GrpcEdge(logger);
    const watches = new WatchService(edge, machine, clock);
    cleanUp.push(() => watches.stop());
    const proposals = new Proposals({ machine, log, encode: commands.serialize, onApplied: () => watches.deliver() });
    cleanUp.push(() => proposals.stop());
    const expiry = new LeaseExpiry(clock, (id) => {
      proposals.propose({ leaseRevoke: { ID: id } }).catch((error) => logger.warn('an expired lease was not revoked', { id, error }));
    });
    cleanUp.push(() => expiry.stop());
    for (const lease of machine.leases.all()) expiry.renew(lease);

    const state: ServerState = { machine, proposals, expiry, log, random };
    const server = await listen(
      [
        [serviceOf(protocol, 'KV'), keyValueService(edge, state)],
        [serviceOf(protocol, 'Watch'), watches.implementation],
        [serviceOf(protocol, 'Lease'), leaseService(edge, state)],
        [serviceOf(protocol, 'Cluster'), clusterService(edge, state, name, () => [url()])],
        [serviceOf(protocol, 'Maintenance'), maintenanceService(edge, state)],
      ],
      options.listen,
      tls,
    );
    cleanUp.push(() => server.stop());
    const url = () => `${tls ? 'https' : 'http'}://${options.listen.host}:${server.port}`;
    logger.info('etcd is serving', { url: url(), dataDir: directory.path, revision: machine.store.revision, logRecords: log.records });
    return { url: url(), stop };
  } catch (error) {
    await stop();
    throw error;
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
