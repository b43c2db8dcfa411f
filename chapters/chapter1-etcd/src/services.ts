// The services that answer one request with one answer, and lease keep-alive: each method checks its request, then reads the
// state or proposes a command.
// etcd: server/etcdserver/api/v3rpc

import type { ServerDuplexStream, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Random } from '#kit/clock';
import { checkKey, checkPut, checkRange, checkTxn } from './checks.ts';
import type { GrpcEdge } from './grpc.ts';
import { keyBytes } from './keys.ts';
import type { LeaseExpiry } from './lease-expiry.ts';
import type { LogFile } from './log-file.ts';
import type {
  CompactionRequest,
  DeleteRangeRequest,
  LeaseGrantRequest,
  LeaseId,
  LeaseRequest,
  PutRequest,
  RangeRequest,
  TxnRequest,
} from './messages.ts';
import { noLease } from './messages.ts';
import type { Proposals } from './proposals.ts';
import type { StateMachine } from './state-machine.ts';
import { isReadOnly } from './transactions.ts';

/** Clients look at the version to know what they may use; from 3.5.13 on, for example, Kubernetes asks for watch progress. */
const version = '3.5.13';

export interface ServerState {
  machine: StateMachine;
  proposals: Proposals;
  expiry: LeaseExpiry;
  log: LogFile;
  random: Random;
}

export function keyValueService(edge: GrpcEdge, { machine, proposals }: ServerState): UntypedServiceImplementation {
  return {
    Range: edge.unary((request: RangeRequest) => {
      checkRange(request);
      return machine.range(request);
    }),
    Put: edge.unary((request: PutRequest) => {
      checkPut(request);
      return proposals.propose({ put: request });
    }),
    DeleteRange: edge.unary((request: DeleteRangeRequest) => {
      checkKey(request);
      return proposals.propose({ deleteRange: request });
    }),
    Txn: edge.unary((request: TxnRequest) => {
      checkTxn(request);
      return isReadOnly(request) ? machine.txn(request) : proposals.propose({ txn: request });
    }),
    Compact: edge.unary((request: CompactionRequest) => proposals.propose({ compaction: request })),
  };
}

export function leaseService(edge: GrpcEdge, { machine, proposals, expiry, random }: ServerState): UntypedServiceImplementation {
  return {
    LeaseGrant: edge.unary(async ({ ID, TTL }: LeaseGrantRequest) => {
      const id = ID === noLease ? newLeaseId(random) : ID;
      const response = await proposals.propose({ leaseGrant: { ID: id, TTL } });
      expiry.renew(machine.leases.get(id));
      return response;
    }),
    LeaseRevoke: edge.unary(async ({ ID }: LeaseRequest) => {
      const response = await proposals.propose({ leaseRevoke: { ID } });
      expiry.forget(ID);
      return response;
    }),
    LeaseKeepAlive: (stream: ServerDuplexStream<LeaseRequest, object>) => {
      edge.onEach(stream, ({ ID }) => {
        const lease = expiry.isPending(ID) ? machine.leases.get(ID) : undefined;
        if (lease) expiry.renew(lease);
        stream.write({ header: machine.header(), ID, TTL: lease?.ttl ?? 0 });
      });
    },
    LeaseTimeToLive: edge.unary(({ ID, keys }: LeaseRequest & { keys: boolean }) => {
      if (!machine.leases.has(ID)) return { header: machine.header(), ID, TTL: -1 };
      const lease = machine.leases.get(ID);
      const attached = keys ? [...lease.keys].sort().map(keyBytes) : [];
      return { header: machine.header(), ID, TTL: expiry.remaining(ID), grantedTTL: lease.ttl, keys: attached };
    }),
    LeaseLeases: edge.unary(() => ({ header: machine.header(), leases: machine.leases.all().map(({ id }) => ({ ID: id })) })),
  };
}

/** A cluster of one. */
export function clusterService(edge: GrpcEdge, { machine }: ServerState, name: string, urls: () => string[]): UntypedServiceImplementation {
  return {
    MemberList: edge.unary(() => {
      const header = machine.header();
      return { header, members: [{ ID: header.memberId, name, clientURLs: urls() }] };
    }),
  };
}

export function maintenanceService(edge: GrpcEdge, { machine, log }: ServerState): UntypedServiceImplementation {
  return {
    Alarm: edge.unary(() => ({ header: machine.header(), alarms: [] })),
    Status: edge.unary(() => {
      const header = machine.header();
      const { size, records } = log;
      return {
        header,
        version,
        dbSize: size,
        dbSizeInUse: size,
        leader: header.memberId,
        raftIndex: records,
        raftAppliedIndex: records,
        raftTerm: header.raftTerm,
      };
    }),
  };
}

/** 63 random bits, not zero. */
function newLeaseId(random: Random): LeaseId {
  const bits = (count: number) => BigInt(Math.floor(random() * 2 ** count));
  return String((bits(31) << 32n) | bits(32) || 1n);
}
