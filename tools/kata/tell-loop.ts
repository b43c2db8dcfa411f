// The reporter of a stage's run. It hands the loop's word on to the waiting test (./wait-for-go.cjs), and tells the loop which test
// runs and how the stage ended.

import { channel, subscribe } from 'node:diagnostics_channel';
import { Worker } from 'node:worker_threads';
import type { AggregatedResult, Reporter, Test, TestCaseResult, TestResult } from '@jest/reporters';
import type { Circus } from '@jest/types';
import { systemClock } from '#kit/clock';
import { stageResult } from '../progress.ts';
import type { Said } from './stage-run.ts';

const aliveEveryMs = 500;

/** A loop that was killed can't end this process, and an endless loop in your code never looks: so another thread does. */
const orphanWatch = `
const parent = process.ppid;
const never = new Int32Array(new SharedArrayBuffer(4));
while (process.ppid === parent) Atomics.wait(never, 0, 0, 1000);
process.kill(process.pid, 'SIGKILL');
`;

export default class TellLoop implements Pick<Reporter, 'onRunStart' | 'onTestCaseStart' | 'onTestCaseResult' | 'onTestResult'> {
  onRunStart(): void {
    new Worker(orphanWatch, { eval: true }).unref();
    subscribe('kubekata.warm', () => say({ kind: 'warm' }));
    process.once('message', () => {
      systemClock.every(aliveEveryMs, () => say({ kind: 'alive' }));
      channel('kubekata.go').publish({});
    });
  }

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
