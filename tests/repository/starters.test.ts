// The starters are what the generator makes of the solutions, and all compiles, each starter among its neighbours too.
// (That a stage is red on its starter, and why, is proved by the jest projects called "starter": tools/proof.)

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { differences, layOut, readFiles } from '../../tools/starters.ts';
import { chapters, expectNone, root } from './repository.ts';

describe('starters', () => {
  it('are what the generator makes of the solutions', () => {
    mkdirSync(join(root, '.kubekata'), { recursive: true });
    const folder = mkdtempSync(join(root, '.kubekata/starters-'));
    try {
      layOut(folder);
      expectNone(
        chapters.flatMap((chapter) => differences(chapter, readFiles(join(folder, chapter)))),
        'If you changed a solution: run `npm run starters` and commit what it writes.\n' +
          'If you are learning: this is your own work in chapters/*/src, so all is well; `npm test` is the command for you.',
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);

  it('compile, like everything else', () => {
    const { status, stdout } = spawnSync(process.execPath, ['tools/typecheck.ts'], { cwd: root, encoding: 'utf8' });
    if (status !== 0) throw new Error(stdout);
    expect(status).toBe(0);
  }, 180_000);
});
