// What a reader does with the docs site, in a real browser: searches, ticks, copies, goes on with the keyboard, reads it in the
// dark, on a phone, on paper, and where scripts are switched off.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../repository/chromium.ts';
import { complaintsOf } from './browser.ts';
import { type BuiltSite, buildSite } from './built-site.ts';

let site: BuiltSite;
let browser: Browser;
let reader: BrowserContext;
let tab: Page;
beforeAll(async () => {
  site = buildSite();
  browser = await launchChromium();
}, 60_000);
afterAll(async () => {
  await browser?.close();
  site?.remove();
});
beforeEach(async () => {
  reader = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
  reader.setDefaultTimeout(15_000);
  tab = await reader.newPage();
});
afterEach(() => reader?.close());

const stage = 'chapter1-etcd/1.1.html';
const phone = { width: 390, height: 844 };

describe('a reader', () => {
  it('finds a passage with the keyboard alone', async () => {
    await tab.goto(site.url('index.html'));
    await tab.keyboard.press('/');
    await tab.keyboard.type('tombstone');
    await tab.waitForSelector('#found li');
    await tab.keyboard.press('ArrowDown');
    await tab.keyboard.press('ArrowUp');
    await tab.keyboard.press('Enter');
    await tab.waitForURL(/chapter1-etcd\/1\.[13]\.html#/);
  });

  it('finds the right stage among the first five, also with a word misspelt', async () => {
    await tab.goto(site.url('index.html'));
    await tab.keyboard.press('Control+k');
    const wanted: [query: string, stage: string][] = [
      ['resourceVersion conflict', '2.3'],
      ['ReadIndex', '1.9'],
      ['expectations slow start', '3.3'],
      ['slow wacher', '1.5'],
      ['insufficient cpu scheduler', '4.2'],
    ];
    for (const [query, id] of wanted) {
      await tab.getByRole('combobox').fill(query);
      await tab.locator('#found li:nth-child(-n + 5) .found-title', { hasText: id }).first().waitFor();
    }
  });

  it('is told when nothing was found', async () => {
    await tab.goto(site.url('index.html'));
    await tab.keyboard.press('/');
    await tab.keyboard.type('zyzzyva');
    await tab.getByText('Nothing was found for “zyzzyva”.').waitFor();
  });

  it('ticks a stage, and sees the tick at the side of other pages and on the front page', async () => {
    await tab.goto(site.url(stage));
    await tab.check('[data-done="1.1"]');
    await tab.goto(site.url('chapter1-etcd/1.2.html'));
    expect(await tab.locator('.course .is-done').allTextContents()).toEqual([expect.stringContaining('Keys and values')]);
    await tab.goto(site.url('index.html'));
    expect(await tab.locator('.card .done').allTextContents()).toEqual([expect.stringMatching(/^1 of \d+$/)]);
  });

  it('chooses dark, and the next page is dark from its first paint', async () => {
    await tab.emulateMedia({ colorScheme: 'light' });
    await tab.goto(site.url(stage));
    const button = tab.getByRole('button', { name: /^Colours/ });
    await button.click();
    await button.click();
    await tab.goto(site.url('decisions.html'), { waitUntil: 'commit' });
    await tab.waitForSelector('body', { state: 'attached' });
    expect(await tab.evaluate('getComputedStyle(document.documentElement).colorScheme')).toBe('dark');
  });

  it('copies of a terminal session what was typed, and of code all', async () => {
    await tab.goto(site.url(stage));
    const block = tab.locator('.block', { hasText: 'kubectl create configmap color' });
    await block.hover();
    await block.getByRole('button', { name: 'Copy' }).click();
    const copied = String(await tab.evaluate('navigator.clipboard.readText()'));
    expect(copied.split('\n')).toHaveLength(4);
    expect(copied).toMatch(/^kubectl create configmap color --from-literal=color=blue\nkubectl get/);
  });

  it('turns the page with the arrow keys', async () => {
    await tab.goto(site.url(stage));
    await tab.keyboard.press('ArrowRight');
    await tab.waitForURL(/1\.2\.html$/);
    await tab.keyboard.press('ArrowLeft');
    await tab.waitForURL(/1\.1\.html$/);
  });

  it('sees where on the page they are', async () => {
    await tab.setViewportSize({ width: 1500, height: 800 });
    await tab.goto(site.url(stage));
    await tab.evaluate("document.getElementById('check-yourself').scrollIntoView()");
    await tab.locator('.aside [aria-current]', { hasText: 'Check yourself' }).waitFor();
  });

  it('chooses a component in the picture of the architecture, with the mouse or the keyboard, and reads what it is', async () => {
    await tab.goto(site.url('architecture.html'));
    const shown = () => tab.locator('#the-components ~ section > h3').filter({ visible: true }).allTextContents();
    await tab.getByRole('button', { name: /^etcd/ }).click();
    expect(await shown()).toEqual(['etcd']);
    await tab.getByRole('button', { name: /^scheduler/ }).focus();
    await tab.keyboard.press('Enter');
    expect(await shown()).toEqual(['Scheduler']);
    await tab.goto(`${site.url('architecture.html')}#kube-proxy`);
    expect(await shown()).toEqual(['kube-proxy']);
  });

  it('opens the course on a phone, and closes it again', async () => {
    await tab.setViewportSize(phone);
    await tab.goto(site.url(stage));
    const course = tab.getByRole('navigation', { name: 'The course' });
    expect(await course.isVisible()).toBe(false);
    await tab.getByRole('button', { name: 'The course' }).click();
    await course.getByRole('link', { name: '1.2 Ranges' }).waitFor();
    await tab.keyboard.press('Escape');
    expect(await course.isVisible()).toBe(false);
  });

  it('prints the text alone, with the answers', async () => {
    await tab.goto(site.url(stage));
    await tab.emulateMedia({ media: 'print' });
    await tab.evaluate("dispatchEvent(new Event('beforeprint'))");
    expect(await tab.getByText('With one counter, “before” and “after” have a meaning').isVisible()).toBe(true);
    expect(await tab.getByRole('navigation').filter({ visible: true }).count()).toBe(0);
    await tab.evaluate("dispatchEvent(new Event('afterprint'))");
    expect(await tab.locator('article details[open]').count()).toBe(0);
  });

  it('reads everything without scripts', async () => {
    const plain = await browser.newContext({ javaScriptEnabled: false, viewport: phone });
    const page = await plain.newPage();
    await page.goto(site.url(stage));
    expect(await page.getByRole('button', { name: 'Search' }).count()).toBe(0);
    await page.getByText('Why is there one counter').click();
    await page.getByText('With one counter, “before” and “after” have a meaning').waitFor();
    await page.getByRole('button', { name: 'The course' }).click();
    await page.getByRole('link', { name: '1.2 Ranges' }).first().click();
    await page.waitForURL(/1\.2\.html$/);
    await plain.close();
  });
});

describe('in a folder of a web server', () => {
  let server: Server;
  beforeAll(async () => {
    const types: Record<string, string> = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };
    server = createServer(({ url = '' }, response) => {
      const [, path = ''] = /^\/some\/where\/([^?]*)/.exec(url) ?? [];
      const known = site.pages.includes(path) || path.startsWith('assets/');
      response.writeHead(known ? 200 : 404, { 'content-type': types[extname(path)] ?? 'text/plain' }).end(known ? site.read(path) : '');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('everything is found, wherever that is', async () => {
    const complaints = complaintsOf(tab);
    await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/some/where/${stage}`);
    await tab.getByRole('link', { name: '1.2 Ranges' }).first().click();
    await tab.waitForURL(/1\.2\.html$/);
    await tab.keyboard.press('/');
    await tab.keyboard.type('tombstone');
    await tab.waitForSelector('#found li');
    await tab.keyboard.press('Enter');
    await tab.waitForURL(/some\/where\/chapter1-etcd\/1\.[13]\.html#/);
    expect(complaints).toEqual([]);
  });
});
