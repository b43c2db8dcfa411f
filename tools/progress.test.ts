import { stripVTControlCharacters, styleText } from 'node:util';
import { describe, expect, it, jest } from '@jest/globals';
import type { AggregatedResult, Test } from '@jest/reporters';
import type { TestResult } from '@jest/test-result';
import ProgressReporter, { chapterLine, nextStep, stageLine, stageResult } from './progress.ts';

/** A stage's file with these tests: `undefined` passed, a text failed with it. */
function testResult(file: string, failures: (string | undefined)[]): TestResult {
  const testResults = failures.map((failure) => ({ status: failure ? 'failed' : 'passed', failureMessages: failure ? [failure] : [] }));
  const blocks = failures.filter(Boolean).map((failure, index) => `  ● scheduler › test ${index}\n\n    ${failure}\n\n`);
  const testFilePath = `chapters/chapter4-scheduler/tests/${file}.test.ts`;
  return { testFilePath, testResults, failureMessage: blocks.length > 0 ? blocks.join('') : null } as unknown as TestResult;
}
const stage = (...of: Parameters<typeof testResult>) => stageResult(testResult(...of));
const line = (result: ReturnType<typeof stage>) => stripVTControlCharacters(stageLine(result)).trim().replace(/ {2,}/g, '  ');

const green = stage('4.1-bind-a-pod', [undefined, undefined]);
const notWritten = stage('4.2-does-it-fit', ['NotImplemented: 4.2 Fit', 'NotImplemented: 4.2 Sum']);
const partly = stage('4.10-at-speed', [undefined, 'NotImplemented: 4.10 Sample']);
const wrong = stage('4.3-where-it-wants-to-be', [undefined, 'expected true', 'NotImplemented: 4.3 Taints']);

describe('progress', () => {
  it('says of each stage how far it is', () => {
    expect(line(green)).toBe('✓ 4.1  bind a pod  2 of 2');
    expect(line(notWritten)).toBe('· 4.2  does it fit  0 of 2, not written yet');
    expect(line(partly)).toBe('· 4.10 at speed  1 of 2, a part is not written yet');
    expect(line(wrong)).toBe('✗ 4.3  where it wants to be  1 of 3');
  });

  it('fills a bar a chapter, and all of it only when all is green', () => {
    const bar = (...stages: (typeof green)[]) => stripVTControlCharacters(chapterLine(stages)).replace(/ {2,}/g, ' ');
    expect(bar(green)).toBe(`4 scheduler ${'━'.repeat(24)} 1 of 1 stage`);
    expect(bar(green, notWritten)).toBe(`4 scheduler ${'━'.repeat(12)}${'─'.repeat(12)} 1 of 2 stages`);
    const nearly = stage('4.2-does-it-fit', [...Array(99).fill(undefined), 'no']);
    expect(bar(nearly)).toBe(`4 scheduler ${'━'.repeat(23)}─ 0 of 1 stage`);
  });

  it('keeps the first failure of a stage, and that one only', () => {
    expect(wrong.failure).toBe('  ● scheduler › test 0\n\n    expected true');
    expect(green.failure).toBeUndefined();
  });

  it('keeps only the first one also where a terminal shows colours', () => {
    const block = (name: string) => `${styleText(['bold', 'red'], `  ● ${name}`, { validateStream: false })}\n\n    expected true\n\n`;
    const result = { testFilePath: '', testResults: [], failureMessage: block('one') + block('two') } as unknown as TestResult;
    expect(stripVTControlCharacters(stageResult(result).failure ?? '')).toBe('  ● one\n\n    expected true');
  });

  it('tells the stages in the order of the course, in whatever order their tests ended', () => {
    const log = jest.spyOn(console, 'log').mockImplementation(() => {});
    const counts = { numPassedTests: 2, numTotalTests: 5, numPendingTests: 0, numRuntimeErrorTestSuites: 0 } as AggregatedResult;
    const reporter = new ProgressReporter();
    const ended = [testResult('4.10-at-speed', ['no']), testResult('4.1-bind-a-pod', [undefined]), testResult('4.2-does-it-fit', ['no'])];
    for (const result of ended) reporter.onTestResult({} as Test, result, counts);
    expect(log).not.toHaveBeenCalled();
    reporter.onRunComplete({}, counts);
    const lines = log.mock.calls.map(([text]) => stripVTControlCharacters(String(text)));
    log.mockRestore();
    expect(lines.slice(0, 4).map((line) => line.slice(0, 8).trim())).toEqual(['4 schedu', '✓ 4.1', '✗ 4.2', '✗ 4.10']);
    expect(lines.join('\n')).toContain('2 of 5 tests pass.');
  });

  it('goes on with the lowest stage that is not green', () => {
    expect(nextStep([partly, wrong, green], [])).toBe(
      'Next: open chapters/chapter4-scheduler/README.md at 4.3. Stuck? npm run kata -- hint 4.3',
    );
  });

  it('goes on with the stage after those that ran when they are green', () => {
    expect(nextStep([green], [green, notWritten, wrong])).toBe('All green. Next: open chapters/chapter4-scheduler/README.md at 4.2.');
  });

  it("shows the way to the cluster when the chapter's last stage is green", () => {
    const nextChapter = { id: '5.1', title: 'a pod', chapter: 'chapter5-kubelet' };
    expect(nextStep([green], [green, nextChapter])).toContain('npm start -- --mine=4');
    expect(nextStep([green], [green])).toContain('npm start -- --mine=4');
  });
});
