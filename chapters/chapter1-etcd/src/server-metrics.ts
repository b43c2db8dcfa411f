// What a member tells Prometheus, under the names that etcd uses: dashboards and alerts for the one fit the other.
// https://etcd.io/docs/v3.5/metrics/

import { readdirSync } from 'node:fs';
import { status } from '@grpc/grpc-js';
import type { Clock } from '#kit/clock';
import type { AppendFile, Disk } from './disk.ts';
import { statusOf, version } from './maintenance.ts';
import { CounterByLabels, Histogram, type Metric, metricsText, reading } from './metrics.ts';
import type { Rpc } from './rpc.ts';
import type { ServerState } from './services.ts';

const grpcTypes = { unary: 'unary', streaming: 'server_stream', conversation: 'bidi_stream' } as const;
/** Seconds, each twice the one before. */
const syncBounds = Array.from({ length: 14 }, (_, index) => 2 ** index / 1000);

export class ServerMetrics {
  readonly #handled = new CounterByLabels(
    'grpc_server_handled_total',
    'Total number of RPCs completed on the server, regardless of success or failure.',
  );
  readonly #syncs = new Histogram('etcd_disk_wal_fsync_duration_seconds', 'How long syncs of the disk took.', syncBounds);
  readonly #clock: Clock;
  readonly #startedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  countRpc({ path, method }: Rpc, code: status): void {
    this.#handled.add(`${path} ${code}`, () => {
      const [, service = '', name = ''] = path.split('/');
      return { grpc_code: codeName(code), grpc_method: name, grpc_service: service, grpc_type: grpcTypes[method.kind] };
    });
  }

  /** The same disk, with the syncs of its files timed. */
  timed(disk: Disk): Disk {
    return {
      list: (directory) => disk.list(directory),
      read: (path) => disk.read(path),
      openForAppending: async (path) => this.#timedFile(await disk.openForAppending(path)),
      rename: (from, to) => disk.rename(from, to),
      remove: (path) => disk.remove(path),
      syncDirectory: (path) => disk.syncDirectory(path),
    };
  }

  text(state: ServerState): string {
    return metricsText([this.#handled, this.#syncs, ...serverReadings(state), ...processReadings(this.#startedAt)]);
  }

  #timedFile(file: AppendFile): AppendFile {
    const sync = async () => {
      const start = this.#clock.now();
      await file.sync();
      this.#syncs.observe((this.#clock.now() - start) / 1000);
    };
    return { append: (bytes) => file.append(bytes), sync, truncate: (size) => file.truncate(size), close: () => file.close() };
  }
}

function serverReadings(state: ServerState): Metric[] {
  const { store } = state.machine;
  const { leader, header, raftIndex, raftAppliedIndex, dbSize, dbSizeInUse } = statusOf(state);
  return [
    reading('gauge', 'etcd_server_has_leader', 'Whether there is a leader: 1 or 0.', () => Number(leader !== '0')),
    reading('gauge', 'etcd_server_is_leader', 'Whether this member is the leader: 1 or 0.', () => Number(leader === header.memberId)),
    reading('gauge', 'etcd_server_proposals_committed_total', 'How many proposals were committed.', () => raftIndex),
    reading('gauge', 'etcd_server_proposals_applied_total', 'How many proposals were applied.', () => raftAppliedIndex),
    reading('gauge', 'etcd_mvcc_db_total_size_in_bytes', 'What the data takes on the disk.', () => dbSize),
    reading('gauge', 'etcd_mvcc_db_total_size_in_use_in_bytes', 'What keys and their history take.', () => dbSizeInUse),
    reading('gauge', 'etcd_debugging_mvcc_current_revision', 'The revision of the store.', () => store.revision),
    reading('gauge', 'etcd_debugging_mvcc_compact_revision', 'The revision of the last compaction.', () => store.compactedRevision),
    {
      name: 'etcd_server_version',
      help: 'Which version is running: 1 for the label with that version.',
      type: 'gauge',
      samples: () => [{ labels: { server_version: version }, value: 1 }],
    },
  ];
}

function processReadings(startedAt: number): Metric[] {
  const { user, system } = process.cpuUsage();
  const readings = [
    reading('counter', 'process_cpu_seconds_total', 'Seconds of processor time.', () => (user + system) / 1e6),
    reading('gauge', 'process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss()),
    reading('gauge', 'process_start_time_seconds', 'When the process began, in seconds since 1970.', () => startedAt / 1000),
  ];
  if (process.platform !== 'linux') return readings;
  return [...readings, reading('gauge', 'process_open_fds', 'Open files and sockets.', () => readdirSync('/proc/self/fd').length)];
}

/** `OK`, `NotFound`: as Go writes gRPC's codes. */
function codeName(code: status): string {
  if (code === status.OK) return 'OK';
  return (status[code] ?? String(code)).toLowerCase().replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
