// Lists from memory, for those who say that any moment will do (`resourceVersion=0`): that is how a kubelet begins, and when a thousand of them
// begin at once, etcd cannot send all pods to each. A resource is kept in memory from the first time that somebody asks so.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/storage/cacher/cacher.go, GetList; delegator/interface.go, ShouldDelegateList

import { isWritten } from '#kit/is-written';
import { LiveObjects, type LiveSource } from './access/live-objects.ts';
import { revisionReached } from './etcd-watch.ts';
import { prefixOf, prefixOfResource } from './keys.ts';
import { type ListQuery, listObjects, type ObjectList } from './list.ts';
import type { Collection } from './object.ts';
import { WatchCache } from './watch-cache.ts';
import { changesOf } from './watch-events.ts';

export class LiveLists {
  readonly #source: LiveSource;
  readonly #canWatch = canWatch();
  /** By the prefix of the resource's keys. */
  readonly #live = new Map<string, LiveObjects>();

  constructor(source: LiveSource) {
    this.#source = source;
  }

  /** What `listObjects` answers, from memory where that will do; those objects are read-only. */
  list(collection: Collection, query: ListQuery): Promise<ObjectList> {
    const { resourceVersion, resourceVersionMatch: match = 'NotOlderThan', limit, continue: token } = query;
    const isAnyMoment = resourceVersion === '0' && match === 'NotOlderThan' && !limit && !token;
    // Of what a definition made, the next one may make something else.
    if (!isAnyMoment || collection.resource.custom || !this.#canWatch) return listObjects(this.#source.storage, collection, query);
    return this.#fromMemory(collection, query);
  }

  async #fromMemory(collection: Collection, { selector = () => true }: ListQuery): Promise<ObjectList> {
    const key = prefixOfResource(collection.resource);
    const live = this.#live.get(key) ?? new LiveObjects(collection.resource, this.#source);
    this.#live.set(key, live);
    await live.ready();
    const items = live.select(prefixOf(collection), selector);
    return { items, metadata: { resourceVersion: String(live.revision) } };
  }
}

/** While watches are not written, every list comes from etcd. */
function canWatch(): boolean {
  return isWritten(() => {
    const cache = new WatchCache(1, 0);
    cache.watch(0, { onChange: () => {}, onEnd: () => {} });
    cache.add({ revision: 1, object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }, previous: undefined, deleted: false });
    const nothing = { events: [], header: { revision: '1' } } as unknown as Parameters<typeof changesOf>[0];
    revisionReached(nothing, changesOf(nothing).length);
  });
}
