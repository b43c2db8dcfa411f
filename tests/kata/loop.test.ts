// `npm run kata` as a learner meets it: in a terminal, on a copy of the course, with keys typed and files saved.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '#kit/testing/wait';
import { Terminal } from './terminal.ts';

const chapter = 'chapter3-controller-manager';
const files = ['work-queue.ts', 'controller.ts'];

let copy: string;
let terminal: Terminal;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'kubekata-loop-'));
  for (const path of [
    'package.json',
    'tsconfig.json',
    'biome.json',
    'jest.config.ts',
    'chapters',
    'cluster',
    'kit',
    'solutions',
    'tools',
  ]) {
    cpSync(path, join(copy, path), { recursive: true });
  }
  symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'), 'junction');
  execFileSync(process.execPath, ['tools/starters.ts', '--force', 'chapter3'], { cwd: copy });
});
afterEach(() => terminal?.kill());
afterAll(() => rmSync(copy, { recursive: true, force: true, maxRetries: 5 }));

function start(...args: string[]): Terminal {
  terminal = new Terminal([`"${process.execPath}"`, 'tools/kata/kata.ts', ...args].join(' '), copy, { NO_COLOR: '1' });
  return terminal;
}
const src = (file: string) => join(copy, 'chapters', chapter, 'src', file);
const progress = () => JSON.parse(readFileSync(join(copy, '.kubekata/progress.json'), 'utf8'));
/** Processes whose command names the copy. */
const processes = () =>
  execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(`${copy}/node_modules/jest`));

describe('npm run kata', () => {
  it('runs the tests when a file is saved, and does what the keys say', async () => {
    const { press, shows } = bound(start('3.2'));
    await shows(/3\.2 the work queue.*0 of \d+ tests pass.*NotImplemented/s);

    press('h');
    await shows(/Nudge[\s\S]*1 of 3\./);
    press('h');
    await shows(/Nudge[\s\S]*Idea[\s\S]*2 of 3\./);

    for (const file of files) cpSync(join(copy, 'solutions', chapter, file), src(file));
    await shows(/all \d+ tests pass/);
    expect(progress()).toMatchObject({ current: '3.2', stages: { '3.2': { hints: 2 } } });

    const queue = readFileSync(src('work-queue.ts'), 'utf8');
    writeFileSync(src('work-queue.ts'), queue.replace('2 ** failures', '3 ** failures'));
    await shows(/ \d+ of \d+ tests pass[\s\S]*● .* waits twice as long after each failure of a key/);
    const before = terminal.screens.length;
    writeFileSync(src('work-queue.ts'), queue);
    await shows(/all \d+ tests pass/);
    const news = terminal.screens.slice(before).find((screen) => !screen.includes('… running'));
    expect(news).toMatch(/✓ waits twice as long after each failure of a key {2}… 1 passed/);

    press('r');
    await shows('back to the starter?');
    press('x');
    await shows('Nothing was changed.');
    press('r');
    await shows('back to the starter?');
    press('y');
    await shows(/0 of \d+ tests pass[\s\S]*Your code is in/);
    const [backup = ''] = readdirSync(join(copy, '.kubekata/backup'));
    for (const file of files) {
      expect(readFileSync(join(copy, '.kubekata/backup', backup, 'chapters', chapter, 'src', file), 'utf8')).not.toContain(
        'NotImplemented(',
      );
    }

    press('l');
    await shows(/› · 3\.2 /);
    press('j');
    await shows(/› · 3\.3 /);
    press('\r');
    await shows(/^.*3\.3 replica sets/);
    expect(progress().current).toBe('3.3');

    press('q');
    expect(await terminal.ended).toBe(0);
    await eventually('no process of a test is left', () => processes().length === 0);
  }, 120_000);

  it('goes on after a syntax error and an endless loop, also where file events are dead', async () => {
    const { press, shows } = bound(start('3.2', '--poll'));
    await shows(/0 of \d+ tests pass/);
    const queue = readFileSync(src('work-queue.ts'), 'utf8');

    writeFileSync(src('work-queue.ts'), `${queue}\nexport function broken( {`);
    await shows(/could not be loaded[\s\S]*work-queue\.ts:\d+:\d+/);

    writeFileSync(src('work-queue.ts'), queue.replaceAll('throw new', 'for (;;); throw new'));
    await shows(/does not come back[\s\S]*endless loop/);

    writeFileSync(src('work-queue.ts'), queue);
    await shows(/0 of \d+ tests pass/);
    press('q');
    expect(await terminal.ended).toBe(0);
    await eventually('no process of a test is left', () => processes().length === 0);
  }, 120_000);
});

function bound(of: Terminal): Pick<Terminal, 'press' | 'shows'> {
  return { press: of.press.bind(of), shows: of.shows.bind(of) };
}
