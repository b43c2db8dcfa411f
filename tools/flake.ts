// npm run flake -- chapter4 --times 100: runs a suite, or with 4.2 a stage of it, again and again, and tells which tests do not always
// pass, how often they failed, and how they failed first. Against the solutions; with --mine against your code. Ctrl-C ends it with
// what is known so far.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readFlags, runCommand, UsageError, wholeNumber } from '#cluster/flags';
import { systemClock } from '#kit/clock';
import { chapterNamed } from './chapters.ts';
import { describeTally, type RunReport, Tally } from './flake-tally.ts';

const flags = {
  times: { description: 'how often', default: '100' },
  mine: { description: 'your code instead of the solution', default: false as const },
};

const folder = '.kubekata/flake';

/** jest's arguments for one run. */
function jestArguments(chapter: string, stage: string, mine: boolean, outputFile: string): string[] {
  const config = mine ? ['--reporters=default'] : ['--config', 'jest.solutions.config.ts', '--selectProjects', chapter];
  return ['--json', '--outputFile', outputFile, ...config, '--', `chapters/${chapter}/tests/${stage ? `${stage}-` : ''}`];
}

/** The report of one run; undefined when it was ended before it wrote any. */
function readReport(path: string): RunReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RunReport;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function main(): Promise<number> {
  const [name = '', ...args] = process.argv.slice(2);
  const values = readFlags('npm run flake -- CHAPTER | STAGE [flags]', flags, args);
  const stage = /^\d+\.\d+$/.test(name) ? name : '';
  const chapter = chapterNamed(stage ? stage.replace(/\..*/, '') : name);
  const times = wholeNumber('times', values.times, { min: 1, max: 100_000 });
  const outputFile = join(folder, `${process.pid}.json`);
  mkdirSync(folder, { recursive: true });

  const tally = new Tally();
  let running: ChildProcess | undefined;
  let isInterrupted = false;
  process.on('SIGINT', () => {
    isInterrupted = true;
    // A terminal's Ctrl-C reaches jest too; a signal to this process alone does not.
    running?.kill('SIGINT');
  });
  for (let run = 1; run <= times && !isInterrupted; run += 1) {
    const started = systemClock.now();
    rmSync(outputFile, { force: true });
    const jest = join('node_modules', 'jest', 'bin', 'jest.js');
    const child = spawn(process.execPath, [jest, ...jestArguments(chapter, stage, values.mine, outputFile)], { stdio: 'ignore' });
    running = child;
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    if (isInterrupted) break;
    const report = readReport(outputFile);
    if (!report) throw new UsageError(`jest ended with code ${code} and no report: try it alone, npm run test:solutions -- ${chapter}`);
    if (report.numTotalTests === 0 && report.numRuntimeErrorTestSuites === 0)
      throw new UsageError(`${chapter} has no test of stage ${stage}`);
    const failed = tally.add(report);
    console.log(
      `${run} of ${times}  ${((systemClock.now() - started) / 1000).toFixed(1)} s  ${failed === 0 ? 'all pass' : `${failed} failed`}`,
    );
  }
  rmSync(outputFile, { force: true });
  console.log(`\n${describeTally(tally)}`);
  return tally.failures.length === 0 ? 0 : 1;
}

await runCommand(main);
process.exit();
