// A read-only copy of one resource that follows the server, and a bell that rings when it changes. Register handlers, then
// start(). Handlers run one after the other, at once and in order; they should do no more than put a key into a work queue.
// Kubernetes: client-go/tools/cache/shared_informer.go

import type { KubernetesObject, Resource } from '#kit/api';
import { keyOf } from '#kit/api';
import type { Client } from '#kit/client';
import type { ComponentContext } from '#kit/component';
import type { Logger } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import { type IndexFunction, ObjectCache } from './object-cache.ts';
import { type Reflection, Reflector, type ReflectorOptions } from './reflector.ts';

export interface ChangeHandler<T> {
  added?(object: T): void;
  updated?(object: T, old: T): void;
  /** The object's last known state. */
  deleted?(object: T): void;
}

export interface InformerOptions<T> extends ReflectorOptions {
  indexes?: Record<string, IndexFunction<T>>;
}

export class Informer<T extends KubernetesObject> implements Reflection<T> {
  readonly #cache: ObjectCache<T>;
  readonly #handlers: ChangeHandler<T>[] = [];
  readonly #reflector: Reflector<T>;
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #synced = (): void => {};

  constructor(client: Client, resource: Resource<T>, context: ComponentContext, { indexes, ...options }: InformerOptions<T> = {}) {
    this.#cache = new ObjectCache(indexes);
    this.#log = context.log.with({ informer: resource.plural });
    this.#reflector = new Reflector(client, resource, context, this, options);
  }

  /** Before start(). Every handler sees the first list's objects as added. */
  onChange(handler: ChangeHandler<T>): void {
    this.#handlers.push(handler);
  }

  /**
   * Resolves when the first list is in the cache and the handlers were called for it; keeps following until stop(). A server
   * that does not answer yet is waited for. Rejects only with NotImplemented.
   */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#synced = resolve;
      this.#running = this.#reflector.run(this.#stopping.signal).then(resolve, (error) => {
        this.#log.error('the reflector ended', { error });
        reject(error);
      });
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** @param key `namespace/name`, or `name` for a cluster-scoped kind */
  get(key: string): T | undefined {
    return this.#cache.get(key);
  }

  list(namespace?: string): T[] {
    return this.#cache.list(namespace);
  }

  byIndex(index: string, value: string): T[] {
    return this.#cache.byIndex(index, value);
  }

  /** Called by the reflector. */
  replaced(objects: T[]): void {
    this.replace(objects);
    this.#synced();
  }

  /**
   * Makes the cache equal to a whole list and tells the handlers the differences, and only those: an object whose
   * resourceVersion is the cached one has not changed. What was deleted while nobody watched is reported here or never.
   */
  replace(objects: T[]): void {
    throw new NotImplemented('3.1', 'Make the cache equal to this list; tell what disappeared, what is new and what changed');
  }

  /**
   * Stores an object and tells the handlers: added when it was not there, updated (with the old state) when it was. The same name
   * with another uid is another object: the old one was deleted, the new one is added.
   */
  changed(object: T): void {
    throw new NotImplemented('3.1', 'Store the object, then call added or updated on every handler');
  }

  /** Forgets an object and tells the handlers its last state, if it was there. */
  deleted(object: T): void {
    throw new NotImplemented('3.1', 'Remove the object, then call deleted on every handler');
  }

  /** Calls every handler. One that throws is logged and disturbs neither the others nor the cache. */
  #notify(call: (handler: ChangeHandler<T>) => void): void {
    for (const handler of this.#handlers) {
      try {
        call(handler);
      } catch (error) {
        this.#log.error('a change handler failed', { error });
      }
    }
  }
}
