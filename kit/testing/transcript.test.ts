import { describe, expect, it } from '@jest/globals';
import { difference } from './failure-environment.ts';
import { inShort, transcript } from './transcript.ts';

describe('transcript', () => {
  it('tells what went over the wire, in short', () => {
    transcript.begin();
    transcript.sent('Put', { key: 'a', value: Buffer.from('1'), lease: 0 });
    transcript.received('Put', { header: { revision: 2, clusterId: 7 }, prevKv: null });
    expect(transcript.story()).toBe('What went over the wire:\n  → Put {key: "a", value: "1"}\n  ← Put {header: {revision: 2}}');
  });

  it('keeps the last twenty lines, and says how many there were', () => {
    transcript.begin();
    for (let count = 1; count <= 30; count += 1) transcript.sent(`Range ${count}`);
    expect(transcript.story()).toMatch(/the last 20 of 30 lines:\n {2}→ Range 11\n/);
    transcript.begin();
    expect(transcript.story()).toBe('');
  });

  it('shows bytes that are no text as such', () => {
    expect(inShort({ key: Buffer.from([0, 255]) })).toBe('{key: 0x00ff}');
  });

  it('points at where expected and received part', () => {
    expect(difference({ kvs: ['a=1'] }, { kvs: ['a=2'] })).toBe(
      'expected  {kvs: ["a=1"]}\ngot       {kvs: ["a=2"]}\n                    ^',
    );
    const long = Array.from({ length: 40 }, (_, index) => index + 1);
    const [, , caret = ''] = difference([...long, 'x'], [...long, 'y']).split('\n');
    expect(difference([...long, 'x'], [...long, 'y']).split('\n')[0]?.[caret.length - 1]).toBe('x');
    expect(difference('a', 'b')).toBe('');
  });
});
