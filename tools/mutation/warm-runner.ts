// A Stryker plugin that runs tests in a process that stays warm: the solution and its libraries are loaded once and not for each
// mutant, so that most mutants take a few milliseconds. Tests see jest's own describe, it and expect, but no jest around them.
//
// What one mutant leaves behind could fail the next one's tests. So a mutant is caught only if the very test that failed is green
// without it, straight afterwards. And what the process remembers (a document made once) could hide a mutant. So a mutant survives
// only in a fresh process, all tests of its stage.

import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Circus } from '@jest/types';
import type { MutantCoverage } from '@stryker-mutator/api/core';
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin';
import {
  type DryRunResult,
  DryRunStatus,
  type MutantRunOptions,
  type MutantRunResult,
  MutantRunStatus,
  type TestResult,
  type TestRunner,
  TestStatus,
} from '@stryker-mutator/api/test-runner';
import { addEventHandler, getState, removeEventHandler, resetState, run } from 'jest-circus';
import { systemClock } from '#kit/clock';

/** What Stryker's changed code reads and writes. */
interface Namespace {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage?: MutantCoverage;
}

interface Failure {
  /** The test's id. */
  id: string;
  message: string;
  tookTooLong: boolean;
}

interface Told {
  tests: TestResult[];
  failure: Failure | undefined;
}

/** Milliseconds that each test took without a mutant, by its id. A process that replaces another finds them in the sandbox. */
const timesFile = 'times-without-a-mutant.json';

/** A test that takes so much longer than without a mutant waits for what never comes. Its own waits would give up later. */
const patience = { factor: 3, moreMs: 1500, hookMs: 10_000, tickMs: 50 };
/** What jest would wait: longer than anything here. */
const unlimitedMs = 2 ** 30;

const quickMs = 500;

const namespace: Namespace = {};
Object.assign(globalThis, { __stryker__: namespace });

class WarmRunner implements TestRunner {
  #files: string[] = [];
  #runs = 0;
  #times: Record<string, number> = {};

  capabilities() {
    return { reloadEnvironment: false };
  }

  async init(): Promise<void> {
    this.#files = globSync(process.env.KATA_MUTATE_TESTS ?? '').sort();
    if (existsSync(timesFile)) this.#times = JSON.parse(readFileSync(timesFile, 'utf8')) as Record<string, number>;
    const globals = pathToFileURL(join(import.meta.dirname, 'jest-globals.ts')).href;
    registerHooks({
      resolve: (name, context, next) => (name === '@jest/globals' ? { url: globals, shortCircuit: true } : next(name, context)),
    });
    // What has no owner is of a mutant that was judged before.
    process.on('uncaughtException', () => undefined);
  }

  async dryRun(): Promise<DryRunResult> {
    const tests: TestResult[] = [];
    for (const file of this.#files) tests.push(...(await this.#run(file, undefined)).tests);
    this.#times = Object.fromEntries(tests.map(({ id, timeSpentMs }) => [id, timeSpentMs]));
    writeFileSync(timesFile, JSON.stringify(this.#times));
    return { status: DryRunStatus.Complete, tests, mutantCoverage: withHooks(namespace.mutantCoverage, tests) };
  }

  /** Throws when only a fresh process can judge: then Stryker starts one, and asks it. */
  async mutantRun({ activeMutant, testFilter, hitLimit }: MutantRunOptions): Promise<MutantRunResult> {
    let nrOfTests = 0;
    const isFresh = this.#runs === 0;
    // Which tests run a mutant was seen in a process that remembered what earlier tests had made.
    const covering = isFresh || !testFilter ? Object.keys(this.#times) : testFilter;
    for (const { file, only } of this.#files.flatMap((file) => this.#quickFirst(file, covering))) {
      namespace.hitCount = hitLimit === undefined ? undefined : 0;
      namespace.hitLimit = hitLimit;
      namespace.activeMutant = activeMutant.id;
      const { tests, failure } = await this.#run(file, only).finally(() => {
        namespace.activeMutant = undefined;
      });
      nrOfTests += tests.length;
      if (!failure) continue;
      const control = isFresh ? undefined : await this.#run(file, [failure.id]);
      if (control?.failure) throw new Error(`${failure.id} fails without a mutant, too: ${control.failure.message}`);
      const neverEnds = failure.tookTooLong || (namespace.hitCount ?? 0) > (hitLimit ?? Number.POSITIVE_INFINITY);
      if (neverEnds) return { status: MutantRunStatus.Timeout, reason: failure.message };
      return { status: MutantRunStatus.Killed, killedBy: [failure.id], failureMessage: failure.message, nrOfTests };
    }
    if (!isFresh) throw new Error(`mutant ${activeMutant.id} survives in a process that is not fresh`);
    return { status: MutantRunStatus.Survived, nrOfTests };
  }

  /** The file's tests among these, the quick ones in a run of their own: most mutants are caught there. */
  #quickFirst(file: string, ids: string[]): { file: string; only: string[] }[] {
    const ofFile = ids.filter((id) => id.startsWith(file));
    const isQuick = (id: string) => (this.#times[id] ?? 0) < quickMs;
    const rounds = [ofFile.filter(isQuick), ofFile.filter((id) => !isQuick(id))];
    return rounds.filter((only) => only.length > 0).map((only) => ({ file, only }));
  }

  /** Runs one file's tests, or only some of them, until one fails. */
  async #run(file: string, only: string[] | undefined): Promise<Told> {
    const tests: TestResult[] = [];
    let failure: Failure | undefined;
    const idOf = (test: Circus.TestEntry) => `${file} ${nameOf(test)}`;
    const fail = (id: string, [error]: unknown[]) => {
      const message = error instanceof Error ? error.message : String(error);
      failure ??= { id, message, tookTooLong: error instanceof TookTooLong };
      return message;
    };
    const listen = (event: Circus.Event): void => {
      if (event.name === 'run_describe_start') namespace.currentTestId = `${file} ${hooks}`;
      if (event.name === 'test_start') {
        const { test } = event;
        const id = idOf(test);
        namespace.currentTestId = id;
        const usual = this.#times[id];
        if (usual !== undefined) test.fn = limited(test.fn, patience.factor * usual + patience.moreMs);
        test.timeout = unlimitedMs;
      }
      if (event.name === 'test_done') {
        const { test } = event;
        const base = { id: idOf(test), name: nameOf(test), timeSpentMs: test.duration ?? 0, fileName: file };
        const errors = test.errors.map((error) => (Array.isArray(error) ? error[0] : error));
        if (errors.length === 0) tests.push({ ...base, status: TestStatus.Success });
        else {
          tests.push({ ...base, status: TestStatus.Failed, failureMessage: fail(base.id, errors) });
          skip(getState().rootDescribeBlock);
        }
      }
    };
    resetState();
    await import(`${pathToFileURL(resolve(file)).href}?run=${++this.#runs}`);
    const root = getState().rootDescribeBlock;
    if (only) skip(root, (test) => !only.includes(idOf(test)));
    limitHooks(root);
    getState().testTimeout = unlimitedMs;
    addEventHandler(listen);
    const { unhandledErrors } = await run().finally(() => removeEventHandler(listen));
    // What fails between the tests, or before the first one, has no test of its own: any of the file stands for it.
    const some = tests.at(-1)?.id ?? only?.[0];
    if (unhandledErrors.length > 0 && some) fail(some, unhandledErrors);
    return { tests, failure };
  }
}

class TookTooLong extends Error {}

/** A block that begins when none of its tests are left does not run its hooks, which may start a whole control plane. */
function skip({ children }: Circus.DescribeBlock, which: (test: Circus.TestEntry) => boolean = () => true): void {
  for (const child of children) {
    if (child.type === 'describeBlock') skip(child, which);
    else if (which(child)) child.mode = 'skip';
  }
}

function limitHooks(block: Circus.DescribeBlock): void {
  for (const hook of block.hooks) hook.fn = limited(hook.fn, patience.hookMs);
  for (const child of block.children) if (child.type === 'describeBlock') limitHooks(child);
}

/** Only time in which this process may run is counted: on a busy machine, minutes can pass between two ticks. */
function limited(fn: Circus.TestFn, ms: number): () => Promise<void> {
  return async () => {
    const { promise: overdue, reject } = Promise.withResolvers<never>();
    let left = ms / patience.tickMs;
    const ticks = systemClock.every(patience.tickMs, () => {
      left -= 1;
      if (left < 0) reject(new TookTooLong(`this takes longer than ${ms} ms`));
    });
    try {
      await Promise.race([(fn as () => unknown)(), overdue]);
    } finally {
      ticks.cancel();
    }
  };
}

/** What is covered between tests, by a hook of the file: any test of the file may notice it. */
const hooks = '(hooks)';

function withHooks(coverage: MutantCoverage | undefined, tests: TestResult[]): MutantCoverage {
  const { static: always, perTest } = coverage ?? { static: {}, perTest: {} };
  return {
    static: always,
    perTest: Object.fromEntries(tests.map(({ id, fileName }) => [id, { ...perTest[`${fileName} ${hooks}`], ...perTest[id] }])),
  };
}

function nameOf(test: Circus.TestEntry): string {
  const names = [test.name];
  for (let block: Circus.DescribeBlock | undefined = test.parent; block?.parent; block = block.parent) names.unshift(block.name);
  return names.join(' ');
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'warm', WarmRunner)];
