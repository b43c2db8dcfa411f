import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fingerprintOf } from './fingerprint.ts';
import { greenChapters } from './green.ts';

describe('green chapters', () => {
  let root: string;
  const write = (path: string, text = '') => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const tested = (stages: Record<string, { passed: number; total: number }>) => {
    const code = fingerprintOf(root, 'chapter4-scheduler');
    const outcomes = Object.entries(stages).map(([id, outcome]) => [id, { ...outcome, code }]);
    write('.kubekata/progress.json', JSON.stringify({ stages: Object.fromEntries(outcomes) }));
  };
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'kubekata-green-'));
    write('chapters/chapter4-scheduler/src/fits.ts', 'export const fits = true;');
    for (const stage of ['4.1-bind', '4.2-fit']) write(`chapters/chapter4-scheduler/tests/${stage}.test.ts`);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('are those whose every stage passed with the code as it is', () => {
    tested({ '4.1': { passed: 3, total: 3 }, '4.2': { passed: 2, total: 2 } });
    expect(greenChapters(root)).toEqual({ green: new Set([4]), reasons: [] });
  });

  it('are not those with a stage that failed, or never ran', () => {
    tested({ '4.1': { passed: 3, total: 3 }, '4.2': { passed: 1, total: 2 } });
    expect(greenChapters(root)).toEqual({
      green: new Set(),
      reasons: [expect.stringContaining("chapter 4 is the reference's: 4.2 is not green yet")],
    });
    write('chapters/chapter4-scheduler/tests/4.3-wants.test.ts');
    expect(greenChapters(root).reasons).toEqual([expect.stringContaining('4.2, 4.3 are not green yet')]);
  });

  it('are not those whose code has changed since', () => {
    tested({ '4.1': { passed: 3, total: 3 }, '4.2': { passed: 2, total: 2 } });
    write('chapters/chapter4-scheduler/src/fits.ts', 'export const fits = false;');
    expect(greenChapters(root)).toEqual({
      green: new Set(),
      reasons: [expect.stringContaining('its code has changed since its tests passed')],
    });
  });

  it('say nothing of chapters that nobody began, and need no file', () => {
    expect(greenChapters(root)).toEqual({ green: new Set(), reasons: [] });
    write('.kubekata/progress.json', 'no json');
    expect(greenChapters(root)).toEqual({ green: new Set(), reasons: [] });
  });
});
