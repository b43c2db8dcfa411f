// Runs a stage's tests, each time in a process of its own that is loaded before it is needed: nothing that your code left behind
// (a timer, a server, an endless loop) lives on in the next run, and still a run takes no longer than the tests.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { Clock, Timer } from '#kit/clock';
import { chapterNumber, type Stage, testOf } from '../course.ts';
import { moduleNameMapper } from '../jest-projects.ts';
import type { StageResult } from '../progress.ts';
import { filesToWrite, givenModules } from './given-modules.ts';
import type { Go } from './loop-environment.ts';

/** What a run's process says. */
export type Said =
  | { kind: 'warm' }
  | { kind: 'alive' }
  /** With its full name. */
  | { kind: 'test'; name: string }
  | { kind: 'passed'; title: string }
  /** With the message and stack of its first failure. */
  | { kind: 'failed'; name: string; title: string; message: string }
  | { kind: 'result'; result: StageResult };

/** How far a run is. */
export interface Progress {
  passed: number;
  /** The title of the test that passed last. */
  latest: string | undefined;
  /** The first test that failed: its title, and the message without a stack. */
  failed: { title: string; message: string } | undefined;
}

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
  /** For each stage that failed last time: the full name of its first test that did. */
  readonly #failedLast = new Map<string, string>();
  /** Files that were saved although they hold none of the stage's functions. */
  readonly #savedToo = new Set<string>();

  constructor(root: string, clock: Clock) {
    this.#root = root;
    this.#clock = clock;
  }

  /** Runs the stage, with the test that failed last in front. A run that goes on is ended: it never reports. */
  async run(stage: Stage, onProgress: (progress: Progress) => void): Promise<Outcome | undefined> {
    this.#running?.kill();
    const run = this.#takeWarm(stage);
    this.#running = run;
    const outcome = await run.go(this.#failedLast.get(stage.id), (progress) => this.#running === run && onProgress(progress));
    if (run.firstFailure !== undefined) this.#failedLast.set(stage.id, run.firstFailure);
    if (this.#running !== run) return undefined;
    if (run.firstFailure === undefined) this.#failedLast.delete(stage.id);
    run.kill();
    this.#running = undefined;
    this.warm(stage);
    return outcome;
  }

  /** Makes the next run of that stage ready. */
  warm(stage: Stage): void {
    const { stage: id, process } = this.#warm ?? {};
    for (const path of process?.outdated() ?? []) this.#savedToo.add(path);
    if (id === stage.id && process?.usable) return;
    process?.kill();
    this.#warm = { stage: stage.id, process: new StageProcess(this.#root, stage, [...this.#savedToo], this.#clock) };
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
  /** The files that it has loaded ahead, as they were then. */
  readonly #loaded: Map<string, string>;
  /** The full name of the first test that failed, or of the one that did not come back. */
  firstFailure: string | undefined;
  #output = '';
  #isWarm = false;
  #hasEnded = false;
  #goWhenWarm = () => {};
  #onSaid: (said: Said) => void = () => {};
  #onEnd = () => {};

  constructor(root: string, stage: Stage, savedToo: string[], clock: Clock) {
    this.#clock = clock;
    const test = testOf(stage);
    const toWrite = filesToWrite(root, stage.chapter, stage.id);
    const given = givenModules(moduleNameMapper(`learner-${chapterNumber(stage.chapter)}`), join(root, test), [...toWrite, ...savedToo]);
    this.#loaded = new Map(given.filter((name) => isAbsolute(name)).map((path) => [path, versionOf(path)]));
    const jest = join(root, 'node_modules/jest/bin/jest.js');
    const args = [test.replaceAll('.', '\\.'), '--runInBand', '--reporters=<rootDir>/tools/kata/tell-loop.ts'];
    this.#child = spawn(process.execPath, [jest, ...args], {
      cwd: root,
      env: {
        ...process.env,
        KUBEKATA_CHAPTERS: stage.chapter,
        KUBEKATA_COMPILE: JSON.stringify(toWrite.filter((path) => existsSync(path))),
        KUBEKATA_PRELOAD: JSON.stringify(given),
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
    return !this.#hasEnded && this.outdated().length === 0;
  }

  /** Files that are not as they were when it loaded them. */
  outdated(): string[] {
    return [...this.#loaded].filter(([path, version]) => versionOf(path) !== version).map(([path]) => path);
  }

  async go(first: string | undefined, onProgress: (progress: Progress) => void): Promise<Outcome> {
    let test: string | undefined;
    const progress: Progress = { passed: 0, latest: undefined, failed: undefined };
    let watchdog: Timer | undefined;
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const lookAgain = () => {
      watchdog?.cancel();
      watchdog = this.#clock.after(test === undefined ? loadingMs : stuckAfterMs, () => resolve({ kind: 'stuck', test }));
    };
    lookAgain();
    let started = this.#clock.now();
    this.#onSaid = (said) => {
      if (said.kind === 'test') test = said.name;
      lookAgain();
      if (said.kind === 'passed') Object.assign(progress, { passed: progress.passed + 1, latest: said.title });
      if (said.kind === 'failed') {
        this.firstFailure ??= said.name;
        progress.failed ??= { title: said.title, message: withoutStack(said.message) };
      }
      if (said.kind === 'passed' || said.kind === 'failed') onProgress({ ...progress });
      if (said.kind === 'result') resolve({ kind: 'result', result: said.result, ms: this.#clock.now() - started });
    };
    this.#onEnd = () => resolve({ kind: 'ended', output: this.#output.trim() });
    this.#goWhenWarm = () => {
      started = this.#clock.now();
      lookAgain();
      if (this.#child.connected) this.#child.send({ first } satisfies Go);
    };
    if (this.#isWarm) this.#goWhenWarm();
    if (this.#hasEnded) this.#onEnd();
    const outcome = await promise;
    watchdog?.cancel();
    if (outcome.kind === 'stuck') this.firstFailure ??= outcome.test;
    return outcome;
  }

  kill(): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#hasEnded) return;
    if (process.platform === 'win32') spawnSync('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore' });
    else killGroup(pid);
  }
}

function versionOf(path: string): string {
  const { mtimeMs, size } = statSync(path, { throwIfNoEntry: false }) ?? {};
  return `${mtimeMs} ${size}`;
}

function withoutStack(message: string): string {
  const [text = ''] = message.split(/\n\s+at /);
  return text.replace(/^\w*Error: /, '').trim();
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
