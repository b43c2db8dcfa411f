// The wrong solutions are wrong in meaning, not in form: they apply, and they compile. (That each is caught by the test it
// names is proved by the jest projects called "gallery": tools/proof.)

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';
import { type Exhibit, misfit, readGallery } from '../../tools/proof/gallery.ts';
import { chapters, compiler, expectNone, root, runNode } from './repository.ts';

/** Lays each wrong solution out as a whole chapter of its own, and compiles them all at once. */
function compileErrors(exhibits: Exhibit[]): string[] {
  mkdirSync(join(root, '.kubekata'), { recursive: true });
  const folder = mkdtempSync(join(root, '.kubekata/gallery-'));
  try {
    exhibits.forEach(({ chapter, file, replace, by }, index) => {
      const copy = join(folder, String(index));
      cpSync(join(root, 'solutions', chapter), copy, { recursive: true });
      writeFileSync(
        join(copy, file),
        readFileSync(join(copy, file), 'utf8').replace(replace, () => by),
      );
    });
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../../tsconfig.json', include: ['.'], exclude: [] }));
    const { output } = runNode(compiler, ['-p', '.', '--pretty', 'false'], folder);
    return output.split('\n').flatMap((line) => {
      const [, index, where] = /^(\d+)\/(.*)$/.exec(line) ?? [];
      const exhibit = exhibits[Number(index)];
      return exhibit ? [`${exhibit.source}: "${exhibit.name}": ${where}`] : [];
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
    expectNone(compileErrors(exhibits), 'A wrong solution must compile: a learner would never run one that does not.');
  }, 60_000);
});
