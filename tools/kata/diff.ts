// Your functions of a stage beside the solution's, as git shows differences. Docs are left out: they say the same.

import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from '#cluster/flags';
import type { Stage } from '../course.ts';
import { readFiles } from '../starters.ts';
import { declarationsIn, ofStage, type Range } from './exercises.ts';

/** Prints the difference, through the pager where the terminal has one. */
export function showDiff(root: string, stage: Stage, { colour }: { colour: boolean }): void {
  const folder = join(root, '.kubekata/diff');
  rmSync(folder, { recursive: true, force: true });
  const mine = readFiles(join(root, 'chapters', stage.chapter, 'src'));
  for (const [path, solution] of readFiles(join(root, 'solutions', stage.chapter))) {
    if (!path.endsWith('.ts')) continue;
    const { yours, reference } = functionsOf(mine.get(path)?.toString() ?? '', solution.toString(), stage.id);
    if (reference === '') continue;
    write(join(folder, 'yours', path), yours);
    write(join(folder, 'reference', path), reference);
  }
  const how = ['diff', '--no-index', '--no-prefix', '--no-ext-diff', '-U100', `--color=${colour ? 'always' : 'never'}`];
  const { status, error } = spawnSync('git', [...how, 'yours', 'reference'], { cwd: folder, stdio: 'inherit' });
  if (error) throw new UsageError(`The diff needs git (${error.message}). The solution is in solutions/${stage.chapter}.`);
  if (status === 0) console.log(`Your functions of ${stage.id} are the solution's, to the letter.`);
}

/** The text of the stage's functions on both sides. A helper of the solution is compared with yours of the same name. */
export function functionsOf(mine: string, solution: string, stage: string): { yours: string; reference: string } {
  const chosen = ofStage(solution, stage);
  const names = new Set(chosen.map(({ name }) => name));
  const text = (source: string, all: typeof chosen) => all.map((range) => `${unindented(source, range)}\n`).join('\n');
  const yours = declarationsIn(mine).filter(({ name }) => names.has(name));
  const place = (name: string) => chosen.findIndex((declaration) => declaration.name === name);
  return {
    yours: text(
      mine,
      yours.toSorted((a, b) => place(a.name) - place(b.name)),
    ),
    reference: text(solution, chosen),
  };
}

/** A method as if it stood at the left margin. */
function unindented(source: string, { start, end }: Range): string {
  const indent = start - source.lastIndexOf('\n', start - 1) - 1;
  return source.slice(start, end).replaceAll(new RegExp(`^ {${indent}}`, 'gm'), '');
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
