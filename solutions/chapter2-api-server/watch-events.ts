// From a change in the store to the event that one watcher sees. With a selector, a watcher sees a part of the world: an
// object that comes into that part is ADDED to it, one that leaves it is DELETED, whatever happened to it otherwise.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/storage/cacher/cache_watcher.go, convertToWatchEvent

import type { IWatchResponse } from 'etcd3';
import { expired } from './errors.ts';
import type { Selector } from './list.ts';
import type { ApiObject } from './object.ts';
import { decode } from './storage.ts';
import type { Change } from './watch-cache.ts';

export interface WatchEvent {
  type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  object: object;
}

/**
 * What a change means to a watcher that selects some objects; undefined when it is none of its business.
 * A DELETED event shows the object as it was when it last matched, with the resourceVersion of the change that ended that.
 *
 * @exercise 2.4 Tell ADDED, MODIFIED and DELETED apart by whether the object matched before and matches now
 */
export function eventOf({ object, previous, deleted }: Change, selects: Selector = () => true): WatchEvent | undefined {
  const before = previous !== undefined && selects(previous);
  const now = !deleted && selects(object);
  if (now) return { type: before ? 'MODIFIED' : 'ADDED', object };
  if (!before) return undefined;
  return { type: 'DELETED', object: withResourceVersion(previous, object.metadata.resourceVersion) };
}

/**
 * The changes that etcd reports in one message, in order. A deletion (`type` is DELETE in etcd's protocol; the client library
 * writes it `Delete`, so compare without regard to capitals) tells nothing but the key, so the object comes from the previous
 * value. Throws `expired` when a previous value is missing though there was one (a deletion, or a `version` above 1): etcd has
 * compacted it, and what the change means can no longer be told.
 *
 * @exercise 2.4 Turn etcd's events into changes of objects
 */
export function changesOf({ events }: IWatchResponse): Change[] {
  return events.map(({ type, kv, prev_kv }) => {
    const deleted = type.toUpperCase() === 'DELETE';
    const revision = Number(kv.mod_revision);
    const previous = prev_kv?.value.length ? decode(prev_kv) : undefined;
    if (!previous && (deleted || Number(kv.version) > 1)) throw expired(revision, revision);
    const object = deleted && previous ? withResourceVersion(previous, String(revision)) : decode(kv);
    return { revision, object, previous, deleted };
  });
}

function withResourceVersion(object: ApiObject, resourceVersion: string | undefined): ApiObject {
  return { ...object, metadata: { ...object.metadata, ...(resourceVersion ? { resourceVersion } : {}) } };
}
