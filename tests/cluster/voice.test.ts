// What a person reads about one component while the cluster runs: no word is lost, and none is said over and over.

import { describe, expect, it } from '@jest/globals';
import { type Voice, voiceOf } from '#cluster/voice';
import { FakeClock } from '#kit/clock';

function speaker(source: string | undefined): { voice: Voice; clock: FakeClock; heard: () => string[] } {
  const clock = new FakeClock();
  const said: string[] = [];
  const voice = voiceOf({ title: 'kube-scheduler', source, clock, say: (text) => said.push(text) });
  return { voice, clock, heard: () => said.splice(0) };
}

describe('what is said about a component of the reference', () => {
  it('is every death, and every return, but not its first start', () => {
    const { voice, heard } = speaker(undefined);
    voice.serves('http://a');
    expect(heard()).toEqual([]);
    voice.failed('was killed', 1000);
    voice.failed('was killed', 2000);
    voice.serves('http://a');
    voice.serves('http://a');
    expect(heard()).toEqual([
      'kube-scheduler was killed; it is started again in 1 s',
      'kube-scheduler was killed; it is started again in 2 s',
      'kube-scheduler is back at http://a',
    ]);
  });
});

describe('what is said about a component of yours', () => {
  const yours = () => speaker('chapters/chapter4-scheduler/src');

  it('is how it failed, and once that saving starts it anew', () => {
    const { voice, heard } = yours();
    voice.failed('x is undefined\n  at fits.ts:3', 1000);
    expect(heard()).toEqual([
      'your kube-scheduler failed: x is undefined\n        at fits.ts:3',
      '  It is started again in 1 s, and at once when you save a file in chapters/chapter4-scheduler/src',
    ]);
    voice.failed('y is undefined', 2000);
    expect(heard()).toEqual(['your kube-scheduler failed: y is undefined']);
  });

  it('is not the same failure a third time', () => {
    const { voice, heard } = yours();
    voice.failed('x is undefined', 1000);
    heard();
    voice.failed('x is undefined', 2000);
    expect(heard()).toEqual([expect.stringContaining('failed in the same way again')]);
    voice.failed('x is undefined', 4000);
    expect(heard()).toEqual([]);
  });

  it('is that it is up again: at once after one failure, and after several only when it stays up', async () => {
    const { voice, clock, heard } = yours();
    voice.failed('x is undefined', 1000);
    heard();
    voice.serves('http://a');
    expect(heard()).toEqual(['your kube-scheduler is up at http://a']);

    voice.failed('x is undefined', 1000);
    heard();
    voice.serves('http://a');
    await clock.advance(9_999);
    expect(heard()).toEqual([]);
    voice.failed('x is undefined', 2000);
    await clock.advance(60_000);
    expect(heard()).toEqual([]);

    voice.serves('http://a');
    await clock.advance(10_000);
    expect(heard()).toEqual(['your kube-scheduler is up at http://a, for 10 s now']);
    voice.failed('x is undefined', 1000);
    expect(heard()).toEqual(['your kube-scheduler failed: x is undefined']);
  });

  it('is each complaint once, and again after a save', () => {
    const { voice, heard } = yours();
    voice.complains('NotImplemented: 4.2');
    voice.complains('NotImplemented: 4.2');
    voice.complains('another');
    expect(heard()).toEqual(['your kube-scheduler goes on, but: NotImplemented: 4.2', 'your kube-scheduler goes on, but: another']);
    voice.renewed();
    voice.complains('NotImplemented: 4.2');
    expect(heard()).toEqual([
      'your kube-scheduler is started anew: you saved a file',
      'your kube-scheduler goes on, but: NotImplemented: 4.2',
    ]);
  });
});
