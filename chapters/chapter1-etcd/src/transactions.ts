// A transaction: if all comparisons hold, one list of operations is run, else the other; all that is written is one change. The
// comparisons of nested transactions are made before anything is written, so every one of them sees the same store.
// etcd: server/etcdserver/txn/txn.go

import { checkPutAgainst, deleteRange, put, range } from './key-values.ts';
import { keyRange } from './keys.ts';
import { type Compare, type KeyValue, noLease, type RequestOp, type ResponseOp, type TxnRequest, type TxnResponse } from './messages.ts';
import type { Change, Store } from './store.ts';

/** A transaction whose comparisons were made: what will be run. */
export interface DecidedTxn {
  succeeded: boolean;
  operations: { request: RequestOp; nested?: DecidedTxn }[];
}

export function decide(store: Store, request: TxnRequest): DecidedTxn {
  const succeeded = request.compare.every((compare) => holds(store, compare));
  const operations = (succeeded ? request.success : request.failure).map((operation) => ({
    request: operation,
    ...(operation.requestTxn ? { nested: decide(store, operation.requestTxn) } : {}),
  }));
  return { succeeded, operations };
}

export function isReadOnly({ success, failure }: TxnRequest): boolean {
  return [...success, ...failure].every(({ requestRange, requestTxn }) => requestRange || (requestTxn && isReadOnly(requestTxn)));
}

/** A change that has begun cannot be taken back, so everything that can fail is looked at before. @throws EtcdError */
export function checkAgainst(store: Store, decided: DecidedTxn, checkLease: (lease: string) => void): void {
  for (const { request, nested } of decided.operations) {
    const { requestRange, requestPut } = request;
    if (requestRange && requestRange.revision !== '0') store.checkReadable(Number(requestRange.revision));
    if (requestPut) {
      checkPutAgainst(store, requestPut);
      checkLease(requestPut.lease);
    }
    if (nested) checkAgainst(store, nested, checkLease);
  }
}

/** Each operation sees what those before it wrote. */
export function run(store: Store, change: Change, decided: DecidedTxn): TxnResponse {
  const responses = decided.operations.map(({ request, nested }): ResponseOp => {
    if (request.requestPut) return { responsePut: put(store, change, request.requestPut) };
    if (request.requestDeleteRange) return { responseDeleteRange: deleteRange(store, change, request.requestDeleteRange) };
    if (request.requestRange) return { responseRange: range(store, request.requestRange) };
    return nested ? { responseTxn: run(store, change, nested) } : {};
  });
  return { succeeded: decided.succeeded, responses };
}

/** A comparison over a range holds if it holds for every key there. A key that does not exist compares as zeros, and has no value. */
function holds(store: Store, compare: Compare): boolean {
  const found = store.list(keyRange(compare.key, compare.rangeEnd));
  if (found.length > 0) return found.every((kv) => holdsFor(kv, compare));
  return compare.target !== 'VALUE' && holdsFor(missing, compare);
}

const missing: KeyValue = {
  key: Buffer.alloc(0),
  value: Buffer.alloc(0),
  createRevision: 0,
  modRevision: 0,
  version: 0,
  lease: noLease,
};

function holdsFor(kv: KeyValue, compare: Compare): boolean {
  const difference = differenceOf(kv, compare);
  switch (compare.result) {
    case 'EQUAL':
      return difference === 0;
    case 'NOT_EQUAL':
      return difference !== 0;
    case 'GREATER':
      return difference > 0;
    case 'LESS':
      return difference < 0;
  }
}

function differenceOf(kv: KeyValue, compare: Compare): number {
  switch (compare.target) {
    case 'VERSION':
      return kv.version - Number(compare.version ?? 0);
    case 'CREATE':
      return kv.createRevision - Number(compare.createRevision ?? 0);
    case 'MOD':
      return kv.modRevision - Number(compare.modRevision ?? 0);
    case 'VALUE':
      return kv.value.compare(compare.value ?? Buffer.alloc(0));
    case 'LEASE': {
      const [left, right] = [BigInt(kv.lease), BigInt(compare.lease ?? noLease)];
      return left === right ? 0 : left < right ? -1 : 1;
    }
  }
}
