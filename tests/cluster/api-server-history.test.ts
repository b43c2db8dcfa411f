// What the API server lets etcd forget: events after their time, and old versions of everything.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Etcd3 } from 'etcd3';
import { Compaction } from '#api-server/compaction';
import { connectEtcd } from '#api-server/etcd';
import { EventLeases } from '#api-server/event-leases';
import type { ApiObject } from '#api-server/object';
import { Storage } from '#api-server/storage';
import { ConfigMaps, type Event, Events } from '#kit/api';
import { FakeClock } from '#kit/clock';
import { silentLogger } from '#kit/log';
import { startTestControlPlane } from '#kit/testing/control-plane';
import { type EtcdUnderTest, startEtcdUnderTest } from '#kit/testing/etcd';
import { eventually } from '#kit/testing/wait';

const minute = 60_000;

describe('API server: what etcd may forget', () => {
  let server: EtcdUnderTest;
  let etcd: Etcd3;
  beforeAll(async () => {
    server = await startEtcdUnderTest();
    etcd = connectEtcd([server.url]);
  });
  afterAll(async () => {
    etcd?.close();
    await server?.stop();
  });

  describe('events', () => {
    const anObject = { apiVersion: 'v1', kind: 'Event', metadata: { name: 'a' } } as ApiObject;

    async function leaseOf(key: string): Promise<string | undefined> {
      return (await etcd.get(key).exec()).kvs[0]?.lease;
    }

    it('share a lease for a minute, or for a thousand writes; other objects have none', async () => {
      const clock = new FakeClock();
      const leases = new EventLeases({ etcd, clock, ttlSeconds: 3600 });
      const storage = new Storage(etcd, leases);
      const write = async (name: string) => {
        const key = `/registry/events/default/${name}`;
        await storage.create(key, anObject);
        return leaseOf(key);
      };
      const [first, second] = await Promise.all([write('first'), write('second')]);
      expect(Number(first)).toBeGreaterThan(0);
      expect(second).toBe(first);
      await clock.advance(minute);
      expect(await write('third')).toBe(first);
      await clock.advance(1);
      const next = await write('fourth');
      expect(next).not.toBe(first);
      for (let written = 1; written < 1000; written++) expect(await leases.leaseFor('/registry/events/default/x')).toBe(next);
      expect(await write('fifth')).not.toBe(next);
      await storage.create('/registry/configmaps/default/a', anObject);
      expect(await leaseOf('/registry/configmaps/default/a')).toBe('0');
    });

    it('have an hour from their last change', async () => {
      const clock = new FakeClock();
      const storage = new Storage(etcd, new EventLeases({ etcd, clock, ttlSeconds: 3600 }));
      const key = '/registry/events/default/again';
      const { object } = (await storage.create(key, anObject)) as { object: ApiObject };
      const before = await leaseOf(key);
      await clock.advance(30 * minute);
      await storage.update(key, object.metadata.resourceVersion ?? '', object);
      const after = (await leaseOf(key)) ?? '';
      expect(after).not.toBe(before);
      const { TTL } = await etcd.leaseClient.leaseTimeToLive({ ID: after });
      expect(Number(TTL)).toBeGreaterThanOrEqual(3600);
    });

    it('are deleted when their time is over, and who watches is told', async () => {
      const plane = await startTestControlPlane({ apiServer: { eventTtlSeconds: 1 } });
      const over = new AbortController();
      try {
        const namespace = 'default';
        const told = plane.client.watch(Events, { namespace, signal: over.signal });
        await plane.client.create(ConfigMaps, { metadata: { name: 'stays', namespace } });
        const involvedObject = { kind: 'ConfigMap', name: 'stays', namespace };
        await plane.client.create(Events, { metadata: { name: 'news', namespace }, involvedObject, reason: 'Happened' } as Event);
        for (const type of ['ADDED', 'DELETED']) {
          expect((await told.next()).value).toMatchObject({ type, object: { metadata: { name: 'news' }, reason: 'Happened' } });
        }
        expect((await plane.client.list(Events, { namespace })).items).toEqual([]);
        await plane.client.get(ConfigMaps, { namespace, name: 'stays' });
      } finally {
        over.abort();
        await plane.stop();
      }
    });
  });

  describe('history', () => {
    it('is compacted up to the turn before, by one of several API servers', async () => {
      const clock = new FakeClock();
      const told: number[] = [];
      const options = { etcd, intervalMs: 5 * minute, clock, log: silentLogger, onCompact: (revision: number) => told.push(revision) };
      const compactions = [new Compaction(options), new Compaction(options)];
      const turn = async (number: number) => {
        await clock.advance(5 * minute);
        await eventually(`turn ${number}`, async () => (await etcd.get('compact_rev_key').exec()).kvs[0]?.version === `${number}`);
        // Both have had the answer of etcd to what they asked in this turn.
        await eventually('both wait again', () => clock.pending === 2);
      };
      try {
        await turn(1);
        const { header } = await etcd.put('/registry/x').value('1').exec();
        await turn(2);
        const { header: later } = await etcd.put('/registry/x').value('2').exec();
        await turn(3);
        const compacted = Math.max(...told);
        expect(compacted).toBeGreaterThanOrEqual(Number(header.revision));
        expect(compacted).toBeLessThan(Number(later.revision));
        const at = (revision: number) => etcd.get('/registry/x').revision(revision).string();
        await expect(at(compacted - 1)).rejects.toThrow('required revision has been compacted');
        expect(await at(compacted)).toBe('1');
        expect(await at(Number(later.revision))).toBe('2');
      } finally {
        for (const each of compactions) await each.stop();
      }
    });
  });
});
