import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { startEtcd } from '#etcd';
import { LeaseExpiry } from '#etcd/lease-expiry';
import { FakeClock, systemRandom } from '#kit/clock';
import type { RunningComponent } from '#kit/component';
import { silentLogger } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import { type EtcdUnderTest, startEtcdUnderTest } from '#kit/testing/etcd';
import { EtcdClient, failureOf, pair, prefixEnd, type WatchConnection } from '#kit/testing/etcd-client';
import { eventually } from '#kit/testing/wait';
import { type LeaseState, type LeaseStep, leaseSteps, NaiveLeases } from './naive-leases.ts';

describe('etcd', () =>
  describe('1.6 leases', () => {
    let etcd: EtcdUnderTest | undefined;
    const open: WatchConnection[] = [];
    beforeAll(async () => {
      etcd = await startEtcdUnderTest();
    });
    beforeEach(() => NotImplemented.forget());
    afterEach(() => {
      for (const connection of open.splice(0)) connection.close();
    });
    afterAll(() => etcd?.stop());
    const client = () => {
      if (!etcd) throw new Error('etcd did not start');
      return etcd.client;
    };
    let lastId = 100_000;
    /** Ids of the tests' choice: those that a server chooses have 63 bits, more than a number holds. */
    const grant = async (TTL = 1000) => {
      lastId += 1;
      return (await client().leaseGrant({ TTL, ID: lastId })).ID;
    };
    const put = async (key: string, lease = 0) => (await client().put({ key, value: 'x', lease })).header.revision;
    const keysOf = async (ID: number) => (await client().leaseTimeToLive({ ID, keys: true })).keys.map(String).toSorted();
    const exists = async (key: string) => (await client().range({ key })).count === 1;
    const folder = (prefix: string) => ({ key: prefix, rangeEnd: prefixEnd(prefix) });

    it('grants a lease under the id that the client chose', async () => {
      expect(await client().leaseGrant({ TTL: 100, ID: 1001 })).toMatchObject({ ID: 1001, TTL: 100 });
      expect(await client().leaseTimeToLive({ ID: 1001 })).toMatchObject({ ID: 1001, grantedTTL: 100 });
    });

    it('chooses an id if the client chose none, another each time', async () => {
      expect((await client().leaseGrant({ TTL: 1000 })).ID).toBeGreaterThan(0);
      const requestWithTtl = Buffer.of(0x08, 100);
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => client().callWithBytes('/etcdserverpb.Lease/LeaseGrant', requestWithTtl)),
      );
      expect(new Set(answers.map((answer) => answer.toString('hex'))).size).toBe(20);
    });

    it.each([[0], [-5], [1]])('grants a little more than a TTL of %i second(s) if that is too short to be kept alive', async (TTL) => {
      expect((await client().leaseGrant({ TTL })).TTL).toBeGreaterThanOrEqual(1);
    });

    it('says what is wrong in the words that clients know', async () => {
      await client().leaseGrant({ TTL: 100, ID: 1002 });
      const failures = [
        await failureOf(client().leaseGrant({ TTL: 100, ID: 1002 })),
        await failureOf(client().leaseRevoke({ ID: 999 })),
        await failureOf(client().put({ key: 'unleased', lease: 999 })),
        await failureOf(client().leaseGrant({ TTL: 9_000_000_001 })),
      ];
      expect(await client().leaseGrant({ TTL: 9_000_000_000 })).toMatchObject({ TTL: 9_000_000_000 });
      expect(failures).toEqual([
        { code: 'FAILED_PRECONDITION', details: 'etcdserver: lease already exists' },
        { code: 'NOT_FOUND', details: 'etcdserver: requested lease not found' },
        { code: 'NOT_FOUND', details: 'etcdserver: requested lease not found' },
        { code: 'OUT_OF_RANGE', details: 'etcdserver: too large lease TTL' },
      ]);
      expect(await exists('unleased')).toBe(false);
    });

    it('grants the longest TTL that there is: 9,000,000,000 seconds', async () => {
      expect(await client().leaseGrant({ TTL: 9_000_000_000 })).toMatchObject({ TTL: 9_000_000_000 });
    });

    it('takes no revision for granting, keeping alive and revoking an empty lease', async () => {
      const before = await put('revision');
      const ID = await grant();
      await client().leaseKeepAlive(ID);
      await client().leaseRevoke({ ID });
      expect(await put('revision')).toBe(before + 1);
    });

    it('hangs a key on the lease that its put names', async () => {
      const ID = await grant();
      await put('hang/b', ID);
      await put('hang/a', ID);
      await put('hang/free');
      expect(await keysOf(ID)).toEqual(['hang/a', 'hang/b']);
      expect((await client().range({ key: 'hang/a' })).kvs).toMatchObject([{ lease: ID }]);
      expect((await client().leaseTimeToLive({ ID })).keys).toEqual([]);
    });

    it('takes its keys along when it is revoked, in one change and in their order', async () => {
      const ID = await grant();
      for (const key of ['revoke/c', 'revoke/a', 'revoke/b']) await put(key, ID);
      const before = await put('revoke/other');
      const stream = client().watch();
      open.push(stream);
      await stream.create(folder('revoke/'));
      await client().leaseRevoke({ ID });
      const { kvs, header } = await client().range(folder('revoke/'));
      expect(kvs.map(pair)).toEqual(['revoke/other=x']);
      expect(header.revision).toBe(before + 1);
      const told = (await stream.events(3)).map(({ type, kv }) => `${type} ${kv.key} at ${kv.modRevision - before}`);
      expect(told).toEqual(['DELETE revoke/a at 1', 'DELETE revoke/b at 1', 'DELETE revoke/c at 1']);
      expect((await client().leaseTimeToLive({ ID })).TTL).toBe(-1);
    });

    it('moves a key to the lease of its latest put', async () => {
      const [first, second] = [await grant(), await grant()];
      await put('move', first);
      await put('move', second);
      expect([await keysOf(first), await keysOf(second)]).toEqual([[], ['move']]);
      await client().leaseRevoke({ ID: first });
      expect(await exists('move')).toBe(true);
      await client().leaseRevoke({ ID: second });
      expect(await exists('move')).toBe(false);
    });

    it('lets a key go that is put without a lease', async () => {
      const ID = await grant();
      await put('freed', ID);
      await put('freed');
      expect(await keysOf(ID)).toEqual([]);
      await client().leaseRevoke({ ID });
      expect(await exists('freed')).toBe(true);
    });

    it('keeps a key that is put with ignoreLease', async () => {
      const ID = await grant();
      await put('kept', ID);
      await client().put({ key: 'kept', value: 'y', ignoreLease: true });
      expect(await keysOf(ID)).toEqual(['kept']);
    });

    it('has no claim on a key that was deleted and came back', async () => {
      const ID = await grant();
      await put('back', ID);
      await client().deleteRange({ key: 'back' });
      expect(await keysOf(ID)).toEqual([]);
      await put('back');
      await client().leaseRevoke({ ID });
      expect(await exists('back')).toBe(true);
    });

    it('is listed until it is revoked', async () => {
      const [first, second] = [await grant(), await grant()];
      const listed = async () => (await client().leaseList()).leases.map(({ ID }) => ID);
      expect(await listed()).toEqual(expect.arrayContaining([first, second]));
      await client().leaseRevoke({ ID: first });
      expect(await listed()).not.toContain(first);
      expect(await listed()).toContain(second);
    });

    it('answers a keep-alive with the TTL that was granted, or with 0 where there is no lease', async () => {
      const ID = await grant(100);
      expect(await client().leaseKeepAlive(ID)).toMatchObject({ ID, TTL: 100 });
      expect(await client().leaseKeepAlive(424242)).toMatchObject({ ID: 424242, TTL: 0 });
      expect(await client().leaseTimeToLive({ ID: 424242 })).toMatchObject({ ID: 424242, TTL: -1, grantedTTL: 0 });
    });

    it('goes when its time is up, with its keys, and stays as long as it is kept alive', async () => {
      const kept = await grant(1);
      const mortal = await grant(1);
      await put('expiry/kept', kept);
      const revision = await put('expiry/mortal', mortal);
      const stream = client().watch();
      open.push(stream);
      await stream.create({ ...folder('expiry/'), startRevision: revision + 1 });
      await eventually('the lease that nobody keeps alive has taken its key along', async () => {
        expect((await client().leaseKeepAlive(kept)).TTL).toBeGreaterThan(0);
        return !(await exists('expiry/mortal'));
      });
      expect(await exists('expiry/kept')).toBe(true);
      expect((await stream.events(1)).map(({ type, kv }) => `${type} ${kv.key}`)).toEqual(['DELETE expiry/mortal']);
      expect((await client().leaseTimeToLive({ ID: mortal })).TTL).toBe(-1);
      expect((await client().leaseKeepAlive(mortal)).TTL).toBe(0);
    });

    describe('on a clock that a test moves', () => {
      let clock: FakeClock;
      let expired: string[];
      let expiry: LeaseExpiry;
      beforeEach(() => {
        clock = new FakeClock();
        expired = [];
        expiry = new LeaseExpiry(clock, (id) => expired.push(id));
      });
      const lease = (id: string, ttl: number) => ({ id, ttl, keys: new Set<string>() });

      it('ends when its seconds are over, not earlier, and once', async () => {
        expiry.renew(lease('1', 10));
        await clock.advance(9_999);
        expect(expired).toEqual([]);
        await clock.advance(1);
        expect(expired).toEqual(['1']);
        expect(expiry.isPending('1')).toBe(false);
        await clock.advance(100_000);
        expect(expired).toEqual(['1']);
      });

      it('has its full time again when it is renewed', async () => {
        expiry.renew(lease('1', 10));
        await clock.advance(9_000);
        expect(expiry.remaining('1')).toBe(1);
        await clock.advance(500);
        expect(expiry.remaining('1')).toBe(0);
        expiry.renew(lease('1', 10));
        expect(expiry.remaining('1')).toBe(10);
        await clock.advance(9_999);
        expect(expired).toEqual([]);
        await clock.advance(1);
        expect(expired).toEqual(['1']);
        expect(expiry.remaining('1')).toBe(0);
      });

      it('ends each lease at its own time', async () => {
        for (const [id, ttl] of [
          ['a', 30],
          ['b', 10],
          ['c', 20],
        ] as const)
          expiry.renew(lease(id, ttl));
        await clock.advance(60_000);
        expect(expired).toEqual(['b', 'c', 'a']);
      });

      it('may last for centuries', async () => {
        const days = 24 * 3600;
        expiry.renew(lease('long', 100 * days));
        await clock.advance(99 * days * 1000);
        expect(expired).toEqual([]);
        expect(expiry.remaining('long')).toBe(days);
        expiry.renew(lease('longest', 9_000_000_000));
        await clock.advance(days * 1000);
        expect(expired).toEqual(['long']);
      });

      it('leaves no timer when it is forgotten, or when all ends', async () => {
        expiry.renew(lease('1', 10));
        expiry.renew(lease('1', 10));
        expiry.renew(lease('2', 10));
        expiry.forget('1');
        expect(expiry.isPending('1')).toBe(false);
        expect(clock.pending).toBe(1);
        expiry.stop();
        expect(clock.pending).toBe(0);
        await clock.advance(20_000);
        expect(expired).toEqual([]);
      });

      /** A server that lives by the test's clock. */
      const withServer = async (act: (own: EtcdClient, server: RunningComponent) => Promise<unknown>) => {
        const dataDir = await mkdtemp(join(tmpdir(), 'kubekata-etcd-'));
        const listen = { host: '127.0.0.1', port: 0 };
        const server = await startEtcd({ dataDir, listen, clock, random: systemRandom, log: silentLogger });
        const own = new EtcdClient(server.url);
        try {
          NotImplemented.forget();
          await act(own, server);
        } finally {
          own.close();
          await server.stop();
          await rm(dataDir, { recursive: true, force: true });
        }
      };

      it('takes its keys along in the server as well', () =>
        withServer(async (own, server) => {
          await own.leaseGrant({ TTL: 10, ID: 5 });
          await own.put({ key: 'mortal', lease: 5 });
          await clock.advance(9_000);
          expect(await own.leaseKeepAlive(5)).toMatchObject({ ID: 5, TTL: 10 });
          await clock.advance(9_999);
          expect((await own.range({ key: 'mortal' })).count).toBe(1);
          await clock.advance(1);
          await eventually('the lease has taken its key along', async () => (await own.range({ key: 'mortal' })).count === 0);
          await own.leaseGrant({ TTL: 10 });
          await server.stop();
          expect(clock.pending).toBe(0);
        }));

      it(
        'goes as a naive model says, whatever is granted, attached, kept alive, revoked and waited for',
        () =>
          withServer(async (own) => {
            let run = 0;
            const property = fc.asyncProperty(leaseSteps, async (steps) => {
              run += 1;
              const [prefix, before] = [`model/${run}/`, 10 * run];
              const model = new NaiveLeases();
              const outcomeOf = (call: Promise<unknown>) =>
                call.then(
                  () => 'done',
                  (error) => error.details ?? error,
                );
              const take = async (step: LeaseStep): Promise<string | number> => {
                switch (step.kind) {
                  case 'grant':
                    return outcomeOf(own.leaseGrant({ TTL: step.ttl, ID: before + step.id }));
                  case 'put':
                    return outcomeOf(own.put({ key: prefix + step.key, lease: step.id === 0 ? 0 : before + step.id }));
                  case 'delete':
                    return outcomeOf(own.deleteRange({ key: prefix + step.key }));
                  case 'revoke':
                    return outcomeOf(own.leaseRevoke({ ID: before + step.id }));
                  case 'keepAlive':
                    return (await own.leaseKeepAlive(before + step.id)).TTL;
                  case 'wait':
                    return outcomeOf(clock.advance(step.ms));
                }
              };
              const state = async (): Promise<LeaseState> => {
                const name = (key: Buffer) => key.toString().slice(prefix.length);
                const { kvs } = await own.range({ key: prefix, rangeEnd: prefixEnd(prefix) });
                const ids = (await own.leaseList()).leases.map(({ ID }) => ID).filter((ID) => ID > before);
                const leases = ids
                  .toSorted((one, other) => one - other)
                  .map(async (ID) => {
                    const { TTL: left, keys } = await own.leaseTimeToLive({ ID, keys: true });
                    return { id: ID - before, left, keys: keys.map(name) };
                  });
                return {
                  leases: await Promise.all(leases),
                  keys: kvs.map(({ key, lease }) => [name(key), lease === 0 ? 0 : lease - before]),
                };
              };
              for (const step of steps) {
                const expected = model.take(step);
                expect({ step, outcome: await take(step) }).toEqual({ step, outcome: expected });
                const isAsExpected = async () => {
                  expect({ step, ...(await state()) }).toEqual({ step, ...model.state });
                  return true;
                };
                // When a lease's time is up, the command that revokes it has yet to be carried out.
                await (step.kind === 'wait' ? eventually('all is as the model says', isAsExpected) : isAsExpected());
              }
            });
            const options = { seed: 1606, numRuns: Number(process.env.KATA_RUNS ?? 20), endOnFailure: true };
            await fc.assert(property, options).catch((error) => {
              throw NotImplemented.first ?? error;
            });
          }),
        60_000,
      );
    });
  }));
