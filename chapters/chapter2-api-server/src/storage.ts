// Objects in etcd, as JSON. An object's resourceVersion is the etcd revision of its last change; it is not stored inside
// the object but given by etcd on every read. Each write is one transaction that compares first, so no update is ever lost:
// where the comparison fails, the answer says what is there instead.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/storage/etcd3/store.go

import type { Etcd3, IKeyValue, IRequestOp, ITxnResponse } from 'etcd3';
import { NotImplemented } from '#kit/not-implemented';
import { callEtcd } from './etcd.ts';
import type { EventLeases } from './event-leases.ts';
import type { ApiObject } from './object.ts';
import { encode } from './stored-text.ts';

/** What a conditional write came to: done, or what was found instead (undefined: nothing is there). */
export type WriteResult = { written: true; object: ApiObject } | { written: false; found: ApiObject | undefined };

export interface PageRequest {
  /** Objects whose keys begin with this. */
  prefix: string;
  /** Only keys from this one on, in order; absent: from the first. */
  from?: string;
  /** At most so many; absent: all. */
  limit?: number;
  /** The state at this revision; absent: the latest. */
  revision?: number;
}

/** One of the objects of a page. */
export interface Entry {
  readonly key: string;
  readonly object: ApiObject;
  /** As etcd holds it; absent where it came from elsewhere. */
  readonly stored?: IKeyValue;
}

export interface Page {
  entries: Entry[];
  /** The store's revision that the page shows. */
  revision: number;
  /** How many more keys there are behind this page. */
  remaining: number;
}

export class Storage {
  readonly #etcd: Etcd3;
  readonly #leases: EventLeases | undefined;

  /** Without leases, events stay as everything does. */
  constructor(etcd: Etcd3, leases?: EventLeases) {
    this.#etcd = etcd;
    this.#leases = leases;
  }

  /** The object under a key; undefined when there is none. */
  async get(key: string): Promise<ApiObject | undefined> {
    throw new NotImplemented('2.1', 'Read one key of etcd');
  }

  /** Writes an object where there is none yet: one transaction, which compares the key's create revision with 0. */
  async create(key: string, object: ApiObject): Promise<WriteResult> {
    throw new NotImplemented('2.1', "Put the object (`#put`) if the key's create revision is 0; else get what is there");
  }

  /** Replaces the object that still has this resourceVersion: one transaction, which compares the key's mod revision. */
  async update(key: string, resourceVersion: string, object: ApiObject): Promise<WriteResult> {
    throw new NotImplemented('2.3', "Put the object (`#put`) if the key's mod revision is the resourceVersion; else get what is there");
  }

  /** Removes the object that still has its resourceVersion; the answer carries the removal's own. */
  async delete(key: string, object: ApiObject): Promise<WriteResult> {
    throw new NotImplemented('2.1', "Delete the key if its mod revision is still the object's resourceVersion; else get what is there");
  }

  /**
   * Objects in the order of their keys, all from one moment. Rejects with Expired for a revision that etcd has compacted, with
   * Timeout for one that is still to come.
   */
  async list({ prefix, from = prefix, limit = 0, revision }: PageRequest): Promise<Page> {
    throw new NotImplemented(
      '2.2',
      "Read a range of keys (each is an entry: `entryOf`); from, limit and revision are etcd's own; say how many keys remain",
    );
  }

  /** The operation that writes an object: its JSON, and a lease if it is an event. */
  async #put(key: string, object: ApiObject): Promise<IRequestOp> {
    const lease = await callEtcd(async () => this.#leases?.leaseFor(key));
    const put = this.#etcd.put(key).value(encode(object));
    return (lease ? put.lease(lease) : put).op();
  }

  /** The store's revision now. */
  async revision(): Promise<number> {
    const { header } = await callEtcd(() => this.#etcd.get('/registry/').exec());
    return Number(header.revision);
  }
}

/** An object as etcd holds it: its JSON, with metadata.resourceVersion, a string, from the revision of its last change. */
export function decode({ value, mod_revision }: IKeyValue): ApiObject {
  throw new NotImplemented('2.1', 'Parse the value, and give the object its resourceVersion');
}

/** The object is parsed when somebody looks into it, and not before. */
function entryOf(stored: IKeyValue): Entry {
  let object: ApiObject | undefined;
  return {
    key: stored.key.toString('utf8'),
    get object() {
      object ??= decode(stored);
      return object;
    },
    stored,
  };
}

/** A transaction's outcome as a value; the object that was written has the transaction's revision now. */
function result(object: ApiObject, { succeeded, header, responses }: ITxnResponse): WriteResult {
  const metadata = { ...object.metadata, resourceVersion: String(header.revision) };
  if (succeeded) return { written: true, object: { ...object, metadata } };
  const found = responses[0]?.response_range?.kvs[0];
  return { written: false, found: found && decode(found) };
}

/** The first key behind all keys that begin with this prefix: every prefix ends in `/`, and the next character is `0`. */
function endOfPrefix(prefix: string): string {
  return `${prefix.slice(0, -1)}0`;
}
