// etcd as simple as can be: a whole copy of all keys for every revision. Slow, and easy to believe. Requests and answers are as on
// the wire; `normalized` leaves of a real answer what the model knows.

import type { Compare, DeleteRangeRequest, PutRequest, RangeRequest, RequestOp, TxnRequest } from '#kit/testing/etcd-client';

interface Entry {
  value: string;
  create: number;
  mod: number;
  version: number;
}
type Keys = Map<string, Entry>;
export type Outcome = { error: string } | { revision: number; result: unknown };

const compacted = 'etcdserver: mvcc: required revision has been compacted';
const future = 'etcdserver: mvcc: required revision is a future revision';

export class NaiveModel {
  #revision: number;
  #compacted: number;
  /** Every revision's keys; before the first one there were none. */
  readonly #history = new Map<number, Keys>();

  constructor(revision: number, compactedRevision: number) {
    this.#revision = revision;
    this.#compacted = compactedRevision;
  }

  get revision(): number {
    return this.#revision;
  }

  get compactedRevision(): number {
    return this.#compacted;
  }

  range(request: RangeRequest): Outcome {
    return this.#transact({ success: [{ requestRange: request }] }, first);
  }

  put(request: PutRequest): Outcome {
    return this.#transact({ success: [{ requestPut: request }] }, first);
  }

  deleteRange(request: DeleteRangeRequest): Outcome {
    return this.#transact({ success: [{ requestDeleteRange: request }] }, first);
  }

  txn(request: TxnRequest): Outcome {
    return this.#transact(request, (whole) => whole);
  }

  compact(revision: number): Outcome {
    if (revision <= this.#compacted) return { error: compacted };
    if (revision > this.#revision) return { error: future };
    this.#compacted = revision;
    return { revision: this.#revision, result: {} };
  }

  #transact(request: TxnRequest, answer: (whole: { succeeded: boolean; responses: unknown[] }) => unknown): Outcome {
    for (const list of [request.success ?? [], request.failure ?? []]) {
      if (branchesOf(list).some(writesTwice)) return { error: 'etcdserver: duplicate key given in txn request' };
    }
    const before = this.#at(this.#revision);
    const error = this.#problem(before, request);
    if (error) return { error };
    const after: Keys = new Map(before);
    const next = this.#revision + 1;
    let isWritten = false;
    const run = (txn: TxnRequest): { succeeded: boolean; responses: unknown[] } => {
      const succeeded = (txn.compare ?? []).every((compare) => holds(before, compare));
      const list = (succeeded ? txn.success : txn.failure) ?? [];
      return { succeeded, responses: list.map(operate) };
    };
    const operate = ({ requestPut, requestDeleteRange, requestRange, requestTxn }: RequestOp): unknown => {
      if (requestPut) {
        const { key, value, prevKv } = requestPut;
        const previous = after.get(String(key));
        after.set(String(key), {
          value: requestPut.ignoreValue ? (previous?.value ?? '') : String(value),
          create: previous?.create ?? next,
          mod: next,
          version: (previous?.version ?? 0) + 1,
        });
        isWritten = true;
        return { prevKv: prevKv && previous ? shown(String(key), previous) : null };
      }
      if (requestDeleteRange) {
        const deleted = select(after, requestDeleteRange);
        for (const [key] of deleted) after.delete(key);
        isWritten ||= deleted.length > 0;
        return { deleted: deleted.length, prevKvs: requestDeleteRange.prevKv ? deleted.map(([key, entry]) => shown(key, entry)) : [] };
      }
      if (requestRange) {
        const found = select(requestRange.revision ? this.#at(requestRange.revision) : after, requestRange);
        const limit = requestRange.limit || found.length;
        const kvs = found.slice(0, limit).map(([key, entry]) => shown(key, entry));
        return { kvs, count: found.length, more: found.length > limit };
      }
      return run(requestTxn as TxnRequest);
    };
    const result = answer(run(request));
    if (isWritten) {
      this.#revision = next;
      this.#history.set(next, after);
    }
    return { revision: this.#revision, result };
  }

  /** Why one of the operations that would be run cannot be. */
  #problem(keys: Keys, { compare = [], success = [], failure = [] }: TxnRequest): string | undefined {
    const list = compare.every((each) => holds(keys, each)) ? success : failure;
    for (const { requestRange, requestPut, requestTxn } of list) {
      const revision = requestRange?.revision ?? 0;
      if (revision > this.#revision) return future;
      if (revision > 0 && revision < this.#compacted) return compacted;
      if (requestPut?.ignoreValue && !keys.has(String(requestPut.key))) return 'etcdserver: key not found';
      const inner = requestTxn && this.#problem(keys, requestTxn);
      if (inner) return inner;
    }
    return undefined;
  }

  #at(revision: number): Keys {
    return this.#history.get(revision) ?? new Map();
  }
}

/** What the model knows of a real answer to a transaction, or to a single request. */
export function normalized(answer: unknown): unknown {
  if (Buffer.isBuffer(answer)) return answer.toString();
  if (Array.isArray(answer)) return answer.map(normalized);
  if (typeof answer !== 'object' || answer === null) return answer;
  const { header: _, response: __, lease: ___, ...fields } = answer as Record<string, unknown>;
  const only = Object.entries(fields).find(([name]) => name.startsWith('response') && name !== 'responses');
  if (only) return normalized(only[1]);
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, normalized(value)]));
}

function first({ responses }: { responses: unknown[] }): unknown {
  return responses[0];
}

function shown(key: string, { value, create, mod, version }: Entry): unknown {
  return { key, value, createRevision: create, modRevision: mod, version };
}

function select(keys: Keys, { key, rangeEnd }: { key: string | Uint8Array; rangeEnd?: string | Uint8Array }): [string, Entry][] {
  const [from, to] = [String(key), rangeEnd === undefined ? '' : String(rangeEnd)];
  const isIn = (each: string) => (to === '' ? each === from : each >= from && each < to);
  return [...keys].filter(([each]) => isIn(each)).sort(([left], [right]) => (left < right ? -1 : 1));
}

function holds(keys: Keys, compare: Compare): boolean {
  const found = select(keys, compare);
  if (found.length > 0) return found.every(([, entry]) => holdsFor(entry, compare));
  return compare.target !== 'VALUE' && holdsFor({ value: '', create: 0, mod: 0, version: 0 }, compare);
}

function holdsFor({ value, create, mod, version }: Entry, compare: Compare): boolean {
  const sides: Record<Compare['target'], [number | string, number | string]> = {
    VALUE: [value, String(compare.value ?? '')],
    CREATE: [create, compare.createRevision ?? 0],
    MOD: [mod, compare.modRevision ?? 0],
    VERSION: [version, compare.version ?? 0],
    LEASE: [0, compare.lease ?? 0],
  };
  const [left, right] = sides[compare.target];
  if (compare.result === 'NOT_EQUAL') return left !== right;
  if (compare.result === 'GREATER') return left > right;
  if (compare.result === 'LESS') return left < right;
  return left === right;
}

/** Every list of operations that might be run, nested ones written out. */
function branchesOf(list: RequestOp[]): RequestOp[][] {
  return list.reduce<RequestOp[][]>(
    (branches, operation) => {
      const { requestTxn } = operation;
      const here = requestTxn ? [...branchesOf(requestTxn.success ?? []), ...branchesOf(requestTxn.failure ?? [])] : [[operation]];
      return branches.flatMap((branch) => here.map((more) => [...branch, ...more]));
    },
    [[]],
  );
}

function writesTwice(operations: RequestOp[]): boolean {
  return operations.some(({ requestPut }, index) => {
    if (!requestPut) return false;
    const key = String(requestPut.key);
    return operations.some((other, otherIndex) => {
      if (otherIndex === index) return false;
      if (other.requestPut) return String(other.requestPut.key) === key;
      const nothing: Entry = { value: '', create: 0, mod: 0, version: 0 };
      return other.requestDeleteRange !== undefined && select(new Map([[key, nothing]]), other.requestDeleteRange).length > 0;
    });
  });
}
