// The objects an informer knows, by key, with indexes that are kept up to date one change at a time, so a question costs as
// much as its answer and not as much as the cluster. Callers must not change what they get: everybody shares these objects.
// Kubernetes: client-go/tools/cache/thread_safe_store.go

import { type KubernetesObject, keyOf } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';

/** The values under which an object is found: `pod => [pod.spec.nodeName]`. */
export type IndexFunction<T> = (object: T) => string[];

export class ObjectCache<T extends KubernetesObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexFunctions: Map<string, IndexFunction<T>>;
  /** index → value → key → object */
  readonly #indexes = new Map<string, Map<string, Map<string, T>>>();

  constructor(indexes: Record<string, IndexFunction<T>> = {}) {
    this.#indexFunctions = new Map(Object.entries({ ...indexes, namespace: namespaceOf }));
    for (const name of this.#indexFunctions.keys()) this.#indexes.set(name, new Map());
  }

  get size(): number {
    return this.#objects.size;
  }

  keys(): string[] {
    return [...this.#objects.keys()];
  }

  /** @param key `namespace/name`, or `name` for a cluster-scoped kind */
  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  /** Every object, or those of one namespace. */
  list(namespace?: string): T[] {
    return namespace === undefined ? [...this.#objects.values()] : this.byIndex('namespace', namespace);
  }

  /** The objects whose index function gives `value`. Throws when there is no such index. */
  byIndex(index: string, value: string): T[] {
    const entries = this.#indexes.get(index);
    if (!entries) throw new TypeError(`there is no index "${index}"; there are: ${[...this.#indexes.keys()].join(', ')}`);
    return [...(entries.get(value)?.values() ?? [])];
  }

  /**
   * Stores the object under its key in place of the one that was there, and gives that one back. Every index loses the old
   * object's values and gains the new one's; no other object is looked at.
   */
  set(object: T): T | undefined {
    throw new NotImplemented('3.1', 'Store the object under its key, move it in every index, return the object that was there before');
  }

  /** Forgets the object with this key, in every index too, and gives it back. */
  delete(key: string): T | undefined {
    throw new NotImplemented('3.1', 'Remove the object and its index entries, return what was there');
  }
}

function namespaceOf(object: KubernetesObject): string[] {
  return object.metadata?.namespace === undefined ? [] : [object.metadata.namespace];
}
