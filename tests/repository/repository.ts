// What the repository's own rules look at: chapters, stages, files, and programs run on them.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export { chapters } from '../../tools/chapters.ts';
export const root = process.cwd();

/** Runs a program of an installed package with this Node; nothing is thrown when it fails. */
export function runNode(script: string, args: string[], cwd = root): { clean: boolean; output: string } {
  const path = join(root, 'node_modules', script);
  const { status, stdout, stderr } = spawnSync(process.execPath, [path, ...args], { cwd, encoding: 'utf8', maxBuffer: 2 ** 26 });
  return { clean: status === 0, output: stdout + stderr };
}

export const compiler = '@typescript/native/bin/tsc';
export const biome = '@biomejs/biome/bin/biome';

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Names in a folder, or none when there is no such folder. */
export function list(folder: string): string[] {
  return existsSync(join(root, folder)) ? readdirSync(join(root, folder)).sort() : [];
}

/** All files below a folder, as paths from the root, without what git ignores. */
export function filesBelow(folder: string): string[] {
  const ignored = new Set(['node_modules', '.kubekata', '.git', 'coverage']);
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !ignored.has(name) && !name.endsWith('.log'))
    .flatMap((entry) => {
      const path = folder === '.' ? entry.name : `${folder}/${entry.name}`;
      if (path === 'docs/site') return [];
      return entry.isDirectory() ? filesBelow(path) : [path];
    })
    .sort();
}

/** A failure that is a list of findings, and what to do about them. */
export function expectNone(findings: string[], remedy: string): void {
  if (findings.length > 0) throw new Error(`${findings.join('\n')}\n\n${remedy}`);
}
