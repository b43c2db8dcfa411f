import { describe, expect, it } from '@jest/globals';
import { countsOf, describeSurvivor, type KnownSurvivor, type Mutant, percentOf, scoreOf, survivorsOf } from './report.ts';

const file = 'solutions/chapter4-scheduler/fits.ts';
const source = 'if (\n  amount > free\n) return;\n';
const read = () => source;

/** A mutant of `amount > free`. */
function mutant(status: Mutant['status'], replacement = 'amount >= free'): Mutant {
  return { fileName: file, status, replacement, location: { start: { line: 2, column: 3 }, end: { line: 2, column: 16 } } };
}

describe('mutation scores', () => {
  it('count what no test could judge as survived: in doubt against the tests', () => {
    const mutants = [mutant('Killed'), mutant('Timeout'), mutant('Survived'), mutant('NoCoverage'), mutant('RuntimeError')];
    const counts = countsOf(mutants);
    expect(counts).toEqual({ killed: 1, timeout: 1, survived: 2, noCoverage: 1 });
    expect(percentOf(counts)).toBe(40);
  });

  it('round down', () => {
    expect(percentOf({ killed: 2, timeout: 0, survived: 1, noCoverage: 0 })).toBe(66.6);
    expect(percentOf({ killed: 0, timeout: 0, survived: 0, noCoverage: 0 })).toBe(0);
  });

  it('add up the stages of a chapter', () => {
    const stages = {
      '4.1': { killed: 3, timeout: 1, survived: 0, noCoverage: 0 },
      '4.2': { killed: 0, timeout: 0, survived: 3, noCoverage: 1 },
    };
    expect(scoreOf(stages, '2026-11-23')).toMatchObject({ killed: 3, timeout: 1, survived: 3, noCoverage: 1, score: 50 });
  });

  it('know a survivor again by what it changes, wherever it stands', () => {
    const known: KnownSurvivor[] = [{ file, from: 'amount > free', to: 'amount >= free', reason: 'no two are equal' }];
    const [survivor, other] = survivorsOf([mutant('Survived'), mutant('Killed'), mutant('NoCoverage', 'true')], known, read);
    expect(survivor).toMatchObject({ line: 2, from: 'amount > free', reason: 'no two are equal' });
    expect(other).toMatchObject({ to: 'true', notCovered: true, reason: undefined });
    expect(survivor && describeSurvivor(survivor)).toBe(`${file}:2\n  - amount > free\n  + amount >= free\n  known: no two are equal`);
  });
});
