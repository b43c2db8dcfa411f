// What mutants came to: a chapter's score, and the survivors, each with its place. A survivor that can't be told from the
// solution, or whose difference nobody promises, stands in docs/data/survivors.json with the reason; it counts as survived all the same.

import type { MutantResult } from '@stryker-mutator/api/core';

export interface Counts {
  killed: number;
  survived: number;
  timeout: number;
  noCoverage: number;
}

/** A chapter's, with those of its stages. */
export interface Score extends Counts {
  /** Percent of all mutants that a test tells from the solution; a mutant that never ends is told. */
  score: number;
  /** YYYY-MM-DD */
  date: string;
  stages: Record<string, Counts>;
}

/** A survivor that is known, by what it changes: lines move. */
export interface KnownSurvivor {
  file: string;
  /** What stands in the solution, and what the mutant has instead. */
  from: string;
  to: string;
  reason: string;
}

export type Mutant = Pick<MutantResult, 'fileName' | 'status' | 'replacement' | 'location'>;

export interface Survivor extends Omit<KnownSurvivor, 'reason'> {
  line: number;
  /** No test runs it at all. */
  notCovered: boolean;
  reason: string | undefined;
}

export function countsOf(mutants: Mutant[]): Counts {
  const count = (...of: Mutant['status'][]) => mutants.filter(({ status }) => of.includes(status)).length;
  return {
    killed: count('Killed'),
    survived: count('Survived', 'RuntimeError'),
    timeout: count('Timeout'),
    noCoverage: count('NoCoverage'),
  };
}

/** Nothing told it from the solution. In doubt it survives: where a test that fails with it fails without it, too. */
function isSurvivor({ status }: Mutant): boolean {
  return status === 'Survived' || status === 'NoCoverage' || status === 'RuntimeError';
}

/** A chapter's score when some of its stages were measured anew. */
export function scoreOf(stages: Record<string, Counts>, date: string): Score {
  const sum = (of: keyof Counts) => Object.values(stages).reduce((total, counts) => total + counts[of], 0);
  const counts = { killed: sum('killed'), survived: sum('survived'), timeout: sum('timeout'), noCoverage: sum('noCoverage') };
  return { ...counts, score: percentOf(counts), date, stages };
}

/** Rounded down to a tenth. */
export function percentOf({ killed, survived, timeout, noCoverage }: Counts): number {
  const all = killed + survived + timeout + noCoverage;
  return all === 0 ? 0 : Math.floor((1000 * (killed + timeout)) / all) / 10;
}

/** @param read a solution's text; @param path a file from the repository's root */
export function survivorsOf(mutants: Mutant[], known: KnownSurvivor[], read: (path: string) => string): Survivor[] {
  const survivors = mutants.filter(isSurvivor).map((mutant) => survivorOf(mutant, known, read));
  return survivors.sort((a, b) => a.file.localeCompare(b.file, 'en') || a.line - b.line);
}

function survivorOf(mutant: Mutant, known: KnownSurvivor[], read: (path: string) => string): Survivor {
  const { fileName: file, status, replacement, location } = mutant;
  const from = oneLine(cut(read(file), location));
  const to = oneLine(replacement ?? '');
  const reason = known.find((one) => one.file === file && one.from === from && one.to === to)?.reason;
  return { file, line: location.start.line, from, to, notCovered: status === 'NoCoverage', reason };
}

export function describeSurvivor({ file, line, from, to, notCovered, reason }: Survivor): string {
  const said = [`${file}:${line}${notCovered ? '  (no test runs it)' : ''}`, `  - ${from}`, `  + ${to}`];
  return [...said, ...(reason ? [`  known: ${reason}`] : [])].join('\n');
}

/** Lines and columns of a result count from one. */
function cut(text: string, { start, end }: Mutant['location']): string {
  const lines = text.split('\n').slice(start.line - 1, end.line);
  const last = lines.length - 1;
  lines[last] = lines[last]?.slice(0, end.column - 1) ?? '';
  lines[0] = lines[0]?.slice(start.column - 1) ?? '';
  return lines.join('\n');
}

function oneLine(code: string): string {
  return code.replace(/\s+/g, ' ').trim();
}
