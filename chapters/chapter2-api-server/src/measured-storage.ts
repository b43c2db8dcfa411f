// The storage, and how long etcd takes for each kind of object.

import type { Etcd3 } from 'etcd3';
import type { Clock } from '#kit/clock';
import type { EventLeases } from './event-leases.ts';
import { prefixOfResource } from './keys.ts';
import type { ApiObject } from './object.ts';
import { resources } from './resources.ts';
import type { ServerMetrics } from './server-metrics.ts';
import { type Page, type PageRequest, Storage, type WriteResult } from './storage.ts';

/** `deployments.apps` by `/registry/deployments/` */
const typeOfPrefix = new Map(
  resources.map((resource) => [prefixOfResource(resource), resource.group ? `${resource.plural}.${resource.group}` : resource.plural]),
);

export class MeasuredStorage extends Storage {
  readonly #metrics: ServerMetrics;
  readonly #clock: Clock;

  constructor(etcd: Etcd3, leases: EventLeases, metrics: ServerMetrics, clock: Clock) {
    super(etcd, leases);
    this.#metrics = metrics;
    this.#clock = clock;
  }

  override get(key: string): Promise<ApiObject | undefined> {
    return this.#measured('get', key, () => super.get(key));
  }

  override create(key: string, object: ApiObject): Promise<WriteResult> {
    return this.#measured('create', key, () => super.create(key, object));
  }

  override update(key: string, resourceVersion: string, object: ApiObject): Promise<WriteResult> {
    return this.#measured('update', key, () => super.update(key, resourceVersion, object));
  }

  override delete(key: string, object: ApiObject): Promise<WriteResult> {
    return this.#measured('delete', key, () => super.delete(key, object));
  }

  override list(page: PageRequest): Promise<Page> {
    return this.#measured('list', page.prefix, () => super.list(page));
  }

  async #measured<T>(operation: string, key: string, call: () => Promise<T>): Promise<T> {
    const began = this.#clock.now();
    try {
      return await call();
    } finally {
      this.#metrics.askedEtcd(operation, typeOf(key), (this.#clock.now() - began) / 1000);
    }
  }
}

function typeOf(key: string): string {
  const [, root, first, second] = key.split('/');
  return typeOfPrefix.get(`/${root}/${first}/`) ?? typeOfPrefix.get(`/${root}/${first}/${second}/`) ?? `${second}.${first}`;
}
