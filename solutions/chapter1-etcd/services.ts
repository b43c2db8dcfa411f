// The services that answer one request with one answer, and lease keep-alive: each method checks its request, then reads the
// state or proposes a command.
// etcd: server/etcdserver/api/v3rpc

import type { Random } from '#kit/clock';
import { checkKey, checkPut, checkRange, checkTxn } from './checks.ts';
import type { Journal } from './journal.ts';
import { keyBytes } from './keys.ts';
import type { LeaseExpiry } from './lease-expiry.ts';
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
import type { GrpcEdge, Methods } from './rpc.ts';
import type { Snapshots } from './snapshots.ts';
import type { Captured, StateMachine } from './state-machine.ts';
import { isReadOnly } from './transactions.ts';

export interface ServerState {
  machine: StateMachine;
  proposals: Proposals;
  expiry: LeaseExpiry;
  journal: Journal;
  snapshots: Snapshots;
  stateOf: (captured: Captured) => Iterable<Buffer>;
  random: Random;
}

export function keyValueService(edge: GrpcEdge, { machine, proposals }: ServerState): Methods {
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

export function leaseService(edge: GrpcEdge, state: ServerState): Methods {
  const { machine, proposals, expiry, random } = state;
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
    LeaseKeepAlive: edge.conversation<LeaseRequest>((conversation) => {
      conversation.onRequest(({ ID }) => conversation.send(keepAlive(state, ID)));
    }),
    LeaseTimeToLive: edge.unary((request: LeaseRequest & { keys: boolean }) => timeToLive(state, request)),
    LeaseLeases: edge.unary(() => ({ header: machine.header(), leases: machine.leases.all().map(({ id }) => ({ ID: id })) })),
  };
}

/**
 * The answer's TTL is the one that was granted; 0 says that there is no such lease, or that its time is up (`isPending`). A
 * keep-alive writes nothing: only the clock is set back.
 * @exercise 1.6 Renew the lease, and answer with header, ID and TTL.
 */
function keepAlive({ machine, expiry }: ServerState, ID: LeaseId): object {
  const lease = expiry.isPending(ID) ? machine.leases.get(ID) : undefined;
  if (lease) expiry.renew(lease);
  return { header: machine.header(), ID, TTL: lease?.ttl ?? 0 };
}

/**
 * The keys are returned only if they are asked for, as bytes. A TTL of -1 says that there is no such lease; that is no error.
 * @exercise 1.6 Answer with header, ID, TTL (what is left), grantedTTL and keys.
 */
function timeToLive({ machine, expiry }: ServerState, { ID, keys }: LeaseRequest & { keys: boolean }): object {
  if (!machine.leases.has(ID)) return { header: machine.header(), ID, TTL: -1 };
  const lease = machine.leases.get(ID);
  const attached = keys ? [...lease.keys].sort().map(keyBytes) : [];
  return { header: machine.header(), ID, TTL: expiry.remaining(ID), grantedTTL: lease.ttl, keys: attached };
}

/** A cluster of one. */
export function clusterService(edge: GrpcEdge, { machine }: ServerState, name: string, urls: () => string[]): Methods {
  return {
    MemberList: edge.unary(() => {
      const header = machine.header();
      return { header, members: [{ ID: header.memberId, name, clientURLs: urls() }] };
    }),
  };
}

/** 63 random bits, not zero. */
function newLeaseId(random: Random): LeaseId {
  const bits = (count: number) => BigInt(Math.floor(random() * 2 ** count));
  return String((bits(31) << 32n) | bits(32) || 1n);
}
