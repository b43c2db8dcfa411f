// What is wrong with a request before anyone looks at the store. A request that fails here never reaches the log.
// etcd: server/etcdserver/api/v3rpc/key.go

import { NotImplemented } from '#kit/not-implemented';
import { duplicateKey, invalidSortOption, keyNotFound, keyNotProvided, leaseProvided, tooManyOperations, valueProvided } from './errors.ts';
import { contains, type KeyRange, keyRange, keyText } from './keys.ts';
import { noLease, type PutRequest, type RangeRequest, type RequestOp, type TxnRequest } from './messages.ts';

const mostOperations = 128;

/** Refuse a request without a key: throw `keyNotProvided()`. */
export function checkKey({ key }: { key: Buffer }): void {
  throw new NotImplemented('1.1', 'Refuse a request without a key: throw `keyNotProvided()`.');
}

export function checkRange(request: RangeRequest): void {
  checkKey(request);
  // An enum value that the protocol does not have is decoded as a number.
  if (typeof request.sortOrder !== 'string' || typeof request.sortTarget !== 'string') throw invalidSortOption();
}

export function checkPut(request: PutRequest): void {
  checkKey(request);
  if (request.ignoreValue && request.value.length > 0) throw valueProvided();
  if (request.ignoreLease && request.lease !== noLease) throw leaseProvided();
}

/** A transaction changes a key once at most, in each of its branches, however deep the transactions in it are nested. */
export function checkTxn(request: TxnRequest): void {
  checkOperations(request, mostOperations);
  writesOf(request.success);
  writesOf(request.failure);
}

/**
 * None of the three lists (comparisons, then, else) may be longer than `most`: `tooManyOperations()`. A transaction among the
 * operations may only have what the longest list of its parent leaves over. Each comparison needs a key, and each operation is
 * checked as the request that it is. An operation that is no request at all is refused with `keyNotFound()`.
 */
function checkOperations({ compare, success, failure }: TxnRequest, most: number): void {
  throw new NotImplemented('1.4', 'Refuse a transaction that is too long, or in which a request is wrong.');
}

interface Writes {
  puts: Set<string>;
  deletes: KeyRange[];
}

/**
 * What the operations may write. Deletes may overlap each other. A put may meet no other put of its key and no delete that takes
 * its key, be it before or after it, here or in a nested transaction: there is no right order of two writes at one revision.
 */
function writesOf(operations: RequestOp[]): Writes {
  throw new NotImplemented('1.4', 'Collect the puts and deletes of the operations, and throw duplicateKey() if a put meets another write.');
}

/** Return what one of the two branches may write: only one is run, so both may write the same keys. */
function writesOfEither({ success, failure }: TxnRequest): Writes {
  throw new NotImplemented('1.4', 'Return what one of the two branches may write: only one is run, so both may write the same keys.');
}

function deletesKey({ deletes }: Pick<Writes, 'deletes'>, key: string): boolean {
  return deletes.some((range) => contains(range, key));
}
