// The reporter of a stage's run: tells the loop which test runs, and how the stage ended.

import type { AggregatedResult, Reporter, Test, TestCaseResult, TestResult } from '@jest/reporters';
import type { Circus } from '@jest/types';
import { stageResult } from '../progress.ts';
import type { Said } from './stage-run.ts';

export default class TellLoop implements Pick<Reporter, 'onTestCaseStart' | 'onTestCaseResult' | 'onTestResult'> {
  onTestCaseStart(_: Test, { fullName }: Circus.TestCaseStartInfo): void {
    say({ kind: 'test', name: fullName });
  }

  onTestCaseResult(_: Test, { status }: TestCaseResult): void {
    say({ kind: 'tested', passed: status === 'passed' });
  }

  onTestResult(_: Test, result: TestResult, __: AggregatedResult): void {
    say({ kind: 'result', result: stageResult(result) });
  }

  getLastError(): void {}
}

function say(said: Said): void {
  process.send?.(said);
}
