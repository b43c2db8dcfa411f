import { describe, expect, it } from '@jest/globals';
import { FakeClock, microTimestamp, seededRandom, timestamp } from '#kit/clock';

describe('FakeClock', () => {
  it('fires timers in the order they fall due, and those of one instant in the order they were set', async () => {
    const clock = new FakeClock();
    const fired: string[] = [];
    clock.after(20, () => fired.push('late'));
    clock.after(10, () => fired.push('early'));
    clock.after(10, () => fired.push('early too'));
    await clock.advance(15);
    expect(fired).toEqual(['early', 'early too']);
    await clock.advance(5);
    expect(fired).toEqual(['early', 'early too', 'late']);
  });

  it('fires what a timer sets, when that falls due within the same advance', async () => {
    const clock = new FakeClock(0);
    const times: number[] = [];
    const again = () => {
      times.push(clock.now());
      clock.after(10, again);
    };
    clock.after(10, again);
    await clock.advance(35);
    expect(times).toEqual([10, 20, 30]);
    expect(clock.now()).toBe(35);
  });

  it('repeats every() until it is cancelled, and forgets what is cancelled', async () => {
    const clock = new FakeClock();
    let count = 0;
    const timer = clock.every(5, () => count++);
    await clock.advance(17);
    timer.cancel();
    await clock.advance(100);
    expect(count).toBe(3);
    expect(clock.pending).toBe(0);
  });

  it('lets code that waits on promises go on between two timers', async () => {
    const clock = new FakeClock(0);
    const times: number[] = [];
    const loop = (async () => {
      for (let round = 0; round < 3; round++) {
        await clock.sleep(10);
        times.push(clock.now());
      }
    })();
    await clock.advance(30);
    await loop;
    expect(times).toEqual([10, 20, 30]);
  });

  it('ends a sleep early when its signal aborts', async () => {
    const clock = new FakeClock();
    const controller = new AbortController();
    const sleep = clock.sleep(1_000, controller.signal);
    controller.abort();
    await sleep;
    expect(clock.pending).toBe(0);
  });
});

describe('seededRandom', () => {
  it('gives the same numbers for the same seed, all within [0, 1)', () => {
    const [one, two] = [seededRandom(7), seededRandom(7)];
    const numbers = Array.from({ length: 1_000 }, one);
    expect(Array.from({ length: 1_000 }, two)).toEqual(numbers);
    expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
    expect(new Set(numbers).size).toBeGreaterThan(990);
  });
});

describe('timestamps', () => {
  it('are written as Kubernetes writes them: whole seconds, or six digits of a second', () => {
    const clock = new FakeClock(Date.UTC(2026, 0, 31, 12, 0, 0, 123));
    expect(timestamp(clock)).toBe('2026-01-31T12:00:00Z');
    expect(microTimestamp(clock)).toBe('2026-01-31T12:00:00.123000Z');
  });
});
