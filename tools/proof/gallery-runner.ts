// A jest test runner that judges a stage's test file by the wrong solutions of the stage: one result each, passed when the test that
// the wrong solution names goes red. gallery-process.ts runs them; here they are started, ended when they hang, and judged.

import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { JestEnvironment } from '@jest/environment';
import { type AssertionResult, createEmptyTestResult, type TestResult } from '@jest/test-result';
import type { Config } from '@jest/types';
import type Runtime from 'jest-runtime';
import { systemClock } from '#kit/clock';
import { type Exhibit, exhibitsOf, misfit } from './gallery.ts';
import type { Told } from './gallery-process.ts';
import { notCaught } from './outcome.ts';

/** Two tests and what they wait for: longer than jest would wait for both. */
const hangsAfterMs = 90_000;

export default async function judgeGallery(
  _: Config.GlobalConfig,
  { rootDir: root }: Config.ProjectConfig,
  __: JestEnvironment,
  ___: Runtime,
  testPath: string,
): Promise<TestResult> {
  const start = systemClock.now();
  const exhibits = await exhibitsOf(root, testPath, (path) => import(path));
  const fits = [...exhibits.keys()].filter((index) => misfit(root, exhibits[index] as Exhibit) === undefined);
  const told = await runAll(root, testPath, fits);
  const testResults = exhibits.map((exhibit, index) => {
    const { ms = 0, outcome, without } = told.get(index) ?? {};
    return resultOf(exhibit, misfit(root, exhibit) ?? notCaught(exhibit, outcome, without), ms);
  });
  const problems = testResults.flatMap(({ title, failureMessages: [problem] }) => (problem ? [{ title, problem }] : []));
  const end = systemClock.now();
  return {
    ...createEmptyTestResult(),
    testFilePath: testPath,
    testResults,
    numFailingTests: problems.length,
    numPassingTests: testResults.length - problems.length,
    perfStats: { ...createEmptyTestResult().perfStats, start, end, runtime: end - start },
    failureMessage:
      problems.length > 0 ? problems.map(({ title, problem }) => `  ● ${title}\n\n${problem.replace(/^/gm, '    ')}\n`).join('\n') : null,
  };
}

/** What became of each, by its index. One that was not sure of itself, or is not told of, has had a process of its own. */
async function runAll(root: string, test: string, indices: number[]): Promise<Map<number, Told>> {
  const all = new Map<number, Told>();
  for (let left = indices; left.length > 0; ) {
    const told = await runInProcess(root, test, left);
    for (const one of told) all.set(one.index, one);
    const [lost] = left.slice(told.length);
    left = left.slice(told.length + 1);
    if (lost !== undefined) for (const one of await runInProcess(root, test, [lost])) all.set(one.index, one);
  }
  for (const [index, { outcome, without }] of all) {
    const isRed = outcome.testResults.some(({ status }) => status === 'failed');
    if (isRed && without === undefined) continue;
    for (const one of await runInProcess(root, test, [index])) all.set(index, one);
  }
  return all;
}

/** One after the other; the last ones are missing if the process ends or hangs. */
async function runInProcess(root: string, test: string, indices: number[]): Promise<Told[]> {
  const told: Told[] = [];
  const child = fork(join(root, 'tools/proof/gallery-process.ts'), [test, ...indices.map(String)], { cwd: root, silent: true });
  child.stdout?.resume();
  child.stderr?.resume();
  const watch = () => systemClock.after(hangsAfterMs, () => child.kill('SIGKILL'));
  let watchdog = watch();
  child.on('message', (one: Told) => {
    told.push(one);
    watchdog.cancel();
    watchdog = watch();
  });
  await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  watchdog.cancel();
  return told;
}

function resultOf(exhibit: Exhibit, problem: string | undefined, duration: number): AssertionResult {
  const title = `${exhibit.stage} is not passed by: ${exhibit.name}`;
  return {
    ancestorTitles: [],
    title,
    fullName: title,
    status: problem ? 'failed' : 'passed',
    duration,
    failureDetails: [],
    failureMessages: problem ? [problem] : [],
    invocations: 1,
    location: null,
    numPassingAsserts: 0,
    retryReasons: [],
  };
}
