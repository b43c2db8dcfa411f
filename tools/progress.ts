// What `npm test` says: a line a stage, in the course's order; then the first failure of the lowest stage in full, and what to do
// next. Files end in any order, so the lines wait for the last one; a terminal shows meanwhile how many have ended. A jest
// reporter; the other jest commands keep jest's own.

import { existsSync } from 'node:fs';
import { stripVTControlCharacters, styleText } from 'node:util';
import type { AggregatedResult, Reporter, Test, TestResult } from '@jest/reporters';
import type { AssertionResult } from '@jest/test-result';

export interface StageResult {
  chapter: string;
  /** `4.2` */
  id: string;
  title: string;
  passed: number;
  total: number;
  /** Nothing failed but what is not written yet. */
  notWritten: boolean;
  /** The first failure, as jest shows it. */
  failure: string | undefined;
  /** What the stage's code and tests wrote to the console, and from where. */
  console: { message: string; origin: string }[];
}

export function stageResult({ testFilePath, testResults, testExecError, failureMessage, console }: TestResult): StageResult {
  const [, chapter = '', id = '', slug = ''] = /chapters[\\/]([^\\/]+)[\\/]tests[\\/](\d+\.\d+)-(.*)\.test\.ts$/.exec(testFilePath) ?? [];
  const failed = testResults.filter(({ status }) => status === 'failed');
  const texts = [...failed.map(textOf), ...(testExecError ? [`${testExecError.message}${testExecError.stack ?? ''}`] : [])];
  return {
    chapter,
    id,
    title: slug.replaceAll('-', ' '),
    passed: testResults.filter(({ status }) => status === 'passed').length,
    total: testResults.filter(({ status }) => status !== 'pending').length,
    notWritten: texts.length > 0 && texts.every((text) => text.includes('NotImplemented')),
    failure: failureMessage ? firstFailure(failureMessage) : undefined,
    console: console ?? [],
  };
}

/** Up to the second heading, `  ● …`, which a terminal's colours may stand around. */
function firstFailure(message: string): string {
  const lines = message.split('\n');
  const isHeading = (line: string) => stripVTControlCharacters(line).startsWith('  ● ');
  const second = lines.findIndex((line, index) => isHeading(line) && lines.slice(0, index).some(isHeading));
  return (second < 0 ? lines : lines.slice(0, second)).join('\n').trimEnd();
}

function textOf({ failureMessages }: AssertionResult): string {
  return failureMessages.join('\n');
}

export function stageLine({ id, title, passed, total, notWritten, failure }: StageResult): string {
  const line = `${`${id} ${title}`.padEnd(44)} ${passed} of ${total}`;
  if (!failure) return `${styleText('green', '✓')} ${line}`;
  if (notWritten)
    return `${styleText('dim', '·')} ${line}${styleText('dim', passed === 0 ? '; not written yet' : '; a part is not written yet')}`;
  return `${styleText('red', '✗')} ${line}`;
}

/** Where to go on: the lowest stage that is not green. */
export function nextStep(results: StageResult[], exists: (path: string) => boolean): string {
  const [next] = inOrder(results).filter(({ failure }) => failure);
  if (!next)
    return results.length === 0
      ? ''
      : `All green. See it at work: npm start -- --mine=${[...new Set(results.map(({ id }) => id.split('.')[0]))].join(',')}`;
  const folder = `chapters/${next.chapter}`;
  const lines = [`Next: ${next.id} ${next.title}`, `  the text    ${folder}/README.md, section ${next.id}`];
  if (exists(`${folder}/hints/${next.id}.md`)) lines.push(`  stuck?      ${folder}/hints/${next.id}.md, one grade at a time`);
  lines.push(`  only this   npm test -- ${next.id}-${next.title.replaceAll(' ', '-')}`);
  return lines.join('\n');
}

export function inOrder(results: StageResult[]): StageResult[] {
  return results.toSorted((a, b) => a.id.localeCompare(b.id, 'en', { numeric: true }));
}

export default class ProgressReporter implements Pick<Reporter, 'onTestResult' | 'onRunComplete'> {
  readonly #results: StageResult[] = [];

  onTestResult(_: Test, testResult: TestResult, { numTotalTestSuites }: AggregatedResult): void {
    const result = stageResult(testResult);
    // `-t` leaves out tests: a stage without any has no news.
    if (result.total > 0 || result.failure) this.#results.push(result);
    showMeanwhile(`${this.#results.length} of ${numTotalTestSuites} stages have run`);
  }

  onRunComplete(_: unknown, { numPassedTests, numTotalTests, numPendingTests, numRuntimeErrorTestSuites }: AggregatedResult): void {
    showMeanwhile('');
    const stages = inOrder(this.#results);
    for (const stage of stages) {
      console.log(stageLine(stage));
      for (const { message, origin } of stage.console) console.log(styleText('dim', `    ${message}\n    ${origin.trim().split('\n')[0]}`));
    }
    const first = stages.find(({ failure }) => failure);
    if (first) console.log(`\n${first.failure}`);
    const broken = numRuntimeErrorTestSuites > 0 ? `, ${numRuntimeErrorTestSuites} files did not run` : '';
    console.log(`\n${numPassedTests} of ${numTotalTests - numPendingTests} tests pass${broken}.`);
    console.log(nextStep(this.#results, existsSync));
  }

  getLastError(): void {}
}

/** In the line that the next text takes; nowhere but on a terminal. */
function showMeanwhile(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${styleText('dim', text)}`);
}
