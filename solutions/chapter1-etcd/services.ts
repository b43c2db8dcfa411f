// The services that answer one request with one answer, and lease keep-alive: each method checks its request, then reads the
// state or proposes a command.
// etcd: server/etcdserver/api/v3rpc

import type { Random } from '#kit/clock';
import { checkKey, checkPut, checkRange, checkTxn } from './checks.ts';
import type { Codec } from './codec.ts';
import type { Consensus, TimeToLiveRequest } from './consensus.ts';
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
import type { StateMachine } from './state-machine.ts';
import { isReadOnly } from './transactions.ts';

export interface ServerState {
  machine: StateMachine;
  consensus: Consensus;
  proposals: Proposals;
  expiry: LeaseExpiry;
  journal: Journal;
  snapshots: Snapshots;
  encodeState: Codec['encodeState'];
  random: Random;
}

export function keyValueService(edge: GrpcEdge, { machine, consensus, proposals }: ServerState): Methods {
  return {
    Range: edge.unary(async (request: RangeRequest) => {
      checkRange(request);
      await consensus.readable(request.serializable);
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
    Txn: edge.unary(async (request: TxnRequest) => {
      checkTxn(request);
      if (!isReadOnly(request)) return proposals.propose({ txn: request });
      await consensus.readable(isSerializable(request));
      return machine.txn(request);
    }),
    Compact: edge.unary((request: CompactionRequest) => proposals.propose({ compaction: request })),
  };
}

/** Whether old answers will do for all that a transaction reads. */
function isSerializable({ compare, success, failure }: TxnRequest): boolean {
  const operations = [...success, ...failure];
  return compare.length === 0 && operations.length > 0 && operations.every(({ requestRange }) => requestRange?.serializable);
}

export function leaseService(edge: GrpcEdge, state: ServerState): Methods {
  const { machine, consensus, proposals, random } = state;
  return {
    LeaseGrant: edge.unary(({ ID, TTL }: LeaseGrantRequest) => {
      return proposals.propose({ leaseGrant: { ID: ID === noLease ? newLeaseId(random) : ID, TTL } });
    }),
    LeaseRevoke: edge.unary(({ ID }: LeaseRequest) => proposals.propose({ leaseRevoke: { ID } })),
    LeaseKeepAlive: edge.conversation<LeaseRequest>((conversation) => {
      conversation.onRequest(({ ID }) => {
        consensus.keepAlive(ID).then(
          (answer) => conversation.send({ ...answer, header: machine.header() }),
          (error) => conversation.fail(edge.failure(error)),
        );
      });
    }),
    LeaseTimeToLive: edge.unary(async ({ ID, keys }: TimeToLiveRequest) => {
      return { ...(await consensus.timeToLive({ ID, keys })), header: machine.header() };
    }),
    LeaseLeases: edge.unary(async () => {
      await consensus.readable(false);
      return { header: machine.header(), leases: machine.leases.all().map(({ id }) => ({ ID: id })) };
    }),
  };
}

/**
 * The answer's TTL is the one that was granted; 0 says that there is no such lease, or that its time is up (`isPending`). A
 * keep-alive writes nothing: only the clock is set back.
 * @exercise 1.6 Renew the lease, and answer with header, ID and TTL.
 */
export function keepAlive({ machine, expiry }: Pick<ServerState, 'machine' | 'expiry'>, ID: LeaseId): object {
  const lease = expiry.isPending(ID) ? machine.leases.get(ID) : undefined;
  if (lease) expiry.renew(lease);
  return { header: machine.header(), ID, TTL: lease?.ttl ?? 0 };
}

/**
 * The keys are returned only if they are asked for, as bytes. A TTL of -1 says that there is no such lease; that is no error.
 * @exercise 1.6 Answer with header, ID, TTL (what is left), grantedTTL and keys.
 */
export function timeToLive({ machine, expiry }: Pick<ServerState, 'machine' | 'expiry'>, { ID, keys }: TimeToLiveRequest): object {
  if (!machine.leases.has(ID)) return { header: machine.header(), ID, TTL: -1 };
  const lease = machine.leases.get(ID);
  const attached = keys ? [...lease.keys].map(keyBytes) : [];
  return { header: machine.header(), ID, TTL: expiry.remaining(ID), grantedTTL: lease.ttl, keys: attached };
}

/** 63 random bits, not zero. */
function newLeaseId(random: Random): LeaseId {
  const bits = (count: number) => BigInt(Math.floor(random() * 2 ** count));
  return String((bits(31) << 32n) | bits(32) || 1n);
}
