// The Maintenance service: how the server is, a hash of what it holds, a copy of all of it, and its alarms.
// etcd: server/etcdserver/api/v3rpc/maintenance.go

import { crc32 } from 'node:zlib';
import { noLeader } from './errors.ts';
import type { AlarmRequest, KeyValue } from './messages.ts';
import type { GrpcEdge, Methods } from './rpc.ts';
import type { ServerState } from './services.ts';
import { breath, snapshotContent } from './snapshot-file.ts';

/** Clients look at the version to know what they may use; from 3.5.13 on, for example, Kubernetes asks for watch progress. */
export const version = '3.5.13';

export function maintenanceService(edge: GrpcEdge, state: ServerState): Methods {
  const { machine, consensus, proposals, snapshots, encodeState } = state;
  return {
    Status: edge.unary(() => statusOf(state)),
    Alarm: edge.unary((request: AlarmRequest) => {
      return request.action === 'GET' ? { header: machine.header(), alarms: machine.alarms.all() } : proposals.propose({ alarm: request });
    }),
    /** The log is replaced by a snapshot: what was deleted and compacted leaves the disk. */
    Defragment: edge.unary(async () => {
      await snapshots.take();
      return { header: machine.header() };
    }),
    Hash: edge.unary(() => {
      let hash = 0;
      for (const payload of encodeState(machine.capture())) hash = crc32(payload, hash);
      return { header: machine.header(), hash };
    }),
    HashKV: edge.unary(({ revision }: { revision: string }) => hashOfKeyValues(state, Number(revision))),
    Snapshot: edge.streaming(() => snapshotInPieces(state)),
    MoveLeader: edge.unary(async ({ targetID }: { targetID: string }) => {
      await consensus.moveLeader(targetID);
      return { header: machine.header() };
    }),
  };
}

export function statusOf({ machine, journal, consensus }: ServerState) {
  const header = machine.header();
  const { leader, committed, applied } = consensus.standing;
  const alarms = machine.alarms.all().map(({ memberID, alarm }) => `memberID:${memberID} alarm:${alarm} `);
  return {
    header,
    version,
    dbSize: journal.logSize + journal.snapshotSize,
    dbSizeInUse: machine.store.size,
    leader: leader ?? '0',
    raftIndex: committed,
    raftAppliedIndex: applied,
    raftTerm: header.raftTerm,
    errors: leader === undefined ? [noLeader().message, ...alarms] : alarms,
  };
}

/**
 * Two members that have compacted at the same revision have the same hash at the same revision, or one of them is wrong. Revision 0 is
 * the present one. @throws EtcdError if the revision is compacted or still to come
 */
function hashOfKeyValues({ machine }: ServerState, asked: number): object {
  const { store } = machine;
  const revision = asked > 0 ? asked : store.revision;
  store.checkReadable(revision);
  const { base, changes, compactedRevision } = store.capture();
  let hash = 0;
  const add = ({ key, value, createRevision, modRevision, version: count, lease }: KeyValue) => {
    hash = crc32(`${key.length} ${value.length} ${createRevision} ${modRevision} ${count} ${lease} `, hash);
    hash = crc32(value, crc32(key, hash));
  };
  for (const kv of base) add(kv);
  for (const change of changes) if (change.revision <= revision) for (const { kv } of change.events) add(kv);
  return { header: machine.header(), hash, compactRevision: compactedRevision };
}

/** Twice through the same captured state: first to know how long it is, then to send it. */
async function* snapshotInPieces({ machine, encodeState }: ServerState): AsyncGenerator<object> {
  const captured = machine.capture();
  const header = machine.header();
  let remainingBytes = 0;
  for (const piece of snapshotContent(encodeState(captured))) {
    remainingBytes += piece.length;
    await breath();
  }
  for (const blob of snapshotContent(encodeState(captured))) {
    remainingBytes -= blob.length;
    yield { header, remainingBytes, blob };
  }
}
