// `npm run docs`, on a copy of the project's texts: pages load again when a text changes, and show the watch loop's progress.

import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../repository/chromium.ts';

let copy: string;
let server: ChildProcess;
let address: string;
let browser: Browser;
let tab: Page;

beforeAll(async () => {
  copy = mkdtempSync(join(tmpdir(), 'kubekata-docs-'));
  const left = ['node_modules', '.git', '.kubekata', 'coverage', join('docs', 'site')];
  cpSync('.', copy, { recursive: true, filter: (source) => !left.includes(relative('.', source)) });
  symlinkSync(join(process.cwd(), 'node_modules'), join(copy, 'node_modules'), 'junction');
  server = spawn(process.execPath, ['docs/serve.ts', '--port', '0'], { cwd: copy, stdio: ['ignore', 'pipe', 'pipe'] });
  address = await new Promise((resolve, reject) => {
    let said = '';
    server.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    server.stdout?.on('data', (chunk) => {
      said += chunk;
      const [found] = /http:\S+/.exec(said) ?? [];
      if (found) resolve(found);
    });
    server.on('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
  browser = await launchChromium();
  tab = await browser.newPage();
  await tab.goto(`${address}chapter4-scheduler/4.1.html`);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  server?.removeAllListeners('exit');
  server?.kill();
  rmSync(copy, { recursive: true, force: true });
});

function change(path: string, from: string, to: string): void {
  const text = readFileSync(join(copy, path), 'utf8');
  expect(text).toContain(from);
  writeFileSync(join(copy, path), text.replace(from, to));
}

describe('npm run docs', () => {
  const text = 'chapters/chapter4-scheduler/README.md';

  it('loads a page again when its text was changed', async () => {
    change(text, '### Build it', '### Build it for whales');
    await tab.getByRole('heading', { name: 'Build it for whales' }).waitFor();
  });

  it('says on the page why it cannot be built, and goes on when that is repaired', async () => {
    const wrong = '[nothing](../nothing.md)';
    change(text, '### Predict', `${wrong}\n\n### Predict`);
    await tab
      .getByRole('alert')
      .filter({ hasText: `${text} links to ../nothing.md` })
      .waitFor();
    change(text, wrong, 'All is well.');
    await tab.getByText('All is well.').waitFor();
    expect(await tab.getByRole('alert').count()).toBe(0);
  });

  it('ticks the stages that the watch loop found green', async () => {
    mkdirSync(join(copy, '.kubekata'));
    writeFileSync(join(copy, '.kubekata/progress.json'), JSON.stringify({ stages: { '4.1': { passed: 9, total: 9 } } }));
    await tab.locator('.course li[data-stage="4.1"].is-done').waitFor();
    await tab.getByText('Stage 4.1 is green').waitFor();
  });

  it('answers what it has not with a sentence', async () => {
    const response = await fetch(`${address}chapter9/9.9.html`);
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('There is no chapter9/9.9.html here.');
  });
});
