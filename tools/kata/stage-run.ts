// Runs a stage's tests, each time in a process of its own that is loaded before it is needed: nothing that your code left behind
// (a timer, a server, an endless loop) lives on in the next run, and still a run takes no longer than the tests.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Clock, Timer } from '#kit/clock';
import { type Stage, testOf } from '../course.ts';
import type { StageResult } from '../progress.ts';
import { givenModules } from './given-modules.ts';

/** What a run's process says. */
export type Said =
  | { kind: 'warm' }
  | { kind: 'alive' }
  | { kind: 'test'; name: string }
  | { kind: 'tested'; passed: boolean }
  | { kind: 'result'; result: StageResult };

export type Outcome =
  | { kind: 'result'; result: StageResult; ms: number }
  /** The process ended before it had a result. */
  | { kind: 'ended'; output: string }
  /** It did not come back to its event loop: an endless loop. */
  | { kind: 'stuck'; test: string | undefined };

/** A test that did not come back to its event loop for so long never will; a busy machine takes a second or two. */
const stuckAfterMs = 8_000;
/** Before the first test, TypeScript may have much to do. */
const loadingMs = 40_000;

export class StageRuns {
  readonly #root: string;
  readonly #clock: Clock;
  #warm: { stage: string; process: StageProcess } | undefined;
  #running: StageProcess | undefined;

  constructor(root: string, clock: Clock) {
    this.#root = root;
    this.#clock = clock;
  }

  /** Runs the stage. A run that goes on is ended: it never reports. */
  async run(stage: Stage, onTested: (passed: number) => void): Promise<Outcome | undefined> {
    this.#running?.kill();
    const run = this.#takeWarm(stage);
    this.#running = run;
    const outcome = await run.go(onTested);
    if (this.#running !== run) return undefined;
    run.kill();
    this.#running = undefined;
    this.warm(stage);
    return outcome;
  }

  /** Makes the next run of that stage ready. */
  warm(stage: Stage): void {
    if (this.#warm?.stage === stage.id && this.#warm.process.usable) return;
    this.#warm?.process.kill();
    this.#warm = { stage: stage.id, process: new StageProcess(this.#root, stage, this.#clock) };
  }

  /** Ends all processes. */
  stop(): void {
    this.#warm?.process.kill();
    this.#running?.kill();
    this.#warm = this.#running = undefined;
  }

  #takeWarm(stage: Stage): StageProcess {
    this.warm(stage);
    const { process } = this.#warm as { process: StageProcess };
    this.#warm = undefined;
    return process;
  }
}

class StageProcess {
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  #output = '';
  #isWarm = false;
  #hasEnded = false;
  #goWhenWarm = () => {};
  #onSaid: (said: Said) => void = () => {};
  #onEnd = () => {};

  constructor(root: string, stage: Stage, clock: Clock) {
    this.#clock = clock;
    const test = testOf(stage);
    const jest = join(root, 'node_modules/jest/bin/jest.js');
    const args = [test.replaceAll('.', '\\.'), '--runInBand', '--reporters=<rootDir>/tools/kata/tell-loop.ts'];
    this.#child = spawn(process.execPath, [jest, ...args], {
      cwd: root,
      env: {
        ...process.env,
        KUBEKATA_CHAPTERS: stage.chapter,
        KUBEKATA_PRELOAD: JSON.stringify(givenModules(root, stage.chapter, join(root, test))),
        FORCE_COLOR: process.env.FORCE_COLOR ?? (useColours() ? '1' : '0'),
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own, so that whatever the tests started ends with it; and Ctrl-C reaches only the loop.
      detached: process.platform !== 'win32',
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('data', (text) => (this.#output += text));
    this.#child.on('message', (said: Said) => {
      if (said.kind !== 'warm') return this.#onSaid(said);
      this.#isWarm = true;
      this.#goWhenWarm();
    });
    this.#child.on('error', (error) => (this.#output += error.message));
    this.#child.on('close', () => {
      this.#hasEnded = true;
      this.#onEnd();
    });
  }

  get usable(): boolean {
    return !this.#hasEnded;
  }

  async go(onTested: (passed: number) => void): Promise<Outcome> {
    let test: string | undefined;
    let passed = 0;
    let watchdog: Timer | undefined;
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const lookAgain = () => {
      watchdog?.cancel();
      watchdog = this.#clock.after(test === undefined ? loadingMs : stuckAfterMs, () => resolve({ kind: 'stuck', test }));
    };
    let started = this.#clock.now();
    this.#onSaid = (said) => {
      if (said.kind === 'test') test = said.name;
      lookAgain();
      if (said.kind === 'tested' && said.passed) onTested(++passed);
      if (said.kind === 'result') resolve({ kind: 'result', result: said.result, ms: this.#clock.now() - started });
    };
    this.#onEnd = () => resolve({ kind: 'ended', output: this.#output.trim() });
    this.#goWhenWarm = () => {
      started = this.#clock.now();
      lookAgain();
      if (this.#child.connected) this.#child.send('go');
    };
    if (this.#isWarm) this.#goWhenWarm();
    if (this.#hasEnded) this.#onEnd();
    const outcome = await promise;
    watchdog?.cancel();
    return outcome;
  }

  kill(): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#hasEnded) return;
    if (process.platform === 'win32') spawnSync('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore' });
    else killGroup(pid);
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function useColours(): boolean {
  return process.stdout.isTTY && process.stdout.hasColors() && !process.env.NO_COLOR;
}
