// A jest test runner that judges the tests instead of the code: it runs the stage's file as jest would, and passes when that
// ends as it should. The stage's own tests become one result: is red on the starter, or green on the way.

import type { JestEnvironment } from '@jest/environment';
import { type AssertionResult, buildFailureTestResult, type TestResult } from '@jest/test-result';
import type { Config } from '@jest/types';
// @ts-expect-error jest-circus publishes no types for its runner.
import circus from 'jest-circus/runner';
import type Runtime from 'jest-runtime';
import { notGreen, notRed, type Proof } from './outcome.ts';

const run = circus as (
  globalConfig: Config.GlobalConfig,
  config: Config.ProjectConfig,
  environment: JestEnvironment,
  runtime: Runtime,
  testPath: string,
) => Promise<TestResult>;

export default async function judge(
  globalConfig: Config.GlobalConfig,
  config: Config.ProjectConfig,
  environment: JestEnvironment,
  runtime: Runtime,
  testPath: string,
): Promise<TestResult> {
  const proof = config.testEnvironmentOptions.proof as Proof;
  const result = await run(globalConfig, config, environment, runtime, testPath).catch((error) => buildFailureTestResult(testPath, error));
  const stage = /(\d+\.\d+)-[^\\/]*$/.exec(testPath)?.[1] ?? testPath;
  const [title, problem] = judged(stage, proof, result);
  return verdict(result, title, problem);
}

function judged(stage: string, proof: Proof, result: TestResult): [title: string, problem: string | undefined] {
  switch (proof.kind) {
    case 'red on the starter':
      return [`${stage} is red on the starter`, notRed(result)];
    case 'green on the way':
      return [`${stage} is green with nothing behind it written`, notGreen(result)];
  }
}

function verdict(result: TestResult, title: string, problem: string | undefined): TestResult {
  const only: AssertionResult = {
    ancestorTitles: [],
    title,
    fullName: title,
    status: problem ? 'failed' : 'passed',
    duration: result.testResults.reduce((sum, { duration }) => sum + (duration ?? 0), 0),
    failureDetails: [],
    failureMessages: problem ? [problem] : [],
    invocations: 1,
    location: null,
    numPassingAsserts: 0,
    retryReasons: [],
  };
  const { testExecError: _, console: __, ...rest } = result;
  return {
    ...rest,
    testResults: [only],
    numFailingTests: problem ? 1 : 0,
    numPassingTests: problem ? 0 : 1,
    numPendingTests: 0,
    numTodoTests: 0,
    failureMessage: problem ? `  ● ${title}\n\n${problem.replace(/^/gm, '    ')}\n` : null,
    skipped: false,
  };
}
