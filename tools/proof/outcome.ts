// What a stage's tests must come to in a proof: red on the starter because of NotImplemented, green when all up to the stage is written, or the named test red on a wrong
// solution. Each function says why they did not, or nothing.

import type { AssertionResult, TestResult } from '@jest/test-result';

export type Proof = { kind: 'red on the starter' } | { kind: 'green on the way' };

/** A wrong solution, and the test that must go red. */
export interface Caught {
  misunderstanding: string;
  caughtBy: string;
  /** The gallery's file. */
  source: string;
}

export interface Outcome {
  testExecError?: TestResult['testExecError'] | undefined;
  testResults: Pick<AssertionResult, 'title' | 'fullName' | 'status' | 'failureMessages'>[];
}

/** Why the run of a learner who has come just as far is not as it should be, or nothing. */
export function notGreen(outcome: Outcome): string | undefined {
  const messages = failures(outcome);
  if (messages.length === 0) return undefined;
  return `A learner who has written this stage, and those before it, can't pass it: it needs a later one.\n\n${messages.join('\n\n')}`;
}

function failures({ testExecError, testResults }: Outcome): string[] {
  const failed = testResults.filter(({ status }) => status === 'failed');
  const messages = failed.map(({ fullName, failureMessages }) => `${fullName}\n\n${failureMessages.map(withoutStack).join('\n')}`);
  return testExecError ? [...messages, `outside of any test:\n\n${textOf(testExecError)}`] : messages;
}

/** Why the starter's run is not as it should be, or nothing. */
export function notRed({ testExecError, testResults }: Outcome): string | undefined {
  const messages = failures({ testExecError, testResults });
  if (messages.length === 0) return 'Every test passes on the starter: no test asks for what the stage is about.';
  const otherwise = messages.filter((message) => !message.includes('NotImplemented'));
  if (otherwise.length === 0) return undefined;
  return `On the starter a test must fail because of NotImplemented; these fail because of something else:\n\n${otherwise.join('\n\n')}`;
}

/**
 * Why the wrong solution is not caught as promised, or nothing.
 * @param result undefined: there is none
 * @param without why the named test failed without the wrong solution, if it did
 */
export function notCaught({ caughtBy, source, misunderstanding }: Caught, result?: Outcome, without?: string): string | undefined {
  if (!result) return `${source}: the process of the stage's tests ends, or hangs, before "${caughtBy}" has a result`;
  if (without !== undefined) return `${source}: "${caughtBy}" fails without the wrong solution, too, when it runs alone:\n\n${without}`;
  const named = result.testResults.filter(({ title, status }) => title === caughtBy && status !== 'pending');
  if (named.some(({ status }) => status === 'failed')) return undefined;
  if (result.testExecError) return `${source}: the stage's file does not run with it:\n\n${textOf(result.testExecError)}`;
  if (named.length === 0) return `${source}: the stage has no test named "${caughtBy}"`;
  return `${source}: "${caughtBy}" passes although the solution is wrong. The misunderstanding: ${misunderstanding}`;
}

/** Errors that nobody caught come without a message: their text is the stack. */
function textOf({ message, stack }: { message: string; stack?: string | null | undefined }): string {
  return withoutStack(message || stack || 'no reason given');
}

function withoutStack(text: string): string {
  return text.split('\n    at ')[0] ?? text;
}
