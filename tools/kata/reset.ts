// Takes the functions of one stage back to how the starter has them. What else you wrote in the same files stays, and the files
// as they were are kept under .kubekata/backup/.

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UsageError } from '#cluster/flags';
import { systemClock, timestamp } from '#kit/clock';
import type { Stage } from '../course.ts';
import { addImport } from '../starter.ts';
import { layOut, readFiles } from '../starters.ts';
import { declarationsIn, ofStage, syntaxError } from './exercises.ts';

export interface Reset {
  /** From the root. */
  files: string[];
  backup: string;
}

/** @param wholeFiles the files go back with all that is in them @throws UsageError when a function can't be found in your file */
export function resetStage(root: string, stage: Stage, { wholeFiles = false } = {}): Reset {
  const fresh = join(root, '.kubekata/reset');
  layOut(fresh, [stage.chapter]);
  const starter = readFiles(join(fresh, stage.chapter));
  rmSync(fresh, { recursive: true, force: true });
  const src = `chapters/${stage.chapter}/src`;
  const mine = readFiles(join(root, src));
  const changed: [path: string, text: string, before: Buffer | undefined][] = [];
  for (const [path, solution] of readFiles(join(root, 'solutions', stage.chapter))) {
    const names = ofStage(solution.toString(), stage.id)
      .filter(({ stage: id }) => id)
      .map(({ name }) => name);
    const wanted = starter.get(path)?.toString();
    if (names.length === 0 || wanted === undefined) continue;
    const before = mine.get(path);
    const text = before && !wholeFiles ? withFunctions(`${src}/${path}`, before.toString(), wanted, names, stage) : wanted;
    if (text !== before?.toString()) changed.push([`${src}/${path}`, text, before]);
  }
  const backup = join('.kubekata/backup', timestamp(systemClock).replaceAll(':', '-'));
  for (const [path, , before] of changed) if (before) cpSync(join(root, path), join(root, backup, path));
  for (const [path, text] of changed) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return { files: changed.map(([path]) => path), backup };
}

/** Your file, with these functions as the starter has them. */
export function withFunctions(path: string, mine: string, starter: string, names: string[], { id }: Pick<Stage, 'id'>): string {
  const whole = `Nothing was changed. \`npm run kata -- reset ${id} --files\` takes the stage's files back as a whole, and keeps a copy of them.`;
  const wrong = syntaxError(mine);
  if (wrong) throw new UsageError(`${path}:${wrong}\nSo the stage's functions can't be found in this file. Correct it first.\n${whole}`);
  const here = declarationsIn(mine);
  const there = declarationsIn(starter);
  const missing = names.filter((name) => !here.some((declaration) => declaration.name === name));
  if (missing.length > 0) throw new UsageError(`${path} has no ${missing.join(', ')} any more.\n${whole}`);
  let text = mine;
  for (const { name, docStart, end } of here.toSorted((a, b) => b.docStart - a.docStart)) {
    const from = names.includes(name) ? there.find((declaration) => declaration.name === name) : undefined;
    if (from) text = text.slice(0, docStart) + starter.slice(from.docStart, from.end) + text.slice(end);
  }
  return addImport(text);
}
