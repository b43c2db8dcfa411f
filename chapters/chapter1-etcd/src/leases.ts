// Leases and the keys that hang on them. When a lease goes, its keys go. How long a lease still has is not known here: that is
// a matter of time (`lease-expiry.ts`).
// etcd: server/lease/lessor.go

import { NotImplemented } from '#kit/not-implemented';
import { leaseExists, leaseNotFound, leaseTtlTooLarge } from './errors.ts';
import { keyText } from './keys.ts';
import { type Event, type LeaseGrantRequest, type LeaseId, noLease } from './messages.ts';

const longestTtl = 9_000_000_000;
/** etcd never grants less than one and a half of its election time-outs. */
const shortestTtl = 2;

export interface Lease {
  readonly id: LeaseId;
  /** Seconds. */
  readonly ttl: number;
  readonly keys: Set<string>;
}

export class Leases {
  readonly #leases = new Map<LeaseId, Lease>();

  /**
   * A TTL below `shortestTtl` is raised to it; above `longestTtl` it is refused with `leaseTtlTooLarge()`, and an id that is in use
   * with `leaseExists()`. The id is never 0 here.
   */
  grant({ ID, TTL }: LeaseGrantRequest): Lease {
    throw new NotImplemented('1.6', 'Add a lease without keys, and return it.');
  }

  /** The caller deletes the keys that hung on it. */
  revoke(id: LeaseId): Lease {
    throw new NotImplemented('1.6', 'Forget the lease, and return it; throw leaseNotFound() if there is none.');
  }

  /** @throws EtcdError if there is no such lease */
  get(id: LeaseId): Lease {
    const lease = this.#leases.get(id);
    if (!lease) throw leaseNotFound();
    return lease;
  }

  has(id: LeaseId): boolean {
    return this.#leases.has(id);
  }

  all(): Lease[] {
    return [...this.#leases.values()];
  }

  /** @throws EtcdError if a put names a lease that does not exist */
  check(id: LeaseId): void {
    if (id !== noLease) this.get(id);
  }

  /**
   * Called for every event of a key that hung on a lease before, or hangs on one now. A put moves its key to the put's lease, a delete
   * takes it off. The lease before may be gone: it is being revoked. No lease has the id of `noLease`.
   */
  follow({ kv, prevKv }: Event): void {
    throw new NotImplemented('1.6', 'Keep track of which key hangs on which lease.');
  }
}
