// Events are news, and nobody needs old news: each is written with a lease of etcd, and is gone when that runs out. One lease serves the
// events of about a minute, for etcd has to look after each. An event that is updated gets the lease of that moment.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/storage/etcd3/lease_manager.go, pkg/registry/core/event/storage/storage.go

import type { Etcd3 } from 'etcd3';
import type { Clock } from '#kit/clock';
import { Turns } from './turns.ts';

const eventsPrefix = '/registry/events/';
/** A lease is taken for longer than an event must stay, so that later events can have it, too: for a share of that time, up to a minute. */
const extraShare = 0.05;
const mostExtraSeconds = 60;
const mostObjects = 1000;

export interface EventLeasesOptions {
  etcd: Etcd3;
  clock: Clock;
  /** Whole seconds that an event stays at least. */
  ttlSeconds: number;
}

export class EventLeases {
  readonly #options: EventLeasesOptions;
  readonly #turns = new Turns<'lease'>();
  #latest = { id: '', expiresAt: 0, objects: 0 };

  constructor(options: EventLeasesOptions) {
    this.#options = options;
  }

  /** The id of the lease that goes with what is written under this key; undefined: it stays. Rejects when etcd grants none. */
  async leaseFor(key: string): Promise<string | undefined> {
    return key.startsWith(eventsPrefix) ? this.#turns.take('lease', () => this.#lease()) : undefined;
  }

  async #lease(): Promise<string> {
    const { etcd, clock, ttlSeconds } = this.#options;
    const now = clock.now();
    if (this.#latest.objects === mostObjects || now + ttlSeconds * 1000 > this.#latest.expiresAt) {
      const seconds = ttlSeconds + Math.min(Math.floor(ttlSeconds * extraShare), mostExtraSeconds);
      const { ID: id } = await etcd.leaseClient.leaseGrant({ TTL: seconds });
      this.#latest = { id, expiresAt: now + seconds * 1000, objects: 0 };
    }
    this.#latest.objects++;
    return this.#latest.id;
  }
}
