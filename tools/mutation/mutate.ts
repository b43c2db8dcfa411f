// npm run mutate -- chapter4: changes the code that a learner writes, one small change at a time, and runs the tests of its stage on
// each. A change that no test notices is a survivor: a wrong solution that the tests let through. The scores go to
// docs/data/mutation.json, the survivors to the terminal and to .kubekata/mutation/<stage>.txt.
//
//   npm run mutate -- chapter4 --stages 4.2       only these stages

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogLevel, MutantResult, PartialStrykerOptions } from '@stryker-mutator/api/core';
import { Stryker } from '@stryker-mutator/core';
import { readFlags, runCommand, UsageError } from '#cluster/flags';
import { systemClock, timestamp } from '#kit/clock';
import { chapterNamed } from '../chapters.ts';
import { pattern, type Range, writtenByLearner } from './ranges.ts';
import { type Counts, countsOf, describeSurvivor, type KnownSurvivor, percentOf, type Score, scoreOf, survivorsOf } from './report.ts';

const scoresFile = 'docs/data/mutation.json';
const survivorsFile = 'docs/data/survivors.json';
const folder = '.kubekata/mutation';

const flags = {
  stages: { description: 'only these: 4.1,4.2', default: '' },
};

type Body = Range & { file: string };

function bodiesOf(chapter: string): Body[] {
  const solution = `solutions/${chapter}`;
  const files = readdirSync(solution, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return files.flatMap((name) => {
    const file = join(solution, name).replaceAll('\\', '/');
    return writtenByLearner(file, readFileSync(file, 'utf8')).map((range) => ({ ...range, file }));
  });
}

/** Changes the bodies, and runs the stage's own tests: what a learner runs while writing them. */
async function run(chapter: string, stage: string, bodies: Body[]): Promise<MutantResult[]> {
  process.env.KATA_MUTATE_TESTS = `chapters/${chapter}/tests/${stage}-*.test.ts`;
  const options: PartialStrykerOptions = {
    mutate: bodies.map((body) => pattern(body.file, body)),
    testRunner: 'warm',
    plugins: ['./tools/mutation/warm-runner.ts', './tools/mutation/ignore-logs.ts'],
    ignorers: ['logs'],
    coverageAnalysis: 'perTest',
    concurrency: 1,
    // For what blocks the process: a test that waits too long ends much earlier (warm-runner.ts).
    timeoutMS: 60_000,
    tempDirName: folder,
    ignorePatterns: ['.kubekata', 'docs', 'bench', '.git'],
    tsconfigFile: '',
    disableTypeChecks: false,
    allowConsoleColors: process.stdout.isTTY ?? false,
    reporters: [process.stdout.isTTY ? 'progress' : 'progress-append-only'],
    logLevel: 'warn' as LogLevel,
  };
  const mutants = await new Stryker(options).runMutationTest();
  return mutants.map((mutant) => ({ ...mutant, fileName: mutant.fileName.slice(mutant.fileName.indexOf('solutions/')) }));
}

function read(path: string): string {
  return readFileSync(path, 'utf8');
}

function readData<T>(path: string): Record<string, T> {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, T>) : {};
}

function sorted<T>(data: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(data).sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })));
}

/** Keeps the stage's counts, and the chapter's score with them. */
function keep(chapter: string, stage: string, counts: Counts): Score {
  const scores = readData<Score>(scoresFile);
  const score = scoreOf(sorted({ ...scores[chapter]?.stages, [stage]: counts }), timestamp(systemClock).slice(0, 10));
  mkdirSync('docs/data', { recursive: true });
  writeFileSync(scoresFile, `${JSON.stringify(sorted({ ...scores, [chapter]: score }), undefined, 2)}\n`);
  return score;
}

function describeCounts(counts: Counts): string {
  const { killed, timeout, survived, noCoverage } = counts;
  const all = killed + timeout + survived + noCoverage;
  return `${percentOf(counts)} % of ${all} mutants are told from the solution: ${killed} by a test, ${timeout} never ended; ${survived} survived, ${noCoverage} are run by no test`;
}

async function main(): Promise<number> {
  const [name = '', ...args] = process.argv.slice(2);
  const { stages: only } = readFlags('npm run mutate -- CHAPTER [flags]', flags, args);
  const chapter = chapterNamed(name);
  const bodies = bodiesOf(chapter);
  const stages = [...new Set(bodies.map(({ stage }) => stage))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const wanted = only ? only.split(',') : stages;
  const unknown = wanted.find((stage) => !stages.includes(stage));
  if (unknown) throw new UsageError(`${chapter} has no stage ${unknown} with something to write: there are ${stages.join(', ')}`);
  let score: Score | undefined;
  for (const stage of wanted) {
    const known = readData<KnownSurvivor[]>(survivorsFile)[chapter] ?? [];
    const ofStage = bodies.filter((body) => body.stage === stage);
    const mutants = await run(chapter, stage, ofStage);
    const survivors = survivorsOf(mutants, known, read).map(describeSurvivor).join('\n\n');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${stage}.txt`), `${survivors}\n`);
    const counts = countsOf(mutants);
    console.log(`${survivors ? `\n${survivors}\n\n` : ''}${stage}: ${describeCounts(counts)}`);
    score = keep(chapter, stage, counts);
  }
  if (score) console.log(`${chapter}: ${describeCounts(score)}`);
  return 0;
}

await runCommand(main);
