// What `npm test` says: a bar a chapter, a tick a stage, in the course's order; then the first failure of the lowest stage in full,
// and what to open next. Files end in any order, so the lines wait for the last one; a terminal shows meanwhile how many have
// ended. A jest reporter; `--verbose` and the other jest commands keep jest's own.

import { stripVTControlCharacters, styleText } from 'node:util';
import type { AggregatedResult, Config, Reporter, Test, TestResult } from '@jest/reporters';
import type { AssertionResult } from '@jest/test-result';
import { chapters } from './chapters.ts';
import { byId, chapterName, chapterNumber, readStages, type Stage, stageOfTest } from './course.ts';
import { fingerprintOf } from './fingerprint.ts';
import { changeState, type KataState, recordResult } from './kata/state.ts';

export interface StageResult extends Stage {
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
  const stage = stageOfTest(testFilePath) ?? { chapter: '', id: '', title: testFilePath };
  const failed = testResults.filter(({ status }) => status === 'failed');
  const texts = [...failed.map(textOf), ...(testExecError ? [`${testExecError.message}${testExecError.stack ?? ''}`] : [])];
  return {
    ...stage,
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
  const line = `${id.padEnd(4)} ${title.padEnd(40)}`;
  const count = `${passed} of ${total}`;
  if (!failure) return `  ${styleText('green', '✓')} ${line} ${styleText('dim', count)}`;
  if (!notWritten) return `  ${styleText('red', '✗')} ${line} ${count}`;
  return `  ${styleText('dim', '·')} ${line} ${styleText('dim', `${count}, ${passed === 0 ? 'not written yet' : 'a part is not written yet'}`)}`;
}

const barWidth = 24;

/** How much of the chapter's tests pass; full only when all do. */
export function chapterLine(results: StageResult[]): string {
  const sum = (of: (result: StageResult) => number) => results.reduce((total, result) => total + of(result), 0);
  const green = sum(({ failure }) => (failure ? 0 : 1));
  const share =
    sum(({ passed }) => passed) /
    Math.max(
      1,
      sum(({ total }) => total),
    );
  const filled = green === results.length ? barWidth : Math.min(barWidth - 1, Math.floor(share * barWidth));
  const bar = styleText('green', '━'.repeat(filled)) + styleText('dim', '─'.repeat(barWidth - filled));
  const name = chapterName(results[0]?.chapter ?? '').padEnd(22);
  return `${styleText('bold', name)} ${bar} ${green} of ${results.length} ${results.length === 1 ? 'stage' : 'stages'}`;
}

/** Where to go on: the lowest stage that is not green, else the one after those that ran. A chapter's last leads to the cluster. */
export function nextStep(results: StageResult[], course: Stage[]): string {
  const [next] = results.toSorted(byId).filter(({ failure }) => failure);
  if (next) return `Next: open chapters/${next.chapter}/README.md at ${next.id}. Stuck? npm run kata -- hint ${next.id}`;
  const last = results.toSorted(byId).at(-1);
  const following = course[course.findIndex(({ id }) => id === last?.id) + 1];
  if (last && following?.chapter === last.chapter)
    return `All green. Next: open chapters/${following.chapter}/README.md at ${following.id}.`;
  const numbers = [...new Set(results.map(({ chapter }) => chapterNumber(chapter)))];
  return numbers.length === 0 ? '' : `All green. Next: see it at work, npm start -- --mine=${numbers.join(',')}`;
}

export default class ProgressReporter implements Pick<Reporter, 'onTestResult' | 'onRunComplete'> {
  readonly #results: StageResult[] = [];
  /** The chapters' code as it was before the tests ran. */
  readonly #codes = new Map<string, string>();
  readonly #config: Pick<Config.GlobalConfig, 'rootDir' | 'testNamePattern'> | undefined;

  constructor(config?: Pick<Config.GlobalConfig, 'rootDir' | 'testNamePattern'>) {
    this.#config = config;
    if (config?.rootDir) for (const chapter of chapters) this.#codes.set(chapter, fingerprintOf(config.rootDir, chapter));
  }

  onTestResult(_: Test, testResult: TestResult, { numTotalTestSuites }: AggregatedResult): void {
    const result = stageResult(testResult);
    // `-t` leaves out tests: a stage without any has no news.
    if (result.total > 0 || result.failure) this.#results.push(result);
    showMeanwhile(`${this.#results.length} of ${numTotalTestSuites} stages have run`);
  }

  onRunComplete(_: unknown, { numPassedTests, numTotalTests, numPendingTests, numRuntimeErrorTestSuites }: AggregatedResult): void {
    showMeanwhile('');
    this.#remember();
    const stages = this.#results.toSorted(byId);
    for (const [index, stage] of stages.entries()) {
      if (stage.chapter !== stages[index - 1]?.chapter) {
        if (index > 0) console.log('');
        console.log(chapterLine(stages.filter(({ chapter }) => chapter === stage.chapter)));
      }
      console.log(stageLine(stage));
      for (const { message, origin } of stage.console)
        console.log(styleText('dim', `      ${message}\n      ${origin.trim().split('\n')[0]}`));
    }
    const first = stages.find(({ failure }) => failure);
    if (first) console.log(`\n${first.failure}`);
    const broken = numRuntimeErrorTestSuites > 0 ? `, ${numRuntimeErrorTestSuites} files did not run` : '';
    console.log(`\n${numPassedTests} of ${numTotalTests - numPendingTests} tests pass${broken}.`);
    console.log(nextStep(stages, readStages(this.#config?.rootDir ?? '')));
  }

  getLastError(): void {}

  /** For `npm run kata` and the docs site. With `-t` only a part of a stage ran. */
  #remember(): void {
    const { rootDir, testNamePattern } = this.#config ?? {};
    if (!rootDir || testNamePattern) return;
    const known = new Set(readStages(rootDir).map(({ id }) => id));
    const results = this.#results.filter(({ id }) => known.has(id));
    const record = (state: KataState, result: StageResult) => recordResult(state, result.id, result, this.#codes.get(result.chapter));
    if (results.length > 0) changeState(rootDir, (state) => results.reduce(record, state));
  }
}

/** In the line that the next text takes; nowhere but on a terminal. */
function showMeanwhile(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${styleText('dim', text)}`);
}
