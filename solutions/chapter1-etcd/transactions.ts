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

/**
 * The `success` operations if every comparison holds, else the `failure` ones. The comparisons of the transactions among them
 * are made here, too.
 * @exercise 1.4 Make the comparisons, and return which operations will be run.
 */
export function decide(store: Store, request: TxnRequest): DecidedTxn {
  const succeeded = request.compare.every((compare) => holds(store, compare));
  const operations = (succeeded ? request.success : request.failure).map((operation) => ({
    request: operation,
    ...(operation.requestTxn ? { nested: decide(store, operation.requestTxn) } : {}),
  }));
  return { succeeded, operations };
}

/** @exercise 1.4 Say whether no operation of the transaction can write, whichever branch is run. */
export function isReadOnly({ success, failure }: TxnRequest): boolean {
  return [...success, ...failure].every(({ requestRange, requestTxn }) => requestRange || (requestTxn && isReadOnly(requestTxn)));
}

/**
 * A change that has begun cannot be taken back, so everything that can fail is looked at before: the revision of a range must be
 * readable (0 is the present), a put must have what it wants to keep (`checkPutAgainst`), and its lease must exist.
 * @exercise 1.4 Throw the EtcdError that one of the operations to be run would end with.
 */
export function checkAgainst(store: Store, decided: DecidedTxn, checkLease: (lease: string) => void): void {
  for (const { request, nested } of decided.operations) {
    const { requestRange, requestPut } = request;
    if (requestRange && Number(requestRange.revision) > 0) store.checkReadable(Number(requestRange.revision));
    if (requestPut) {
      checkPutAgainst(store, requestPut);
      checkLease(requestPut.lease);
    }
    if (nested) checkAgainst(store, nested, checkLease);
  }
}

/**
 * One response an operation, in their order. Each operation sees what those before it wrote, and all write into the one change.
 * @exercise 1.4 Run the operations one after the other, and return their responses.
 */
export function run(store: Store, change: Change, decided: DecidedTxn): TxnResponse {
  const responses = decided.operations.map(({ request, nested }): ResponseOp => {
    if (nested) return { responseTxn: run(store, change, nested) };
    if (request.requestPut) return { responsePut: stamped(store, change, put(store, change, request.requestPut)) };
    if (request.requestRange) return { responseRange: stamped(store, change, range(store, request.requestRange)) };
    if (request.requestDeleteRange)
      return { responseDeleteRange: stamped(store, change, deleteRange(store, change, request.requestDeleteRange)) };
    throw new TypeError('an operation without a request');
  });
  return { succeeded: decided.succeeded, responses };
}

/** The header of an operation's response has the revision only: the transaction's own as soon as it has written something. */
function stamped<Response extends object>(store: Store, change: Change, response: Response): Response {
  const revision = change.events.length > 0 ? change.revision : store.revision;
  return { header: { revision }, ...response };
}

/**
 * A comparison over a range holds if it holds for every key there. A key that does not exist is compared as `missing`: all
 * numbers are zero. But it has no value, so no comparison of its value holds, not even with an empty one.
 * @exercise 1.4 Say whether the comparison holds for all that is in its range, or for the missing key.
 */
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

/** @exercise 1.4 Say whether the key-value stands to the comparison's operand as its result says. */
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

/** Below zero: the key-value's number, value or lease is less than the comparison's; zero: equal; above: greater. */
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
