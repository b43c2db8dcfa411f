// The frame of every page: its head, the bar at its top, the way through the course at its side, and what follows it. All
// addresses are relative, so that the site works in any folder and from a disk.

import { type Content, Html, html } from './html.ts';
import { relative } from './links.ts';
import { isBehind, type Page, sentence } from './pages.ts';
import type { Heading } from './passages.ts';

const shapes = {
  menu: 'M3 6h18M3 12h18M3 18h18',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5',
  close: 'M5 5l14 14M19 5L5 19',
  read: 'M12 6c-2-1.6-5-2-9-2v14c4 0 7 .4 9 2 2-1.6 5-2 9-2V4c-4 0-7 .4-9 2zM12 6v14',
  build: 'M5 7l5 5-5 5M12 18h8',
};

export function icon(name: keyof typeof shapes): Html {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="${shapes[name]}"/></svg>`;
}

/** Six sides for six components, the nearest three lit. */
export const logo = new Html(
  '<svg class="logo" viewBox="0 0 32 32" aria-hidden="true"><path class="far" d="M16 2 28 9v14l-12 7L4 23V9z"/><path class="near" d="M16 16 28 9v14l-12 7z"/><path class="top" d="M16 2 28 9l-12 7L4 9z"/></svg>',
);

export interface Frame {
  page: Page;
  pages: Page[];
  headings: Heading[];
  /** Minutes. */
  readingTime: number;
  /** Where the page's source can be edited. */
  editLink: string | undefined;
  /** What makes an address of an asset new when its content is. */
  version: string;
}

export function layout(frame: Frame, body: Html): string {
  const { page, version } = frame;
  const asset = (name: string) => `${relative(page.path, `assets/${name}`)}?${version}`;
  const title = page.kind === 'front' ? 'Kubekata: build Kubernetes in TypeScript' : `${page.title} · Kubekata`;
  const base = relative(page.path, 'index.html').replace(/index\.html$/, '');
  return html`<!doctype html>
<html lang="en" data-base="${base}"${page.stage ? html` data-stage="${page.stage.id}"` : ''}>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
${page.summary && html`<meta name="description" content="${page.summary}">\n`}<link rel="icon" href="${asset('icon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${asset('site.css')}">
<script>${new Html(themeBeforePaint)}</script>
<script src="${asset('site.js')}" defer></script>
</head>
<body class="kind-${page.kind}">
<a class="skip" href="#content">Skip to the text</a>
${header(page)}
<div class="frame">
${sidebar(frame)}
<main id="content" tabindex="-1">
${page.kind === 'front' ? body : article(frame, body)}
</main>
${page.kind === 'front' ? '' : contents(frame)}
</div>
${searchDialog}
</body>
</html>
`.text;
}

/** Before the first paint, or a dark page would flash up in light. */
const themeBeforePaint = "try{const t=localStorage.getItem('kubekata.theme');if(t)document.documentElement.dataset.theme=t}catch{}";

function header(page: Page): Html {
  return html`<header class="bar">
<button class="icon-button menu" type="button" popovertarget="course" aria-label="The course">${icon('menu')}</button>
<a class="brand" href="${relative(page.path, 'index.html')}">${logo}<span>Kubekata</span></a>
<button class="search-button" type="button" hidden>${icon('search')}<span>Search</span><kbd>/</kbd></button>
<button class="icon-button theme" type="button" hidden></button>
</header>`;
}

function sidebar({ page, pages }: Frame): Html {
  const beside = pages.filter(({ kind }) => kind === 'beside');
  const chapters = pages.filter(({ kind }) => kind === 'chapter');
  return html`<nav class="course" id="course" popover aria-label="The course">
${list(
  page,
  beside.filter((other) => !isBehind(other)),
)}
${chapters.map((chapter) => chapterEntry(page, pages, chapter))}
${list(page, beside.filter(isBehind))}
</nav>`;
}

function list(page: Page, entries: Page[]): Content {
  return entries.length > 0 && html`<ul>${entries.map((entry) => html`<li>${link(page, entry)}</li>`)}</ul>\n`;
}

function chapterEntry(page: Page, pages: Page[], opening: Page): Html {
  const { chapter } = opening;
  const here = page.chapter?.folder === chapter?.folder;
  const rows = (chapter?.stages ?? []).map((stage) => {
    const entry = pages.find((other) => other.stage === stage);
    return entry
      ? html`<li data-stage="${stage.id}">${link(page, entry)}</li>`
      : html`<li class="coming"><span><span class="number">${stage.id}</span> ${stage.title}</span></li>`;
  });
  const checkpoint = pages.find(({ kind, chapter: other }) => kind === 'checkpoint' && other === chapter);
  return html`<details class="chapter"${here ? html` open` : ''}>
<summary><span class="number">${chapter?.number}</span> ${sentence(chapter?.title ?? '')}</summary>
<ul>
<li>${link(page, opening, 'Overview')}</li>
${rows}
${checkpoint && html`<li>${link(page, checkpoint, 'Checkpoint')}</li>`}
</ul>
</details>
`;
}

function link(page: Page, entry: Page, name = entry.title): Html {
  const current = entry === page ? html` aria-current="page"` : '';
  const [, number, rest] = /^(\d+\.\d+) (.*)$/.exec(name) ?? [];
  return html`<a href="${relative(page.path, entry.path)}"${current}>${number ? html`<span class="number">${number}</span> ${rest}` : name}</a>`;
}

function article(frame: Frame, body: Html): Html {
  const { page, editLink } = frame;
  return html`<article>
${heading(frame)}
${tableOfContents(frame, 'on-top')}
${body}
${page.stage && doneMark(page.stage.id)}
</article>
<footer class="page-end">
${neighbours(frame)}
${editLink && html`<p class="edit"><a href="${editLink}">Edit this page</a></p>`}
</footer>`;
}

function heading({ page, readingTime }: Frame): Html {
  const { chapter, stage, kind } = page;
  const overview = chapter && relative(page.path, `${chapter.folder}/index.html`);
  if (kind === 'chapter' && chapter) {
    return html`<header class="title"><p class="where">Chapter ${chapter.number}</p>
<h1>${sentence(chapter.title)}</h1>
<p class="subtitle">${chapter.subtitle}</p></header>`;
  }
  if (!chapter)
    return html`<header class="title"><h1>${page.title}</h1>${page.summary && html`<p class="subtitle">${page.summary}</p>`}</header>`;
  const where = html`<p class="where"><a href="${overview}">Chapter ${chapter.number} · ${sentence(chapter.title)}</a></p>`;
  if (!stage) return html`<header class="title">${where}<h1>Checkpoint</h1></header>`;
  const doing = stage.minutes && html`<span>${icon('build')}${duration(stage.minutes)} to build</span>`;
  return html`<header class="title">${where}
<h1><span class="number">${stage.id}</span> ${stage.title}</h1>
<p class="times"><span>${icon('read')}${duration(readingTime)} to read</span>${doing}</p></header>`;
}

export function duration(minutes: number): string {
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return rest === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${rest} min`;
}

function doneMark(id: string): Html {
  return html`<p class="done-mark" hidden><label><input type="checkbox" data-done="${id}"> <span>I have finished stage ${id}</span></label></p>`;
}

function neighbours({ page, pages }: Frame): Html {
  const place = pages.indexOf(page);
  const [before, after] = [pages[place - 1], pages[place + 1]];
  const card = (other: Page | undefined, rel: 'prev' | 'next', word: string) =>
    other && html`<a class="${rel}" rel="${rel}" href="${relative(page.path, other.path)}"><span>${word}</span> ${other.title}</a>`;
  return html`<nav class="neighbours" aria-label="Previous and next page">
${before?.kind !== 'front' && card(before, 'prev', 'Before')}
${card(after, 'next', 'Next')}
</nav>`;
}

function contents(frame: Frame): Html {
  return html`<aside class="aside">${tableOfContents(frame, 'beside')}</aside>`;
}

/** Once beside the text and once, folded, above it: the stylesheet shows the one for which there is room. */
function tableOfContents({ headings, page }: Frame, place: 'on-top' | 'beside'): Html {
  const depth = page.kind === 'beside' && headings.length > 40 ? 2 : 3;
  const shown = headings.filter(({ level }) => level <= depth);
  if (shown.length < 2) return html``;
  const items = shown.map(({ id, level, text }) => html`<li class="level-${level}"><a href="#${id}">${text}</a></li>`);
  return place === 'on-top'
    ? html`<details class="on-this-page"><summary>On this page</summary><ul>${items}</ul></details>`
    : html`<nav class="on-this-page" aria-labelledby="on-this-page"><h2 id="on-this-page">On this page</h2><ul>${items}</ul></nav>`;
}

const searchDialog = html`<dialog class="search" aria-label="Search">
<form role="search" method="dialog">
${icon('search')}<input type="search" role="combobox" aria-label="Search the course" aria-expanded="false" aria-controls="found" aria-autocomplete="list" autocomplete="off" spellcheck="false" placeholder="Search the course">
<button class="icon-button" type="submit" aria-label="Close">${icon('close')}</button>
</form>
<ul id="found" role="listbox" aria-label="What was found"></ul>
<p class="search-note" role="status"></p>
</dialog>`;
