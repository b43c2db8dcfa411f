import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { processNextKey, runController } from '#controller-manager/controller';
import { WorkQueue } from '#controller-manager/work-queue';
import { FakeClock } from '#kit/clock';
import { createLogger, type LogSink, silentLogger } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import { ApiError, failure } from '#kit/status';
import { eventually, withDeadline } from '#kit/testing/wait';

const within = 2_000;
let clock: FakeClock;
let queue: WorkQueue;

beforeEach(() => {
  NotImplemented.forget();
  clock = new FakeClock();
  queue = new WorkQueue({ clock, random: () => 0 });
});

afterEach(() => queue.shutDown());

/** The next key; a queue that has none in time says so. */
const next = () => withDeadline('the queue gives out a key', queue.get(), { within });

/** The keys that are ready now, in order; each is done at once. */
async function drain(): Promise<string[]> {
  const keys: string[] = [];
  while (queue.length > 0) {
    const key = (await next()) as string;
    keys.push(key);
    queue.done(key);
  }
  return keys;
}

describe('controller manager', () => {
  describe('3.2 the work queue', () => {
    it('gives keys out in the order in which they came', async () => {
      for (const key of ['a', 'b', 'c']) queue.add(key);
      expect(await drain()).toEqual(['a', 'b', 'c']);
    });

    it('gives a key out once, however often it was added', async () => {
      for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
      expect(queue.length).toBe(2);
      expect(await drain()).toEqual(['a', 'b']);
    });

    it('lets get() wait until there is a key', async () => {
      const waiting = queue.get();
      queue.add('a');
      expect(await withDeadline('the waiting get() has its key', waiting, { within })).toBe('a');
      expect(queue.length).toBe(0);
    });

    it('does not give out again a key that went straight to a waiting get()', async () => {
      const waiting = queue.get();
      queue.add('a');
      expect(await withDeadline('the waiting get() has its key', waiting, { within })).toBe('a');
      queue.add('a');
      expect(queue.length).toBe(0);
      queue.done('a');
      expect(queue.length).toBe(1);
    });

    it('gives two who wait one key each', async () => {
      const waiting = Promise.all([queue.get(), queue.get()]);
      queue.add('a');
      queue.add('b');
      expect(await withDeadline('both have their key', waiting, { within })).toEqual(['a', 'b']);
    });

    it('does not give a key to a second worker while the first works on it', async () => {
      queue.add('a');
      await next();
      queue.add('a');
      expect(queue.length).toBe(0);
    });

    it('gives a key out again after done() when it was added in between', async () => {
      queue.add('a');
      await next();
      queue.add('a');
      queue.add('a');
      queue.done('a');
      expect(await drain()).toEqual(['a']);
    });

    it('does not give a key out again after done() when nobody added it', async () => {
      queue.add('a');
      await next();
      queue.done('a');
      expect(queue.length).toBe(0);
    });

    it('gives a re-added key to a worker that waits already', async () => {
      queue.add('a');
      await next();
      const other = queue.get();
      queue.add('a');
      queue.done('a');
      expect(await withDeadline('the waiting worker has the key', other, { within })).toBe('a');
    });

    it('adds a key when its time has come, and not before', async () => {
      queue.addAfter('a', 1_000);
      await clock.advance(999);
      expect(queue.length).toBe(0);
      await clock.advance(1);
      expect(queue.length).toBe(1);
    });

    it('adds a key at once when there is nothing to wait for', () => {
      queue.addAfter('a', 0);
      expect(queue.length).toBe(1);
    });

    it.each([
      ['the later one first', [500, 100]],
      ['the earlier one first', [100, 500]],
    ])('adds a key once, at the earlier of two times: %s', async (_order, waits) => {
      for (const wait of waits) queue.addAfter('a', wait);
      await clock.advance(100);
      expect(await drain()).toEqual(['a']);
      await clock.advance(1_000);
      expect(queue.length).toBe(0);
    });

    it('delays a key again after its time has come', async () => {
      for (const wait of [100, 500]) {
        queue.addAfter('a', wait);
        await clock.advance(wait - 1);
        expect({ wait, ready: queue.length }).toEqual({ wait, ready: 0 });
        await clock.advance(1);
        expect({ wait, ready: await drain() }).toEqual({ wait, ready: ['a'] });
      }
    });

    it('waits twice as long after each failure of a key', async () => {
      queue = new WorkQueue({ clock, random: () => 0 }, { baseDelayMs: 10, maxDelayMs: 1_000 });
      for (const wait of [10, 20, 40, 80]) {
        queue.addRateLimited('a');
        await clock.advance(wait - 1);
        expect({ wait, ready: queue.length }).toEqual({ wait, ready: 0 });
        await clock.advance(1);
        expect({ wait, ready: queue.length }).toEqual({ wait, ready: 1 });
        await drain();
      }
      expect(queue.retries('a')).toBe(4);
    });

    it('never waits longer than the longest wait and a tenth', async () => {
      queue = new WorkQueue({ clock, random: () => 0.99 }, { baseDelayMs: 10, maxDelayMs: 100 });
      for (let failure = 0; failure < 20; failure++) {
        queue.addRateLimited('a');
        await clock.advance(110);
        expect(await drain()).toEqual(['a']);
      }
    });

    it('spreads keys that failed together', async () => {
      const numbers = [0, 0.5];
      queue = new WorkQueue({ clock, random: () => numbers.shift() ?? 0 }, { baseDelayMs: 1_000 });
      queue.addRateLimited('a');
      queue.addRateLimited('b');
      await clock.advance(1_001);
      expect(queue.length).toBe(1);
      await clock.advance(99);
      expect(queue.length).toBe(2);
    });

    it('counts the failures of each key by itself', () => {
      queue.addRateLimited('a');
      queue.addRateLimited('a');
      queue.addRateLimited('b');
      expect([queue.retries('a'), queue.retries('b'), queue.retries('c')]).toEqual([2, 1, 0]);
    });

    it('forgets the failures of a key that succeeded', async () => {
      queue = new WorkQueue({ clock, random: () => 0 }, { baseDelayMs: 10 });
      for (let failure = 0; failure < 5; failure++) queue.addRateLimited('a');
      await clock.advance(60_000);
      await drain();
      queue.forget('a');
      expect(queue.retries('a')).toBe(0);
      queue.addRateLimited('a');
      await clock.advance(10);
      expect(queue.length).toBe(1);
    });

    it('ends every get() with undefined when it is shut down, and leaves no timer', async () => {
      queue.addAfter('later', 1_000);
      const waiting = queue.get();
      queue.shutDown();
      queue.add('a');
      queue.addAfter('b', 10);
      queue.addRateLimited('c');
      expect(await withDeadline('the waiting get() ends', waiting, { within })).toBeUndefined();
      expect(await withDeadline('a new get() ends', queue.get(), { within })).toBeUndefined();
      expect(clock.pending).toBe(0);
    });

    describe('the loop', () => {
      const one = (reconcile: (key: string) => Promise<void>) =>
        withDeadline('a key is processed', processNextKey(queue, reconcile, silentLogger), { within });
      const fails = async () => {
        throw new Error('not today');
      };

      it('reconciles the key, forgets its failures and goes on', async () => {
        const seen: string[] = [];
        queue.addRateLimited('default/web');
        await clock.advance(1_000);
        expect(await one(async (key) => void seen.push(key))).toBe(true);
        expect(seen).toEqual(['default/web']);
        expect(queue.retries('default/web')).toBe(0);
      });

      it('tries a failed key again, later each time', async () => {
        queue.add('a');
        expect(await one(fails)).toBe(true);
        expect(queue.length).toBe(0);
        await clock.advance(60_000);
        expect(await one(fails)).toBe(true);
        expect(queue.retries('a')).toBe(2);
      });

      it('logs why a key failed', async () => {
        const logged: Parameters<LogSink>[0][] = [];
        const log = createLogger('test', (entry) => logged.push(entry));
        queue.add('default/echo');
        await withDeadline('a key is processed', processNextKey(queue, fails, log), { within });
        expect(logged).toMatchObject([{ level: 'warn', key: 'default/echo', error: 'not today' }]);
      });

      it('tries again when somebody else wrote first', async () => {
        queue.add('a');
        await one(async () => {
          throw new ApiError(failure(409, 'Conflict', 'the object has been modified'));
        });
        await clock.advance(60_000);
        expect(queue.length).toBe(1);
      });

      it('does not try again what is not written yet', async () => {
        queue.add('a');
        await one(async () => {
          throw new NotImplemented('9.9', 'A function of another stage');
        });
        NotImplemented.forget();
        await clock.advance(60_000);
        expect(queue.length).toBe(0);
      });

      it('is done with a key whether it succeeded or failed', async () => {
        for (const reconcile of [async () => {}, fails]) {
          queue.add('a');
          await one(reconcile);
          queue.add('a');
          expect(queue.length).toBe(1);
          await drain();
        }
      });

      it('ends when the queue is shut down', async () => {
        queue.shutDown();
        expect(await one(async () => {})).toBe(false);
      });

      it('works on different keys at the same time, and stops when the last one is finished', async () => {
        const finish: (() => void)[] = [];
        const started: string[] = [];
        const reconcile = (key: string) =>
          new Promise<void>((resolve) => {
            started.push(key);
            finish.push(resolve);
          });
        for (const key of ['a', 'b', 'c']) queue.add(key);
        const controller = runController({ name: 'test', queue, reconcile, workers: 2, log: silentLogger });
        await eventually('two workers are busy', () => started.length === 2, { within });
        let stopped = false;
        const stopping = controller.stop().then(() => {
          stopped = true;
        });
        finish[0]?.();
        await clock.advance(1);
        expect(stopped).toBe(false);
        finish[1]?.();
        await withDeadline('the controller stops', stopping, { within });
        expect(started).toEqual(['a', 'b']);
      });
    });
  });
});
