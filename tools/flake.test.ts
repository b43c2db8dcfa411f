import { describe, expect, it } from '@jest/globals';
import { describeTally, type RunReport, Tally } from './flake-tally.ts';

/** A run in which the tests of these names failed, each with this text. */
function run(failed: Record<string, string> = {}): RunReport {
  const assertionResults = ['one', 'two', 'three'].map((fullName) => ({
    fullName,
    status: failed[fullName] ? 'failed' : 'passed',
    failureMessages: failed[fullName] ? [failed[fullName]] : [],
  }));
  return {
    numTotalTests: 3,
    numRuntimeErrorTestSuites: 0,
    testResults: [{ name: 'tests/4.1-bind.test.ts', message: '', assertionResults }],
  };
}

describe('flake', () => {
  it('counts how often each test failed, and keeps how it failed first', () => {
    const tally = new Tally();
    expect([run(), run({ two: 'late' }), run({ two: 'later', three: 'lost' })].map((report) => tally.add(report))).toEqual([0, 1, 2]);
    expect(tally.failures).toEqual([
      { test: 'two', times: 2, first: 'late' },
      { test: 'three', times: 1, first: 'lost' },
    ]);
    expect(describeTally(tally)).toMatch(/^3 runs of 3 tests: 2 failed at least once\n\n +2 of 3 {2}two\n +1 of 3 {2}three\n/);
  });

  it('counts a file that did not run as a failure', () => {
    const tally = new Tally();
    tally.add({ ...run(), testResults: [{ name: 'tests/4.1-bind.test.ts', message: 'no such module', assertionResults: [] }] });
    expect(tally.failures).toEqual([{ test: '4.1-bind.test.ts', times: 1, first: 'no such module' }]);
  });

  it('says so when all is well, and when nothing ended', () => {
    const tally = new Tally();
    expect(describeTally(tally)).toBe('No run came to its end.');
    tally.add(run());
    expect(describeTally(tally)).toBe('1 run of 3 tests: every test passed every time.');
  });
});
