// A jest test runner that judges the tests instead of the code: it runs the stage's file as jest would, and passes when that
// fails as it should. The stage's own tests become one result: is red on the starter, or catches the wrong solution.

import type { JestEnvironment } from '@jest/environment';
import { type AssertionResult, buildFailureTestResult, type TestResult } from '@jest/test-result';
import type { Config } from '@jest/types';
// @ts-expect-error jest-circus publishes no types for its runner.
import circus from 'jest-circus/runner';
import type Runtime from 'jest-runtime';

export type Proof =
  | { kind: 'red on the starter' }
  | {
      kind: 'caught';
      name: string;
      misunderstanding: string;
      caughtBy: string;
      /** The gallery's file. */
      source: string;
      /** The entry can't be applied, and why. */
      problem: string | undefined;
    };

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
  const named = proof.kind === 'caught' ? { testNamePattern: `${proof.caughtBy.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$` } : {};
  const result = await run({ ...globalConfig, ...named }, config, environment, runtime, testPath).catch((error) =>
    buildFailureTestResult(testPath, error),
  );
  const stage = /(\d+\.\d+)-[^\\/]*$/.exec(testPath)?.[1] ?? testPath;
  const problem = proof.kind === 'caught' ? notCaught(proof, result) : notRed(result);
  const title = proof.kind === 'caught' ? `${stage} is not passed by: ${proof.name}` : `${stage} is red on the starter`;
  return verdict(result, title, problem);
}

/** Why the starter's run is not as it should be, or nothing. */
function notRed({ testExecError, testResults }: TestResult): string | undefined {
  if (testExecError)
    return `The file does not even run on the starter: imports and top-level code must work there.\n\n${testExecError.message}`;
  const failed = testResults.filter(({ status }) => status === 'failed');
  if (failed.length === 0) return 'Every test passes on the starter: no test asks for what the stage is about.';
  const otherwise = failed.filter(({ failureMessages }) => !failureMessages.some((message) => message.includes('NotImplemented')));
  if (otherwise.length === 0) return undefined;
  const lines = otherwise.map(({ fullName, failureMessages }) => `${fullName}\n\n${failureMessages[0]?.split('\n    at ')[0]}`);
  return `On the starter a test must fail because of NotImplemented; these fail because of something else:\n\n${lines.join('\n\n')}`;
}

/** Why the wrong solution is not caught as promised, or nothing. */
function notCaught({ problem, caughtBy, source, misunderstanding }: Proof & { kind: 'caught' }, result: TestResult): string | undefined {
  if (problem) return problem;
  if (result.testExecError) return `${source}: the stage's file does not run with it:\n\n${result.testExecError.message}`;
  const named = result.testResults.filter(({ title, status }) => title === caughtBy && status !== 'pending');
  if (named.length === 0) return `${source}: the stage has no test named "${caughtBy}"`;
  if (named.some(({ status }) => status === 'failed')) return undefined;
  return `${source}: "${caughtBy}" passes although the solution is wrong. The misunderstanding: ${misunderstanding}`;
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
