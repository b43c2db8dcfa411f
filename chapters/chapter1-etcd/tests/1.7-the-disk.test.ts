import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startEtcd } from '#etcd';
import { DiskJournal } from '#etcd/journal';
import { LogFile } from '#etcd/log-file';
import { decodeRecords, encodeRecord } from '#etcd/records';
import { readSnapshot, writeSnapshot } from '#etcd/snapshot-file';
import { seededRandom, systemClock, systemRandom } from '#kit/clock';
import { silentLogger } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import { type EtcdUnderTest, startEtcdUnderTest } from '#kit/testing/etcd';
import { EtcdClient, failureOf, pair, prefixEnd } from '#kit/testing/etcd-client';
import { isUpstream } from '#kit/testing/upstream-etcd';
import { withDeadline } from '#kit/testing/wait';
import { PowerFailureDisk } from './power-failure.ts';

describe('etcd', () =>
  describe('1.7 the disk', () => {
    const cleanUp: (() => unknown)[] = [];
    beforeEach(() => NotImplemented.forget());
    afterEach(async () => {
      for (let step = cleanUp.pop(); step; step = cleanUp.pop()) await step();
    });
    const everything = { key: '\0', rangeEnd: '\0' };
    const bytes = (text: string) => Buffer.from(text);

    describe('a server', () => {
      const start = async (): Promise<EtcdUnderTest> => {
        const etcd = await startEtcdUnderTest({ durable: true });
        cleanUp.push(() => etcd.stop());
        return etcd;
      };

      it('has everything again after a restart: values, numbers, history', async () => {
        const etcd = await start();
        const first = (await etcd.client.put({ key: 'a', value: 'one' })).header.revision;
        await etcd.client.put({ key: 'a', value: 'two' });
        await etcd.client.put({ key: 'gone', value: '1' });
        await etcd.client.deleteRange({ key: 'gone' });
        await etcd.client.txn({ success: [{ requestPut: { key: 'b', value: '1' } }, { requestPut: { key: 'c', value: '1' } }] });
        const before = await etcd.client.range(everything);
        await etcd.restart();
        const after = await etcd.client.range(everything);
        expect(after.kvs).toEqual(before.kvs);
        expect(after.header.revision).toBe(before.header.revision);
        expect((await etcd.client.range({ key: 'a', revision: first })).kvs.map(pair)).toEqual(['a=one']);
        expect((await etcd.client.put({ key: 'a', value: 'three' })).header.revision).toBe(before.header.revision + 1);
      });

      it('remembers what is compacted, and that leases have keys', async () => {
        const etcd = await start();
        const old = (await etcd.client.put({ key: 'a', value: 'one' })).header.revision;
        const { header } = await etcd.client.put({ key: 'a', value: 'two' });
        await etcd.client.compact(header.revision);
        await etcd.client.leaseGrant({ TTL: 1000, ID: 77 });
        await etcd.client.put({ key: 'leased', lease: 77 });
        await etcd.restart();
        expect((await failureOf(etcd.client.range({ key: 'a', revision: old }))).code).toBe('OUT_OF_RANGE');
        expect((await etcd.client.leaseTimeToLive({ ID: 77, keys: true })).keys.map(String)).toEqual(['leased']);
        await etcd.client.leaseRevoke({ ID: 77 });
        expect((await etcd.client.range({ key: 'leased' })).count).toBe(0);
      });

      it('tells a watcher after a restart what happened before it', async () => {
        const etcd = await start();
        const revision = (await etcd.client.put({ key: 'told', value: 'one' })).header.revision;
        await etcd.client.put({ key: 'told', value: 'two' });
        await etcd.restart();
        const stream = etcd.client.watch();
        cleanUp.push(() => stream.close());
        await stream.create({ key: 'told', startRevision: revision, prevKv: true });
        const events = await stream.events(2);
        expect(events.map(({ kv, prevKv }) => [pair(kv), prevKv && pair(prevKv)])).toEqual([
          ['told=one', null],
          ['told=two', 'told=one'],
        ]);
      });
    });

    // What follows puts a disk of its own under the server, which only works with ours.
    if (isUpstream) return;

    describe('records', () => {
      const records = ['one', 'the second', 'three'].map((text) => encodeRecordOf(text));
      function encodeRecordOf(text: string) {
        return () => encodeRecord(bytes(text));
      }
      const content = () => Buffer.concat(records.map((encode) => encode()));

      it('are read as they were written', () => {
        const large = Buffer.alloc(100_000, 'x');
        const { payloads, end, rest } = decodeRecords(Buffer.concat([content(), encodeRecord(large)]));
        expect(payloads.map((payload) => payload.length)).toEqual([3, 10, 5, 100_000]);
        expect(payloads.slice(0, 3).map(String)).toEqual(['one', 'the second', 'three']);
        expect({ end, rest }).toEqual({ end: content().length + encodeRecord(large).length, rest: 'nothing' });
        expect(decodeRecords(Buffer.alloc(0))).toEqual({ payloads: [], end: 0, rest: 'nothing' });
      });

      it('are torn wherever the file is cut, and those before are whole', () => {
        const whole = content();
        const ends = [0, 1, 2, 3].map((count) => Buffer.concat(records.slice(0, count).map((encode) => encode())).length);
        for (let size = 0; size <= whole.length; size++) {
          const count = ends.filter((end) => end <= size).length - 1;
          const { payloads, end, rest } = decodeRecords(whole.subarray(0, size));
          expect({ size, count: payloads.length, end, rest }).toEqual({
            size,
            count,
            end: ends[count],
            rest: end === size ? 'nothing' : 'torn',
          });
        }
      });

      it('are torn where the file grew and its content did not arrive', () => {
        const whole = content();
        expect(decodeRecords(Buffer.concat([whole, Buffer.alloc(700)]))).toMatchObject({ end: whole.length, rest: 'torn' });
        const last = encodeRecord(Buffer.alloc(3000, 'x'));
        const lost = Buffer.concat([whole, last]);
        lost.fill(0, 1024, 1536);
        expect(decodeRecords(lost)).toMatchObject({ end: whole.length, rest: 'torn' });
      });

      it('are damaged where content is lost and a record stands behind it', () => {
        const [whole, lost, behind] = [content(), encodeRecord(Buffer.alloc(3000, 'x')), encodeRecord(Buffer.from('later'))];
        lost.fill(0, 1024, 2048);
        expect(decodeRecords(Buffer.concat([whole, lost, behind]))).toMatchObject({ end: whole.length, rest: 'damaged' });
      });

      it('are damaged by any bit that flips', () => {
        const whole = content();
        for (let bit = 0; bit < whole.length * 8; bit++) {
          const flipped = Buffer.from(whole);
          flipped.writeUInt8((flipped[bit >> 3] as number) ^ (1 << (bit & 7)), bit >> 3);
          expect({ bit, rest: decodeRecords(flipped).rest }).toEqual({ bit, rest: 'damaged' });
        }
      });
    });

    describe('a log', () => {
      const open = async (disk: PowerFailureDisk) => {
        const { log, payloads } = await LogFile.open(disk, '/data/log');
        return { log, texts: payloads.map(String) };
      };

      it('is safe when append resolves, whatever the power does', async () => {
        const disk = new PowerFailureDisk();
        const { log } = await open(disk);
        await log.append([bytes('one'), bytes('two')]);
        await log.append([bytes('three')]);
        for (let seed = 0; seed < 20; seed++) {
          expect((await open(disk.afterPowerFailure(seededRandom(seed)))).texts).toEqual(['one', 'two', 'three']);
        }
      });

      it('goes on behind the last whole record when the one behind it was cut short', async () => {
        const disk = new PowerFailureDisk();
        const { log } = await open(disk);
        await log.append([bytes('one')]);
        disk.tamper('/data/log', (content) => Buffer.concat([content, encodeRecord(bytes('cut short')).subarray(0, 15)]));
        const again = await open(disk);
        expect(again.texts).toEqual(['one']);
        await again.log.append([bytes('two')]);
        expect((await open(disk)).texts).toEqual(['one', 'two']);
      });

      it('can be opened again when the power fails after a torn record was cut off', async () => {
        for (let moment = 0; moment < 6; moment++) {
          for (let seed = 0; seed < 20; seed++) {
            const disk = new PowerFailureDisk();
            const { log } = await open(disk);
            await log.append([bytes('one')]);
            disk.tamper('/data/log', (content) => Buffer.concat([content, encodeRecord(Buffer.alloc(200, 'x')).subarray(0, 150)]));
            disk.failAfter(moment);
            await Promise.race([disk.off, open(disk).then((again) => again.log.append([bytes('two')]))]);
            const { texts } = await open(disk.afterPowerFailure(seededRandom(seed)));
            expect([['one'], ['one', 'two']]).toContainEqual(texts);
          }
        }
      });

      it('is not opened when a record is damaged, and the error says where', async () => {
        const disk = new PowerFailureDisk();
        const { log } = await open(disk);
        await log.append([bytes('one'), bytes('two'), bytes('three')]);
        const second = encodeRecord(bytes('one')).length;
        disk.tamper('/data/log', (content) => content.fill('X', second + 13, second + 14));
        await expect(open(disk)).rejects.toThrow(`/data/log is damaged at byte ${second}`);
      });
    });

    describe('a snapshot', () => {
      const path = '/data/snapshot';
      const payloads = () => ['one', 'two', 'three'].map(bytes);

      it('gives back what was written, and has a size and a hash that etcdctl accepts', async () => {
        const disk = new PowerFailureDisk();
        const size = await writeSnapshot(disk, path, payloads());
        expect(size % 512).toBe(32);
        expect((await disk.read(path)).length).toBe(size);
        const read = (await readSnapshot(disk, path)).map(String).filter((text) => text !== '');
        expect(read).toEqual(['one', 'two', 'three']);
      });

      it('is refused when any byte of it has changed', async () => {
        const disk = new PowerFailureDisk();
        const size = await writeSnapshot(disk, path, payloads());
        for (const at of [0, 14, 300, size - 1]) {
          await writeSnapshot(disk, path, payloads());
          disk.tamper(path, (content) => content.fill((content[at] as number) ^ 1, at, at + 1));
          await expect(readSnapshot(disk, path)).rejects.toThrow(`${path} is damaged`);
        }
      });

      it('has nothing in it of one that was begun before and never finished', async () => {
        const disk = new PowerFailureDisk();
        const unfinished = await disk.openForAppending(`${path}.tmp`);
        unfinished.append(encodeRecord(bytes('begun')));
        await unfinished.sync();
        await writeSnapshot(disk, path, payloads());
        expect((await readSnapshot(disk, path)).map(String).filter((text) => text !== '')).toEqual(['one', 'two', 'three']);
        expect(disk.paths()).toEqual([path]);
      });

      it('is the old one or the new one, at whatever moment the power fails', async () => {
        for (let moment = 0; moment < 25; moment++) {
          const disk = new PowerFailureDisk();
          await writeSnapshot(disk, path, [bytes('old')]);
          disk.failAfter(moment);
          await Promise.race([writeSnapshot(disk, path, payloads()), disk.off]);
          for (let seed = 0; seed < 5; seed++) {
            const read = (await readSnapshot(disk.afterPowerFailure(seededRandom(seed)), path)).map(String).filter((text) => text !== '');
            expect(['old', 'one two three']).toContain(read.join(' '));
          }
        }
      });
    });

    describe('a journal', () => {
      const open = async (disk: PowerFailureDisk) => {
        const found: string[] = [];
        const journal = await DiskJournal.open(disk, '/data', {
          restore: (payloads) => found.push(...payloads.map(String).filter((text) => text !== '')),
          replay: (payload) => found.push(String(payload)),
        });
        return { journal, found };
      };

      it('shares a turn of the disk among all who wait, and answers them in order', async () => {
        const disk = new PowerFailureDisk();
        const { journal } = await open(disk);
        const before = disk.syncs;
        const answered: number[] = [];
        const texts = Array.from({ length: 100 }, (_, index) => `${index}`);
        await Promise.all(texts.map((text, index) => journal.append([bytes(text)]).then(() => answered.push(index))));
        expect(disk.syncs - before).toBeLessThanOrEqual(5);
        expect(answered.map(String)).toEqual(texts);
        await journal.close();
        expect((await open(disk)).found).toEqual(texts);
      });

      it('is over when a sync fails, for those who wait and for all who come later', async () => {
        const disk = new PowerFailureDisk();
        const { journal } = await open(disk);
        await journal.append([bytes('safe')]);
        disk.syncError = new Error('input/output error');
        const outcome = (text: string) =>
          journal.append([bytes(text)]).then(
            () => `${text} is safe`,
            (error) => `${text}: ${error.message}`,
          );
        const first = outcome('first');
        const waiting = [outcome('second'), outcome('third')];
        expect(await first).toBe('first: input/output error');
        disk.syncError = undefined;
        const later = [...waiting, outcome('fourth')];
        expect(await withDeadline('an answer to those who wait', Promise.all(later), { within: 2000 })).toEqual([
          'second: input/output error',
          'third: input/output error',
          'fourth: input/output error',
        ]);
        await journal.close();
        expect((await open(disk)).found[0]).toBe('safe');
      });

      it('does not believe a snapshot that was never finished, and takes it away', async () => {
        const disk = new PowerFailureDisk();
        const { journal } = await open(disk);
        await journal.append([bytes('one')]);
        await writeSnapshot(disk, '/data/snapshot-0000000000000009.tmp', [bytes('never true')]);
        await journal.close();
        expect((await open(disk)).found).toEqual(['one']);
        expect(disk.paths()).toEqual(['/data/log-0000000000000000']);
      });

      it('needs no more log than since its last snapshot', async () => {
        const disk = new PowerFailureDisk();
        const { journal } = await open(disk);
        const all: string[] = [];
        for (let round = 0; round < 10; round++) {
          for (let index = 0; index < 20; index++) all.push(`${round}.${index}`);
          await journal.append(all.slice(-20).map(bytes));
          await journal.replaceBySnapshot(all.length, all.map(bytes));
        }
        await journal.append([bytes('last')]);
        expect(journal.logSize).toBeLessThan(100 * 20);
        expect(disk.paths().length).toBeLessThanOrEqual(3);
        await journal.close();
        expect((await open(disk)).found).toEqual([...all, 'last']);
      });

      it('loses nothing that it has acknowledged and invents nothing, whenever the power fails', async () => {
        for (let seed = 1; seed <= 150; seed++) {
          const random = seededRandom(seed);
          let disk = new PowerFailureDisk();
          const written: string[] = [];
          let acknowledged = 0;
          for (let life = 0; life < 3; life++) {
            disk.failAfter(1_000_000);
            const { journal, found } = await open(disk);
            const story = `seed ${seed}, life ${life}`;
            expect({ story, found }).toEqual({ story, found: written.slice(0, found.length) });
            expect(found.length).toBeGreaterThanOrEqual(acknowledged);
            written.splice(found.length);
            acknowledged = found.length;
            disk.failAfter(Math.floor(random() * 60));
            await Promise.race([disk.off, work(journal, random)]);
            disk = disk.afterPowerFailure(random);
          }

          async function work(journal: DiskJournal, chance: () => number): Promise<void> {
            while (true) {
              const batch = Array.from({ length: 1 + Math.floor(chance() * 3) }, () => {
                written.push(`${seed}.${written.length}`);
                const until = written.length;
                return journal.append([bytes(written.at(-1) as string)]).then(() => {
                  acknowledged = Math.max(acknowledged, until);
                });
              });
              await Promise.all(batch);
              if (chance() < 0.3) await journal.replaceBySnapshot(acknowledged, written.slice(0, acknowledged).map(bytes));
            }
          }
        }
      });
    });

    describe('a server on a disk that fails', () => {
      let dataDir: string;
      beforeEach(async () => {
        dataDir = await mkdtemp(join(tmpdir(), 'kubekata-etcd-'));
        cleanUp.push(() => rm(dataDir, { recursive: true, force: true }));
      });
      const start = async (disk: PowerFailureDisk, options: { quotaBytes?: number; snapshotAfterBytes?: number } = {}) => {
        const context = { clock: systemClock, random: systemRandom, log: silentLogger };
        const server = await startEtcd({ dataDir, listen: { host: '127.0.0.1', port: 0 }, disk, ...options, ...context });
        cleanUp.push(() => server.stop());
        if (NotImplemented.first) throw NotImplemented.first;
        const client = new EtcdClient(server.url);
        cleanUp.push(() => client.close());
        return { client, stop: () => server.stop() };
      };
      const noSpace = { code: 'RESOURCE_EXHAUSTED', details: 'etcdserver: mvcc: database space exceeded' };

      it('has what it has acknowledged, when the power fails in the middle of many writes', async () => {
        for (let seed = 1; seed <= 3; seed++) {
          const disk = new PowerFailureDisk();
          const first = await start(disk, { snapshotAfterBytes: 2000 });
          const acknowledged = new Map<string, number>();
          const puts = Array.from({ length: 200 }, async (_, index) => {
            const { header } = await first.client.put({ key: `key/${index % 50}`, value: `${index}` });
            acknowledged.set(`${index}`, header.revision);
            if (acknowledged.size === 100) disk.failAfter(seed * 5);
          });
          await Promise.race([disk.off, Promise.all(puts)]);
          const survivor = disk.afterPowerFailure(seededRandom(seed));
          const kept = new Map(acknowledged);
          await Promise.allSettled(puts);
          await first.stop();
          const second = await start(survivor);
          expect(kept.size).toBeGreaterThanOrEqual(100);
          for (const [value, revision] of kept) {
            const { kvs } = await second.client.range({ key: `key/${Number(value) % 50}`, revision });
            expect(kvs).toMatchObject([{ value: bytes(value), modRevision: revision }]);
          }
          await second.stop();
        }
      });

      it('starts from a snapshot and the log behind it, with all its history', async () => {
        const disk = new PowerFailureDisk();
        const first = await start(disk, { snapshotAfterBytes: 4000 });
        await first.client.leaseGrant({ TTL: 1000, ID: 5 });
        await first.client.put({ key: 'leased', lease: 5 });
        for (let round = 0; round < 10; round++) {
          await Promise.all(Array.from({ length: 40 }, (_, index) => first.client.put({ key: `key/${index}`, value: `${round}` })));
        }
        await first.client.compact(100);
        await first.client.deleteRange({ key: 'key/0' });
        for (let index = 0; index < 100; index++) await first.client.put({ key: 'last', value: `${index}` });
        const all = async ({ client }: typeof first) => [
          await client.range(everything),
          await client.range({ ...everything, revision: 100 }),
          await client.range({ ...everything, revision: 250 }),
          await client.leaseTimeToLive({ ID: 5, keys: true }),
        ];
        const before = await all(first);
        await first.stop();
        expect(disk.paths().some((path) => path.includes('snapshot'))).toBe(true);
        const second = await start(disk);
        const withoutTtl = (answers: Awaited<ReturnType<typeof all>>) => answers.map((answer) => ({ ...answer, TTL: 0 }));
        expect(withoutTtl(await all(second))).toEqual(withoutTtl(before));
        const stream = second.client.watch();
        cleanUp.push(() => stream.close());
        await stream.create({ key: 'key/', rangeEnd: prefixEnd('key/'), startRevision: 101 });
        expect((await stream.next('the first events')).events[0]?.kv.modRevision).toBe(101);
      });

      it('answers no write after a sync has failed, and reads go on', async () => {
        const disk = new PowerFailureDisk();
        const { client, stop } = await start(disk);
        await client.put({ key: 'safe', value: '1' });
        disk.syncError = new Error('input/output error');
        const failure = await failureOf(client.put({ key: 'unsafe', value: '1' }));
        expect(failure).toEqual({ code: 'UNAVAILABLE', details: expect.stringContaining('input/output error') });
        disk.syncError = undefined;
        expect((await failureOf(client.put({ key: 'later', value: '1' }))).code).toBe('UNAVAILABLE');
        expect((await client.range(everything)).kvs.map(pair)).toEqual(['safe=1']);
        await stop();
        expect((await (await start(disk)).client.range({ key: 'safe' })).kvs.map(pair)).toEqual(['safe=1']);
      });

      it('raises an alarm when the disk is full; reads go on, and so do writes when there is room again', async () => {
        const disk = new PowerFailureDisk();
        const { client, stop } = await start(disk);
        await client.put({ key: 'before', value: '1' });
        disk.room = 20;
        expect(await failureOf(client.put({ key: 'too-much', value: 'x'.repeat(100) }))).toEqual(noSpace);
        expect((await client.alarms()).map(({ alarm }) => alarm)).toEqual(['NOSPACE']);
        expect((await client.range(everything)).kvs.map(pair)).toEqual(['before=1']);
        disk.room = Number.POSITIVE_INFINITY;
        expect(await failureOf(client.put({ key: 'too-early', value: '1' }))).toEqual(noSpace);
        await client.disarmAlarms();
        await client.put({ key: 'after', value: '1' });
        await stop();
        expect((await (await start(disk)).client.range(everything)).kvs.map(pair)).toEqual(['after=1', 'before=1']);
      });

      it('raises an alarm when the quota is used up, and remembers it; who deletes and compacts makes room', async () => {
        const disk = new PowerFailureDisk();
        const quota = { quotaBytes: 50_000 };
        const first = await start(disk, quota);
        const fill = async () => {
          for (let index = 0; index < 20; index++) await first.client.put({ key: 'fat', value: 'x'.repeat(10_000) });
        };
        expect(await failureOf(fill())).toEqual(noSpace);
        await first.stop();
        const { client } = await start(disk, quota);
        expect((await client.alarms()).map(({ alarm }) => alarm)).toEqual(['NOSPACE']);
        expect(await failureOf(client.put({ key: 'small', value: '1' }))).toEqual(noSpace);
        const { header, deleted } = await client.deleteRange({ key: 'fat' });
        expect(deleted).toBe(1);
        await client.compact(header.revision);
        await client.disarmAlarms();
        await client.put({ key: 'small', value: '1' });
        expect(await client.alarms()).toEqual([]);
      });
    });
  }));
