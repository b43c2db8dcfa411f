// One watch cache a resource, made when the first client watches it. Each knows what happened since this server began to
// serve; who asks for older changes lists anew.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/storage/cacher/cacher.go

import type { Etcd3 } from 'etcd3';
import type { Clock } from '#kit/clock';
import type { Logger } from '#kit/log';
import { ApiError, isReason } from '#kit/status';
import { expired, statusOf } from './errors.ts';
import { isEtcdError } from './etcd.ts';
import { EtcdWatch } from './etcd-watch.ts';
import { prefixOfResource } from './keys.ts';
import type { ResourceDefinition } from './resources.ts';
import type { Storage } from './storage.ts';
import { WatchCache } from './watch-cache.ts';
import { changesOf } from './watch-events.ts';

/** Changes kept a resource: at ten changes a second, a client may be away for more than a minute and a half. */
const capacity = 1000;

interface Feed {
  cache: WatchCache;
  source: EtcdWatch;
}

export interface WatchCachesOptions {
  etcd: Etcd3;
  storage: Storage;
  clock: Clock;
  log: Logger;
}

export class WatchCaches {
  readonly #options: WatchCachesOptions;
  /** By the prefix of the resource's keys. */
  readonly #feeds = new Map<string, Feed>();
  readonly #stopping = new Set<Promise<void>>();
  #beganAt: Promise<number> | undefined;
  /** etcd has forgotten what happened up to this revision. */
  #forgotten = 0;

  constructor(options: WatchCachesOptions) {
    this.#options = options;
  }

  /** Remembers the store's revision: the caches know what happens from now on. */
  async begin(): Promise<void> {
    this.#beganAt ??= this.#options.storage.revision();
    await this.#beganAt.catch((error) => {
      this.#beganAt = undefined;
      throw error;
    });
  }

  /** etcd forgets what happened up to this revision: caches that are made from now on know nothing of it. */
  forget(revision: number): void {
    this.#forgotten = Math.max(this.#forgotten, revision);
  }

  async of(resource: ResourceDefinition): Promise<WatchCache> {
    await this.begin();
    const beganAt = Math.max((await this.#beganAt) ?? 0, this.#forgotten);
    const prefix = prefixOfResource(resource);
    const feed = this.#feeds.get(prefix) ?? this.#feed(prefix, beganAt);
    this.#feeds.set(prefix, feed);
    return feed.cache;
  }

  /** Ends every watch of a resource that is no more, or is another one from now on. */
  end(prefix: string): void {
    const feed = this.#feeds.get(prefix);
    if (!feed) return;
    this.#feeds.delete(prefix);
    feed.cache.reset(feed.cache.revision);
    const stopped = feed.source.stop().finally(() => this.#stopping.delete(stopped));
    this.#stopping.add(stopped);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#stopping, ...[...this.#feeds.values()].map(({ source }) => source.stop())]);
  }

  #feed(prefix: string, after: number): Feed {
    const { etcd, storage, clock, log } = this.#options;
    const cache = new WatchCache(capacity, after);
    const source = new EtcdWatch({
      etcd,
      prefix,
      after,
      clock,
      log,
      onMessage: (message) => {
        for (const change of changesOf(message)) cache.add(change);
        if (message.events.length === 0) cache.advanceTo(Number(message.header.revision));
      },
      onLost: async (error) => {
        const revision = await storage.revision();
        const isForgotten = isReason(error, 'Expired') || isEtcdError(error);
        cache.reset(revision, isForgotten ? expired(cache.revision, revision) : new ApiError(statusOf(error)));
        return revision;
      },
    });
    return { cache, source };
  }
}
