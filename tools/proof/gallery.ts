// The gallery of wrong solutions, chapters/*/tests/wrong/<stage>.ts, as the proofs need it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WrongSolution } from '#kit/testing/wrong-solution';

export interface Exhibit extends WrongSolution {
  chapter: string;
  /** `1.1` */
  stage: string;
  /** The file with the wrong solutions, from the repository's root. */
  source: string;
}

/** Every wrong solution of the chapter. `load` imports a module by its absolute path. */
export async function readGallery(
  root: string,
  chapter: string,
  load: (path: string) => Promise<{ wrong: WrongSolution[] }>,
): Promise<Exhibit[]> {
  const folder = `chapters/${chapter}/tests/wrong`;
  if (!existsSync(join(root, folder))) return [];
  const files = readdirSync(join(root, folder)).filter((name) => name.endsWith('.ts'));
  const perFile = files.sort().map(async (name) => {
    const { wrong } = await load(join(root, folder, name));
    return wrong.map((solution) => ({ ...solution, chapter, stage: name.replace(/\.ts$/, ''), source: `${folder}/${name}` }));
  });
  return (await Promise.all(perFile)).flat();
}

/** What is wrong with the entry itself, or nothing. */
export function misfit(root: string, { source, name, chapter, file, replace, by }: Exhibit): string | undefined {
  const path = `solutions/${chapter}/${file}`;
  if (!existsSync(join(root, path))) return `${source}: "${name}" changes ${path}, which does not exist`;
  const found = readFileSync(join(root, path), 'utf8').split(replace).length - 1;
  if (found !== 1) return `${source}: "${name}": the text to replace must occur once in ${path}; it occurs ${found} times`;
  if (replace === by) return `${source}: "${name}" replaces a text by itself`;
  return undefined;
}
