// The wrong solutions are wrong in meaning, not in form: they apply, and they compile. (That each is caught by the test it
// names is proved by the jest projects called "gallery": tools/proof.)

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { type Exhibit, misfit, readGallery } from '../../tools/proof/gallery.ts';
import { chapters, compiler, expectNone, root, runNode } from './repository.ts';

/** A copy of one chapter with wrong solutions of different files: at most one a file. */
interface Copy {
  chapter: string;
  wrong: Map<string, Exhibit>;
}

/** As few copies as there are wrong solutions of the same file. */
function pack(exhibits: Exhibit[]): Copy[] {
  const copies: Copy[] = [];
  for (const exhibit of exhibits) {
    const copy = copies.find(({ chapter, wrong }) => chapter === exhibit.chapter && !wrong.has(exhibit.file));
    if (copy) copy.wrong.set(exhibit.file, exhibit);
    else copies.push({ chapter: exhibit.chapter, wrong: new Map([[exhibit.file, exhibit]]) });
  }
  return copies;
}

/** Compiles all copies at once. */
function compileErrors(copies: Copy[]): string[] {
  mkdirSync(join(root, '.kubekata'), { recursive: true });
  const folder = mkdtempSync(join(root, '.kubekata/gallery-'));
  try {
    copies.forEach(({ chapter, wrong }, index) => {
      const copy = join(folder, String(index));
      cpSync(join(root, 'solutions', chapter), copy, { recursive: true });
      for (const { file, replace, by } of wrong.values()) {
        writeFileSync(
          join(copy, file),
          readFileSync(join(copy, file), 'utf8').replace(replace, () => by),
        );
      }
    });
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../../tsconfig.json', include: ['.'], exclude: [] }));
    const { output } = runNode(compiler, ['-p', '.', '--pretty', 'false'], folder);
    return output.split('\n').flatMap((line) => {
      const [, index, file = '', error] = /^(\d+)\/([^(]+)(\(.*)$/.exec(line) ?? [];
      const wrong = copies[Number(index)]?.wrong;
      if (!wrong) return [];
      // An error in a file that nobody changed comes from one of the others.
      const suspects = wrong.get(file) ? [wrong.get(file)] : [...wrong.values()];
      return `${suspects.map((exhibit) => `${exhibit?.source}: "${exhibit?.name}"`).join(' or ')}: ${file}${error}`;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('gallery of wrong solutions', () => {
  it('applies to the solutions and compiles', async () => {
    const perChapter = await Promise.all(chapters.map((chapter) => readGallery(root, chapter, (path) => import(path))));
    const exhibits = perChapter.flat();
    const misfits = exhibits.flatMap((exhibit) => misfit(root, exhibit) ?? []);
    expectNone(misfits, 'The solution has changed: change the wrong solution with it.');
    expectNone(compileErrors(pack(exhibits)), 'A wrong solution must compile: a learner would never run one that does not.');
  }, 180_000);
});
