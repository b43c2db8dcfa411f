// What is wrong with a request before anyone looks at the store. A request that fails here never reaches the log.
// etcd: server/etcdserver/api/v3rpc/key.go

import { NotImplemented } from '#kit/not-implemented';
import { duplicateKey, invalidSortOption, keyNotProvided, leaseProvided, tooManyOperations, valueProvided } from './errors.ts';
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
  checkOperations(request);
  writesOf(request.success);
  writesOf(request.failure);
}

function checkOperations(request: TxnRequest): void {
  const { compare, success, failure } = request;
  if (Math.max(compare.length, success.length, failure.length) > mostOperations) throw tooManyOperations();
  for (const each of compare) checkKey(each);
  for (const { requestRange, requestPut, requestDeleteRange, requestTxn } of [...success, ...failure]) {
    if (requestRange) checkRange(requestRange);
    else if (requestPut) checkPut(requestPut);
    else if (requestDeleteRange) checkKey(requestDeleteRange);
    else if (requestTxn) checkOperations(requestTxn);
    else throw keyNotProvided();
  }
}

interface Writes {
  puts: Set<string>;
  deletes: KeyRange[];
}

/** What the operations may write. Deletes may overlap each other; puts may overlap nothing. @throws EtcdError if they do */
function writesOf(operations: RequestOp[]): Writes {
  const all: Writes = { puts: new Set(), deletes: [] };
  const add = ({ puts, deletes }: Writes) => {
    for (const key of puts) if (all.puts.has(key) || deletesKey(all, key)) throw duplicateKey();
    for (const key of all.puts) if (deletesKey({ deletes }, key)) throw duplicateKey();
    for (const key of puts) all.puts.add(key);
    all.deletes.push(...deletes);
  };
  for (const { requestPut, requestDeleteRange, requestTxn } of operations) {
    if (requestPut) add({ puts: new Set([keyText(requestPut.key)]), deletes: [] });
    if (requestDeleteRange) add({ puts: new Set(), deletes: [keyRange(requestDeleteRange.key, requestDeleteRange.rangeEnd)] });
    if (requestTxn) add(eitherOf(writesOf(requestTxn.success), writesOf(requestTxn.failure)));
  }
  return all;
}

/** Only one branch is run, so they may write the same keys. */
function eitherOf(success: Writes, failure: Writes): Writes {
  return { puts: new Set([...success.puts, ...failure.puts]), deletes: [...success.deletes, ...failure.deletes] };
}

function deletesKey({ deletes }: Pick<Writes, 'deletes'>, key: string): boolean {
  return deletes.some((range) => contains(range, key));
}
