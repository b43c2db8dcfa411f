// The gallery of wrong solutions, chapters/*/tests/wrong/<stage>.ts, as the proofs need it.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WrongSolution } from '#kit/testing/wrong-solution';
import { stageOfTest } from '../course.ts';

export interface Exhibit extends WrongSolution {
  chapter: string;
  /** `1.1` */
  stage: string;
  /** The file with the wrong solutions, from the repository's root. */
  source: string;
}

const folderOf = (chapter: string) => `chapters/${chapter}/tests/wrong`;

/** `1.1`, … */
export function stagesWithWrongSolutions(root: string, chapter: string): string[] {
  const folder = join(root, folderOf(chapter));
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.ts')) : [];
  return files.sort().map((name) => name.replace(/\.ts$/, ''));
}

/** Every wrong solution of the chapter. `load` imports a module by its absolute path. */
export async function readGallery(
  root: string,
  chapter: string,
  load: (path: string) => Promise<{ wrong: WrongSolution[] }>,
): Promise<Exhibit[]> {
  const perFile = stagesWithWrongSolutions(root, chapter).map(async (stage) => {
    const source = `${folderOf(chapter)}/${stage}.ts`;
    const { wrong } = await load(join(root, source));
    return wrong.map((solution) => ({ ...solution, chapter, stage, source }));
  });
  return (await Promise.all(perFile)).flat();
}

/** The wrong solutions of a test file's stage. */
export async function exhibitsOf(root: string, test: string, load: Parameters<typeof readGallery>[2]): Promise<Exhibit[]> {
  const { chapter = '', id } = stageOfTest(test) ?? {};
  const gallery = await readGallery(root, chapter, load);
  return gallery.filter(({ stage }) => stage === id);
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
