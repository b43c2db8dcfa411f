// npm run mutate -- chapter4: changes the code that a learner writes, one small change at a time, and runs the chapter's own suite
// on each. A change that no test notices is a survivor: a wrong solution that the tests let through. The score goes to
// docs/data/mutation.json, the survivors to the terminal and to .kubekata/mutation/<chapter>.txt.
//
//   npm run mutate -- chapter4 --files fits.ts,filters.ts   only these: the score is shown, not kept
//   npm run mutate -- chapter1 --tests '1.[1-4]*'           only these tests: likewise

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogLevel, PartialStrykerOptions } from '@stryker-mutator/api/core';
import { Stryker } from '@stryker-mutator/core';
import { readFlags, runCommand, UsageError } from '#cluster/flags';
import { systemClock, timestamp } from '#kit/clock';
import { chapterNamed } from '../chapters.ts';
import { pattern, writtenByLearner } from './ranges.ts';
import { describeSurvivor, type KnownSurvivor, type Mutant, type Score, scoreOf, survivorsOf } from './report.ts';

const scoresFile = 'docs/data/mutation.json';
const survivorsFile = 'docs/data/survivors.json';
const folder = '.kubekata/mutation';

const flags = {
  files: { description: "only these files of the solution, separated by commas; the score isn't kept", default: '' },
  tests: { description: "only the test files that match: '1.[1-4]*'; the score isn't kept", default: '' },
};

function mutated(chapter: string, only: string[]): string[] {
  const solution = join('solutions', chapter);
  const files = readdirSync(solution, { recursive: true, encoding: 'utf8' }).map((file) => file.replaceAll('\\', '/'));
  const unknown = only.find((file) => !files.includes(file));
  if (unknown) throw new UsageError(`${solution} has no file ${unknown}`);
  return files
    .filter((file) => file.endsWith('.ts') && (only.length === 0 || only.includes(file)))
    .flatMap((file) => {
      const path = `solutions/${chapter}/${file}`;
      return writtenByLearner(path, readFileSync(path, 'utf8')).map((range) => pattern(path, range));
    });
}

function options(mutate: string[]): PartialStrykerOptions {
  return {
    mutate,
    testRunner: 'jest',
    jest: { configFile: 'tools/mutation/jest.config.ts', enableFindRelatedTests: false },
    plugins: ['@stryker-mutator/jest-runner', './tools/mutation/ignore-logs.ts'],
    ignorers: ['logs'],
    coverageAnalysis: 'perTest',
    concurrency: 1,
    // Slower than this is told from the solution, too: but not on a machine that is busy for a moment.
    timeoutMS: 15_000,
    tempDirName: folder,
    ignorePatterns: ['.kubekata', 'docs', 'bench', '.git'],
    tsconfigFile: '',
    disableTypeChecks: false,
    allowConsoleColors: process.stdout.isTTY ?? false,
    reporters: [process.stdout.isTTY ? 'progress' : 'progress-append-only'],
    logLevel: 'warn' as LogLevel,
  };
}

function readData<T>(path: string): Record<string, T> {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, T>) : {};
}

function keepScore(chapter: string, score: Score): void {
  const scores = { ...readData<Score>(scoresFile), [chapter]: score };
  const sorted = Object.fromEntries(Object.entries(scores).sort(([a], [b]) => a.localeCompare(b)));
  writeFileSync(scoresFile, `${JSON.stringify(sorted, undefined, 2)}\n`);
}

async function main(): Promise<number> {
  const [name = '', ...args] = process.argv.slice(2);
  const { files, tests } = readFlags('npm run mutate -- CHAPTER [flags]', flags, args);
  const chapter = chapterNamed(name);
  const mutate = mutated(chapter, files.split(',').filter(Boolean));
  if (mutate.length === 0) throw new UsageError(`nothing to mutate: no function there is tagged @exercise or @solution`);
  process.env.KATA_MUTATE = chapter;
  if (tests) process.env.KATA_MUTATE_TESTS = tests;
  const mutants: Mutant[] = await new Stryker(options(mutate)).runMutationTest();
  const relative = mutants.map((mutant) => ({ ...mutant, fileName: mutant.fileName.slice(mutant.fileName.indexOf('solutions/')) }));
  const score = scoreOf(relative, timestamp(systemClock).slice(0, 10));
  const known = readData<KnownSurvivor[]>(survivorsFile)[chapter] ?? [];
  const survivors = survivorsOf(relative, known, (path) => readFileSync(path, 'utf8'));
  const report = survivors.map(describeSurvivor).join('\n\n');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${chapter}.txt`), `${report}\n`);
  console.log(`\n${report}\n`);
  const { killed, timeout, survived, noCoverage } = score;
  console.log(`${chapter}: ${score.score} % of ${killed + timeout + survived + noCoverage} mutants are told from the solution`);
  console.log(`${killed} killed, ${timeout} never ended, ${survived} survived, ${noCoverage} are run by no test`);
  if (!files && !tests) keepScore(chapter, score);
  return 0;
}

await runCommand(main);
