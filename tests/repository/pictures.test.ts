// Pictures stand by themselves: one style, a title and a description for those who cannot see them, nothing from elsewhere. And in
// a real browser, light and dark: text fits its box, nothing overlaps, everything can be read.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { listPictures, sharedStyle, withStyle } from '../../tools/pictures/pictures.ts';
import { launchChromium } from './chromium.ts';
import { chapters, expectNone, list, read, root } from './repository.ts';

const pictures = listPictures(root);

describe('the pictures', () => {
  it('carry the shared style, exactly', () => {
    const style = sharedStyle(root);
    const findings = pictures.filter((path) => withStyle(read(path), style) !== read(path));
    expectNone(findings, 'Run `npm run pictures`: it copies docs/pictures.css into every picture.');
  });

  it('have a title, a description and unique ids', () => {
    const findings = pictures.flatMap((path) => {
      const svg = read(path);
      const ids = [...svg.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
      return [
        ...(/^<svg [^>]*aria-labelledby="title desc"[^>]*>\s*<title id="title">[^<]+<\/title>\s*<desc id="desc">[^<]{40,}<\/desc>/.test(svg)
          ? []
          : [`${path} does not begin with <title id="title"> and <desc id="desc">, or does not refer to them`]),
        ...(new Set(ids).size === ids.length ? [] : [`${path} has an id twice`]),
      ];
    });
    expectNone(findings, 'The title says what the picture shows, the description tells it to somebody who cannot see it.');
  });

  it('take nothing from elsewhere, and no colour but those of the palette', () => {
    const findings = pictures.flatMap((path) => {
      const drawing = read(path)
        .replace(/<style>[\s\S]*<\/style>/, '')
        .replace('xmlns="http://www.w3.org/2000/svg"', '');
      const strange = [
        ...drawing.matchAll(
          /https?:\/\/[^"\s]*|@import|<(?:image|script|foreignObject)\b|\b(?:fill|stroke|style|font-\w+)="[^"]*"|href="(?!#)[^"]*"/g,
        ),
      ];
      return strange.map(([what]) => `${path}: ${what}`);
    });
    expectNone(findings, 'Use the classes of docs/pictures.css: they know light and dark.');
  });

  it('use classes that the style knows', () => {
    const known = new Set([...sharedStyle(root).matchAll(/\.(kk-[a-z-]+)/g)].map(([, name]) => name).concat('kk-picture'));
    const findings = pictures.flatMap((path) => {
      const used = [...read(path).matchAll(/\sclass="([^"]*)"/g)].flatMap(([, names = '']) => names.split(' '));
      return [...new Set(used)].filter((name) => !known.has(name)).map((name) => `${path}: ${name}`);
    });
    expectNone(findings, 'docs/pictures.css has all classes.');
  });

  it('are all shown in a text', () => {
    const texts = [
      ...chapters.map((chapter) => `chapters/${chapter}/README.md`),
      ...list('docs/pages')
        .filter((name) => name.endsWith('.md'))
        .map((name) => `docs/pages/${name}`),
    ];
    const shown = new Set(
      texts.flatMap((path) => [
        ...[...read(path).matchAll(/^!\[[^\]]+\]\((pictures\/[^)]+)\)$/gm)].map(([, target]) => join(path, '..', target ?? '')),
        ...[...read(path).matchAll(/data-picture="([^"]+)"/g)].map(([, name]) => join(path, '..', `pictures/${name}.svg`)),
      ]),
    );
    shown.add('docs/pages/pictures/overview.svg'); // the front page shows it
    expectNone(
      pictures.filter((path) => !shown.has(path)),
      'Show it in a line of its own, `![What it shows.](pictures/<name>.svg)`, or take it away.',
    );
  });
});

describe.each(['light', 'dark'] as const)('in Chromium, %s', (colorScheme) => {
  let browser: Browser;
  let page: Page;
  const inspection = read('tools/pictures/inspect.js');

  beforeAll(async () => {
    browser = await launchChromium();
    page = await (await browser.newContext({ colorScheme })).newPage();
  });
  afterAll(() => browser?.close());

  it.each(pictures)('%s can be read', async (path) => {
    await page.goto(pathToFileURL(join(root, path)).href);
    expectNone(await page.evaluate<string[]>(inspection), `Look at ${path} and move what is in the way.`);
  });

  it('a picture with faults is told each of them', async () => {
    const faulty = withStyle(
      `<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200" viewBox="0 0 300 200">
      <style>\n</style>
      <rect class="kk-paper" width="300" height="200"/>
      <rect class="kk-box" x="20" y="20" width="60" height="30"/>
      <text class="kk-text" x="24" y="40">too long for it</text>
      <text class="kk-text" x="20" y="100">one text</text>
      <text class="kk-text" x="40" y="104">upon another</text>
      <path class="kk-line" d="M10 140 H200"/>
      <text class="kk-text" x="30" y="144">crossed</text>
      <text class="kk-text" x="270" y="180">outside</text>
      <text class="kk-text" x="200" y="60" style="fill: var(--kk-box)">pale</text>
      <text class="kk-text" x="200" y="30" style="font-size: 7px">tiny</text>
    </svg>`,
      sharedStyle(root),
    );
    await page.goto(`data:image/svg+xml,${encodeURIComponent(faulty)}`);
    const findings = (await page.evaluate<string[]>(inspection)).join('\n');
    for (const fault of [
      '"too long for it" runs over the edge',
      '"one text" and "upon another" overlap',
      'a line crosses "crossed"',
      '"outside" comes too close to the edge of the picture',
      '"pale" has a contrast',
      '"tiny" is too small',
    ]) {
      expect(findings).toContain(fault);
    }
  });
});
