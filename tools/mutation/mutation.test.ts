import { describe, expect, it } from '@jest/globals';
import { pattern, writtenByLearner } from './ranges.ts';
import { countsOf, describeSurvivor, type Mutant, percentOf, scoreOf, survivorsOf } from './report.ts';

const source = `/** @solution */
function first(): void { one(); }

/** @exercise 4.1 Do this */
export function mine(): void {
  two();
}

export class Queue {
  /** @exercise 4.2 Add */
  add(key: string): void {
    this.#later(key);
  }

  /** @solution */
  #later(key: string): void { three(key); }

  given(): void { four(); }
}
`;

describe('what is mutated', () => {
  it('is the bodies of what a learner writes, helpers with the exercise before them; nothing that is given', () => {
    const lines = source.split('\n');
    const found = writtenByLearner('a.ts', source).map(({ stage, start, end }) => {
      const text = lines.slice(start.line, end.line + 1).join(' ');
      return [stage, /(one|two|this\.#later|three|four)\(/.exec(text)?.[1]];
    });
    expect(found).toEqual([
      ['4.1', 'one'],
      ['4.1', 'two'],
      ['4.2', 'this.#later'],
      ['4.2', 'three'],
    ]);
  });

  it('is nothing in a file without an exercise', () => {
    expect(writtenByLearner('a.ts', '/** @solution */\nfunction helper(): void {}')).toEqual([]);
  });

  it('is named with lines from one and columns from zero', () => {
    const [, mine] = writtenByLearner('a.ts', source);
    expect(mine && pattern('a.ts', mine)).toBe('a.ts:5:29-7:1');
  });
});

describe('what mutants came to', () => {
  const mutant = (status: Mutant['status'], line = 1, replacement = 'false'): Mutant => ({
    fileName: 'a.ts',
    status,
    replacement,
    location: { start: { line, column: 5 }, end: { line, column: 10 } },
  });
  const read = () => 'if (a > b) {\nif (c < d) {\n';

  it('counts a mutant that never ends as told, and one whose tests fail without it, too, as survived', () => {
    const counts = countsOf((['Killed', 'Timeout', 'Survived', 'NoCoverage', 'RuntimeError', 'Ignored'] as const).map((s) => mutant(s)));
    expect(counts).toEqual({ killed: 1, timeout: 1, survived: 2, noCoverage: 1 });
  });

  it('rounds down: 100 % is all', () => {
    expect(percentOf({ killed: 1998, timeout: 1, survived: 1, noCoverage: 0 })).toBe(99.9);
    expect(percentOf({ killed: 0, timeout: 0, survived: 0, noCoverage: 0 })).toBe(0);
  });

  it("adds up a chapter's stages", () => {
    const stage = { killed: 8, timeout: 1, survived: 1, noCoverage: 0 };
    expect(scoreOf({ '4.1': stage, '4.2': { ...stage, survived: 0, noCoverage: 1 } }, '2026-01-01')).toMatchObject({
      killed: 16,
      timeout: 2,
      survived: 1,
      noCoverage: 1,
      score: 90,
      date: '2026-01-01',
    });
  });

  it('shows survivors in the order of their places, with the reason of one that is known wherever it moved', () => {
    const known = [{ file: 'a.ts', from: 'a > b', to: 'false', reason: 'nobody promises it' }];
    const survivors = survivorsOf([mutant('NoCoverage', 2), mutant('Killed', 1), mutant('Survived', 1)], known, read);
    expect(survivors.map(describeSurvivor)).toEqual([
      'a.ts:1\n  - a > b\n  + false\n  known: nobody promises it',
      'a.ts:2  (no test runs it)\n  - c < d\n  + false',
    ]);
  });

  it('takes no other change of the same place for the known one', () => {
    const known = [{ file: 'a.ts', from: 'a > b', to: 'false', reason: 'nobody promises it' }];
    expect(survivorsOf([mutant('Survived', 1, 'true')], known, read)[0]?.reason).toBeUndefined();
  });
});
