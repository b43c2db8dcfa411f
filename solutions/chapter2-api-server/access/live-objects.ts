// All objects of one resource, as they are now: read once, then kept up to date by the watch cache. What decides about every request
// cannot ask etcd about every request.
// Kubernetes: the informers behind each authorizer, e.g. pkg/kubeapiserver/authorizer/config.go

import { keyOf, prefixOfResource } from '../keys.ts';
import { type ApiObject, targetOf } from '../object.ts';
import type { ResourceDefinition } from '../resources.ts';
import type { Storage } from '../storage.ts';
import type { Change, WatchCache, Watcher } from '../watch-cache.ts';
import type { WatchCaches } from '../watch-caches.ts';

export interface LiveSource {
  storage: Storage;
  caches: WatchCaches;
}

export class LiveObjects<T extends ApiObject = ApiObject> implements Watcher {
  readonly #resource: ResourceDefinition;
  readonly #storage: Storage;
  readonly #caches: WatchCaches;
  readonly #onNews: () => void;
  readonly #objects = new Map<string, T>();
  #loading: Promise<void> | undefined;
  #cache: WatchCache | undefined;
  #revision = 0;

  /** `onNews` is called after each change, and when the watch has ended. */
  constructor(resource: ResourceDefinition, { storage, caches }: LiveSource, onNews: () => void = () => {}) {
    this.#resource = resource;
    this.#storage = storage;
    this.#caches = caches;
    this.#onNews = onNews;
  }

  /** Resolves when the objects are here; from then on they follow every change. Call it before each use: a broken watch begins anew. */
  async ready(): Promise<void> {
    this.#loading ??= this.#load();
    try {
      await this.#loading;
    } catch (error) {
      this.#loading = undefined;
      throw error;
    }
  }

  get(namespace: string | undefined, name: string): T | undefined {
    return this.#objects.get(keyOf({ resource: this.#resource, namespace, name }));
  }

  values(): Iterable<T> {
    return this.#objects.values();
  }

  /** Those that match and whose keys begin so, in the order of their keys. */
  select(prefix: string, matches: (object: T) => boolean): { key: string; object: T }[] {
    const found = [...this.#objects].filter(([key, object]) => key.startsWith(prefix) && matches(object));
    return found.sort(([one], [other]) => (one < other ? -1 : 1)).map(([key, object]) => ({ key, object }));
  }

  /** The store's revision that these objects are of. */
  get revision(): number {
    return Math.max(this.#revision, this.#cache?.revision ?? 0);
  }

  onChange({ object, deleted, revision }: Change): void {
    this.#revision = revision;
    const key = this.#keyOf(object);
    if (deleted) this.#objects.delete(key);
    else this.#objects.set(key, object as T);
    this.#onNews();
  }

  onEnd(): void {
    this.#loading = undefined;
    this.#onNews();
  }

  async #load(): Promise<void> {
    const cache = await this.#caches.of(this.#resource);
    const { entries, revision } = await this.#storage.list({ prefix: prefixOfResource(this.#resource) });
    this.#objects.clear();
    for (const { object } of entries) this.#objects.set(this.#keyOf(object), object as T);
    this.#cache = cache;
    this.#revision = revision;
    cache.watch(revision, this);
  }

  #keyOf(object: ApiObject): string {
    return keyOf(targetOf({ resource: this.#resource, namespace: undefined }, object));
  }
}
