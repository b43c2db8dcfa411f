// The docs site in a real browser: it opens from a folder, finds what one looks for, can be used by everybody, and is light.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../repository/chromium.ts';
import { complaintsOf } from './browser.ts';
import { type BuiltSite, buildSite, deadLinks, doubleIds, weight } from './built-site.ts';

let site: BuiltSite;
let browser: Browser;
beforeAll(async () => {
  site = buildSite();
  browser = await launchChromium();
}, 60_000);
afterAll(async () => {
  await browser?.close();
  site?.remove();
});

const phone = { width: 360, height: 740 };

/** One page of each kind. */
function kinds(): string[] {
  return ['index.html', 'architecture.html', 'chapter1-etcd/index.html', 'chapter1-etcd/1.1.html', 'chapter1-etcd/checkpoint.html'];
}

async function violations(tab: Page, run: string): Promise<string[]> {
  const { violations } = (await tab.evaluate(run)) as { violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] };
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`));
}

describe('the docs site', () => {
  it('has a page for every stage that is written', () => {
    expect(site.pages).toEqual(expect.arrayContaining(['index.html', 'chapter1-etcd/1.1.html', 'chapter6-kube-proxy/6.2.html']));
  });

  it('links to pages and headings that are there', () => {
    expect(deadLinks(site)).toEqual([]);
  });

  it('gives every id once a page', () => {
    expect(doubleIds(site)).toEqual([]);
  });

  it('weighs at most 150 kB a page, compressed', () => {
    const heavy = site.pages
      .map((page) => `${page}: ${weight(site, page)} bytes`)
      .filter((line) => Number(/\d+(?= bytes)/.exec(line)) > 150_000);
    expect(heavy).toEqual([]);
  });

  it('opens every page from a folder, as wide as a phone, without a complaint and without scrolling sideways', async () => {
    const tab = await browser.newPage({ viewport: phone });
    const complaints = complaintsOf(tab);
    const findings: string[] = [];
    for (const page of site.pages) {
      await tab.goto(site.url(page));
      const tooWide = await tab.evaluate('document.documentElement.scrollWidth - innerWidth');
      if (Number(tooWide) > 0) findings.push(`${page} is ${tooWide} pixels too wide`);
      findings.push(...complaints.splice(0).map((complaint) => `${page}: ${complaint}`));
    }
    await tab.close();
    expect(findings).toEqual([]);
  }, 60_000);

  it('can be used by everybody, in light and in dark (axe)', async () => {
    const axe = readFileSync(join(process.cwd(), 'node_modules/axe-core/axe.min.js'), 'utf8');
    const tab = await browser.newPage({ colorScheme: 'light' });
    const findings: string[] = [];
    for (const page of kinds()) {
      await tab.emulateMedia({ colorScheme: 'light' });
      await tab.goto(site.url(page));
      await tab.evaluate("document.querySelectorAll('article details').forEach((folded) => { folded.open = true; })");
      await tab.evaluate(axe);
      findings.push(...(await violations(tab, "axe.run({ resultTypes: ['violations'] })")).map((violation) => `${page}: ${violation}`));
      await tab.emulateMedia({ colorScheme: 'dark' });
      findings.push(
        ...(await violations(tab, "axe.run({ runOnly: ['color-contrast'], resultTypes: ['violations'] })")).map(
          (violation) => `${page} in dark: ${violation}`,
        ),
      );
    }
    await tab.close();
    expect(findings).toEqual([]);
  }, 60_000);

  it('paints first within a second', async () => {
    const paints: number[] = [];
    // The best of three: this machine runs other tests at the same time.
    for (let tries = 0; tries < 3; tries++) {
      const tab = await browser.newPage();
      await tab.goto(site.url('chapter1-etcd/1.1.html'));
      const paint = await tab.evaluate(`new Promise((resolve) => {
        const observer = (list) => list.getEntriesByName('first-contentful-paint').forEach(({ startTime }) => resolve(startTime));
        new PerformanceObserver(observer).observe({ type: 'paint', buffered: true });
      })`);
      paints.push(Number(paint));
      await tab.close();
    }
    expect(Math.min(...paints)).toBeLessThan(1000);
  });
});
