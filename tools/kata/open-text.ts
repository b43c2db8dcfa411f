// Opens a stage's text: in VS Code's own terminal there, else in $VISUAL or $EDITOR; without any, the place is said.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Stage } from '../course.ts';

export interface Place {
  /** From the root. */
  path: string;
  line: number;
}

export function placeOfText(root: string, { chapter, id }: Stage): Place {
  const path = `chapters/${chapter}/README.md`;
  const at = readFileSync(join(root, path), 'utf8')
    .split('\n')
    .findIndex((line) => line.startsWith(`## ${id} `));
  return { path, line: Math.max(at, 0) + 1 };
}

/** The program and its arguments, or undefined when the environment names none. */
export function editorFor({ path, line }: Place, env: Record<string, string | undefined>): string[] | undefined {
  if (env.TERM_PROGRAM === 'vscode') return ['code', '--goto', `${path}:${line}`];
  const [program, ...args] = (env.VISUAL || env.EDITOR || '').split(' ').filter(Boolean);
  if (!program) return undefined;
  const name = program.split(/[\\/]/).at(-1) ?? '';
  if (/^(code|codium|cursor)/.test(name)) return [program, ...args, '--goto', `${path}:${line}`];
  if (/^(vim?|nvim|nano|emacs|emacsclient|micro|ex|kak|joe)$/.test(name)) return [program, ...args, `+${line}`, path];
  return [program, ...args, path];
}

/** @returns what to say to the learner */
export function openText(root: string, stage: Stage, env = process.env): string {
  const place = placeOfText(root, stage);
  const where = `The text is ${place.path}, line ${place.line}; \`npm run docs\` shows it in the browser.`;
  const [program, ...args] = editorFor(place, env) ?? [];
  if (!program) return where;
  const { error, status } = spawnSync(program, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  return error || status !== 0 ? `${program} could not open it (${error?.message ?? `it ended with ${status}`}). ${where}` : where;
}
