// The requests on keys and values, carried out on the store: what a put, a delete and a range mean. The requests were checked
// before (`checks.ts`); what is left to refuse depends on the store's content.
// etcd: server/etcdserver/txn/txn.go

import { NotImplemented } from '#kit/not-implemented';
import { keyNotFound } from './errors.ts';
import { keyRange, keyText } from './keys.ts';
import type {
  DeleteRangeRequest,
  DeleteRangeResponse,
  KeyValue,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  SortTarget,
} from './messages.ts';
import type { Change, Store } from './store.ts';
import { plain } from './stored-key-value.ts';

/**
 * `ignoreValue` and `ignoreLease` keep what the key has; the request was refused if it has nothing (`checkPutAgainst`).
 * The request's value is a window into a buffer of the network, which lives on as long as the window does: give the store a copy
 * (`Buffer.from`).
 */
export function put(store: Store, change: Change, request: PutRequest): PutResponse {
  throw new NotImplemented('1.1', 'Put the key, and return the previous key-value if the request asks for it.');
}

/** @throws EtcdError if the put wants to keep a value or a lease of a key that does not exist. */
export function checkPutAgainst(store: Store, request: PutRequest): void {
  if ((request.ignoreValue || request.ignoreLease) && !store.get(keyText(request.key))) throw keyNotFound();
}

/** Deletes one key (stage 1.1) or a range of keys (stage 1.2). */
export function deleteRange(store: Store, change: Change, request: DeleteRangeRequest): DeleteRangeResponse {
  const deleted = request.rangeEnd.length === 0 ? deleteOne(store, change, keyText(request.key)) : deleteMany(store, change, request);
  return { deleted: deleted.length, prevKvs: request.prevKv ? deleted : [] };
}

/** Delete the key, and return what was deleted: one key-value or none. */
function deleteOne(store: Store, change: Change, key: string): KeyValue[] {
  throw new NotImplemented('1.1', 'Delete the key, and return what was deleted: one key-value or none.');
}

/** Delete every key of the range in this one change, and return what was deleted. */
function deleteMany(store: Store, change: Change, request: DeleteRangeRequest): KeyValue[] {
  throw new NotImplemented('1.2', 'Delete every key of the range in this one change, and return what was deleted.');
}

/**
 * Finds what the request asks for, then applies its options one by one. `count` is how many keys there are in the range:
 * neither the limit nor the filters on revisions change it.
 */
export function range(store: Store, request: RangeRequest): RangeResponse {
  const revision = Number(request.revision) > 0 ? Number(request.revision) : undefined;
  if (revision !== undefined) store.checkReadable(revision);
  const found = request.rangeEnd.length === 0 ? getOne(store, keyText(request.key), revision) : getMany(store, request, revision);
  const count = found.length;
  if (request.countOnly) return { kvs: [], more: false, count };

  const filtered = hasFilter(request) ? found.filter((kv) => passesFilter(kv, request)) : found;
  const isSorted = request.sortOrder === 'NONE' && request.sortTarget === 'KEY';
  const sorted = isSorted ? filtered : sortKeyValues(filtered, request.sortTarget, request.sortOrder);
  const limit = Number(request.limit);
  const { page, more } = limit > 0 ? firstPage(sorted, limit) : { page: sorted, more: false };
  const kvs = page.map(plain);
  return { kvs: request.keysOnly ? kvs.map(withoutValue) : kvs, more, count };
}

/** Look the key up, now or at a revision, and return one key-value or none. */
function getOne(store: Store, key: string, revision: number | undefined): KeyValue[] {
  throw new NotImplemented('1.1', 'Look the key up, now or at a revision, and return one key-value or none.');
}

/** List the range that the request's key and range end mean, now or at a revision. */
function getMany(store: Store, request: RangeRequest, revision: number | undefined): KeyValue[] {
  throw new NotImplemented('1.2', "List the range that the request's key and range end mean, now or at a revision.");
}

/** KEY and VALUE compare bytes, the others numbers. `NONE` with a target other than KEY means ascending. */
export function sortKeyValues(kvs: KeyValue[], target: SortTarget, order: RangeRequest['sortOrder']): KeyValue[] {
  throw new NotImplemented('1.2', 'Return the key-values in the order asked for.');
}

const compareBy: Record<SortTarget, (left: KeyValue, right: KeyValue) => number> = {
  KEY: (left, right) => left.key.compare(right.key),
  VERSION: (left, right) => left.version - right.version,
  CREATE: (left, right) => left.createRevision - right.createRevision,
  MOD: (left, right) => left.modRevision - right.modRevision,
  VALUE: (left, right) => left.value.compare(right.value),
};

/** Return the first `limit` key-values, and whether there are more. */
export function firstPage(kvs: KeyValue[], limit: number): { page: KeyValue[]; more: boolean } {
  throw new NotImplemented('1.2', 'Return the first `limit` key-values, and whether there are more.');
}

/** All the rest stays: whoever asks for keys only wants to know which of them have changed. */
export function withoutValue(kv: KeyValue): KeyValue {
  throw new NotImplemented('1.2', 'Return the key-value with an empty value.');
}

function hasFilter(request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision].some((bound) => bound !== '0');
}

/** A bound of 0 is no bound. */
function passesFilter({ modRevision, createRevision }: KeyValue, request: RangeRequest): boolean {
  const within = (revision: number, min: string, max: string) => revision >= Number(min) && (max === '0' || revision <= Number(max));
  return (
    within(modRevision, request.minModRevision, request.maxModRevision) &&
    within(createRevision, request.minCreateRevision, request.maxCreateRevision)
  );
}
