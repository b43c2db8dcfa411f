import type { WrongSolution } from '#kit/testing/wrong-solution';

export const wrong: WrongSolution[] = [
  {
    name: 'lets the lease go, and keeps the keys',
    misunderstanding: 'A lease is about time. (It is about the keys: who holds a lock and dies must lose it.)',
    file: 'state-machine.ts',
    replace: 'for (const key of [...lease.keys].sort()) this.store.delete(change, key);',
    by: 'lease.keys.delete(String(change.revision));',
    caughtBy: 'takes its keys along when it is revoked, in one change and in their order',
  },
  {
    name: 'deletes key by key',
    misunderstanding: 'The keys of a lease have nothing to do with each other.',
    file: 'state-machine.ts',
    replace: 'for (const key of [...lease.keys].sort()) this.store.delete(change, key);',
    by: 'for (const key of [...lease.keys].sort()) this.store.commit((own) => this.store.delete(own, key) ?? change);',
    caughtBy: 'takes its keys along when it is revoked, in one change and in their order',
  },
  {
    name: 'never lets a key go',
    misunderstanding: 'A key that was put under a lease once hangs on it until the lease ends.',
    file: 'leases.ts',
    replace: 'if (prevKv) this.#leases.get(prevKv.lease)?.keys.delete(key);',
    by: 'if (prevKv) this.#leases.get(prevKv.lease)?.keys.add(key);',
    caughtBy: 'moves a key to the lease of its latest put',
  },
  {
    name: 'answers a keep-alive, and does nothing',
    misunderstanding: 'A keep-alive asks whether the lease is alive. (It is what keeps it alive.)',
    file: 'services.ts',
    replace: 'if (lease) expiry.renew(lease);',
    by: 'if (lease) expiry.remaining(ID);',
    caughtBy: 'goes when its time is up, with its keys, and stays as long as it is kept alive',
  },
  {
    name: 'adds to the time that is left',
    misunderstanding: 'Renewing a lease prolongs it. (It starts anew: else a client that beats twice as often could never die.)',
    file: 'lease-expiry.ts',
    replace: `    this.forget(id);
    this.#arm(id, this.#clock.now() + ttl * 1000);`,
    by: `    const from = Math.max(this.#clock.now(), this.#deadlines.get(id)?.at ?? 0);
    this.forget(id);
    this.#arm(id, from + ttl * 1000);`,
    caughtBy: 'has its full time again when it is renewed',
  },
  {
    name: 'forgets the timer that was set before',
    misunderstanding: 'Setting a new timer replaces the old one.',
    file: 'lease-expiry.ts',
    replace: `    this.forget(id);
    this.#arm(id, this.#clock.now() + ttl * 1000);`,
    by: '    this.#arm(id, this.#clock.now() + ttl * 1000);',
    caughtBy: 'has its full time again when it is renewed',
  },
  {
    name: 'gives an id to two leases',
    misunderstanding: 'Granting a lease that is there renews it.',
    file: 'leases.ts',
    replace: 'if (this.#leases.has(ID)) throw leaseExists();',
    by: 'if (this.#leases.has(ID) && Number(TTL) < 0) throw leaseExists();',
    caughtBy: 'says what is wrong in the words that clients know',
  },
  {
    name: 'rounds up what is left',
    misunderstanding: 'Half a second is nearly one. (Whoever is told so comes too late.)',
    file: 'lease-expiry.ts',
    replace: 'Math.floor((at - this.#clock.now()) / 1000)',
    by: 'Math.ceil((at - this.#clock.now()) / 1000)',
    caughtBy: 'has its full time again when it is renewed',
  },
  {
    name: 'refuses the longest TTL itself',
    misunderstanding: 'What is as long as the limit is too long.',
    file: 'leases.ts',
    replace: 'if (Number(TTL) > longestTtl)',
    by: 'if (Number(TTL) >= longestTtl)',
    caughtBy: 'grants the longest TTL that there is: 9,000,000,000 seconds',
  },
];
