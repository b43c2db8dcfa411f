// The reporter of a stage's run. It hands the loop's word on to the waiting test (./wait-for-go.cjs), and tells the loop which test
// runs and how the stage ended.

import { channel, subscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { AggregatedResult, Reporter, Test, TestCaseResult, TestResult } from '@jest/reporters';
import type { Circus } from '@jest/types';
import typescript from 'typescript';
import { systemClock } from '#kit/clock';
import { tsconfigForJest } from '../jest-projects.ts';
import { stageResult } from '../progress.ts';
import type { Go } from './loop-environment.ts';
import type { Said } from './stage-run.ts';

const aliveEveryMs = 500;
const { options: compilerOptions } = typescript.convertCompilerOptionsFromJson(tsconfigForJest(), '');

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
    subscribe('kubekata.warm', () => {
      compileOnce();
      say({ kind: 'warm' });
    });
    process.once('message', (go: Go) => {
      systemClock.every(aliveEveryMs, () => say({ kind: 'alive' }));
      channel('kubekata.go').publish(go);
    });
  }

  onTestCaseStart(_: Test, { fullName }: Circus.TestCaseStartInfo): void {
    say({ kind: 'test', name: fullName });
  }

  onTestCaseResult(_: Test, { status, fullName, title, failureMessages }: TestCaseResult): void {
    if (status === 'passed') say({ kind: 'passed', title });
    if (status === 'failed') say({ kind: 'failed', name: fullName, title, message: failureMessages[0] ?? '' });
  }

  onTestResult(_: Test, result: TestResult, __: AggregatedResult): void {
    say({ kind: 'result', result: stageResult(result) });
  }

  getLastError(): void {}
}

/** The compiler's first file takes five times as long as its second: better now than after a save. */
function compileOnce(): void {
  const files: string[] = JSON.parse(process.env.KUBEKATA_COMPILE ?? '[]');
  for (const file of files) typescript.transpileModule(readFileSync(file, 'utf8'), { compilerOptions, fileName: file });
}

function say(said: Said): void {
  process.send?.(said);
}
