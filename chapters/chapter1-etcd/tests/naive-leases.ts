// Leases as simple as can be: a deadline each, and each key's lease. Time passes when a step says so.

import fc from 'fast-check';

export type LeaseStep =
  | { kind: 'grant'; id: number; ttl: number }
  | { kind: 'put'; key: string; id: number }
  | { kind: 'delete'; key: string }
  | { kind: 'revoke'; id: number }
  | { kind: 'keepAlive'; id: number }
  | { kind: 'wait'; ms: number };

export interface LeaseState {
  /** `left` in whole seconds; ordered by id. */
  leases: { id: number; left: number; keys: string[] }[];
  /** With its lease, 0: none; ordered by key. */
  keys: [string, number][];
}

const id = fc.integer({ min: 1, max: 3 });
const key = fc.constantFrom('a', 'b', 'c');

export const leaseSteps: fc.Arbitrary<LeaseStep[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('grant' as const), id, ttl: fc.integer({ min: 1, max: 12 }) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('put' as const), key, id: fc.integer({ min: 0, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('revoke' as const), id }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('keepAlive' as const), id }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 7000 }) }) },
  ),
  { minLength: 4, maxLength: 25 },
);

const notFound = 'etcdserver: requested lease not found';

export class NaiveLeases {
  #now = 0;
  readonly #leases = new Map<number, { ttl: number; until: number }>();
  readonly #keys = new Map<string, number>();

  get state(): LeaseState {
    const keys = [...this.#keys].toSorted();
    const leases = [...this.#leases].map(([lease, { until }]) => ({
      id: lease,
      left: Math.floor((until - this.#now) / 1000),
      keys: keys.filter(([, on]) => on === lease).map(([name]) => name),
    }));
    return { leases: leases.toSorted((one, other) => one.id - other.id), keys };
  }

  /** Returns what etcd answers: an error, a keep-alive's TTL, or that it is done. */
  take(step: LeaseStep): string | number {
    switch (step.kind) {
      case 'grant': {
        if (this.#leases.has(step.id)) return 'etcdserver: lease already exists';
        const ttl = Math.max(step.ttl, 2);
        this.#leases.set(step.id, { ttl, until: this.#now + ttl * 1000 });
        return 'done';
      }
      case 'put':
        if (step.id !== 0 && !this.#leases.has(step.id)) return notFound;
        this.#keys.set(step.key, step.id);
        return 'done';
      case 'delete':
        this.#keys.delete(step.key);
        return 'done';
      case 'revoke':
        return this.#end(step.id) ? 'done' : notFound;
      case 'keepAlive': {
        const lease = this.#leases.get(step.id);
        if (lease) lease.until = this.#now + lease.ttl * 1000;
        return lease?.ttl ?? 0;
      }
      case 'wait':
        this.#now += step.ms;
        for (const [lease, { until }] of this.#leases) if (until <= this.#now) this.#end(lease);
        return 'done';
    }
  }

  #end(lease: number): boolean {
    for (const [name, on] of this.#keys) if (on === lease) this.#keys.delete(name);
    return this.#leases.delete(lease);
  }
}
