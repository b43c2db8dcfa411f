// The front page: what the course is, how to begin, and the chapters as cards. Its words are the README's own.

import { codeBlock } from './code.ts';
import type { Chapter } from './course.ts';
import { type Content, Html, html } from './html.ts';
import { duration } from './layout.ts';
import { inline } from './markdown.ts';
import { isBehind, type Page, sentence } from './pages.ts';

/** What the front page shows besides the README's words. */
export interface FrontMatter {
  /** A session at the terminal, as it was. */
  session: string;
  /** The whole in one picture, as HTML. */
  picture: string | undefined;
}

export function frontPage(readme: string, course: Chapter[], pages: Page[], { session, picture }: FrontMatter): Html {
  const [promise = '', lead = ''] = readme.split('\n\n').slice(1);
  const beside = pages.filter(({ kind }) => kind === 'beside');
  const start = beside.find(({ path }) => path === 'start-here.html') ?? pages.find(({ kind }) => kind === 'chapter');
  const commands = /^## Quick start\n[\s\S]*?```sh\n([\s\S]*?)```/m.exec(readme)?.[1] ?? '';
  return html`<div class="front">
<section class="hero">
<div class="words">
<h1>${inline(promise.trim())}</h1>
<p class="lead">${inline(lead)}</p>
<p class="actions"><a class="begin" href="${start?.path}">Start here</a></p>
</div>
<figure class="terminal">${new Html(codeBlock(session, 'console'))}
<figcaption>The unmodified kubectl, and a cluster made of this course’s six components.</figcaption></figure>
</section>
<section class="quick" aria-labelledby="quick"><h2 id="quick">Begin with two commands</h2>
${new Html(codeBlock(commands, 'sh'))}</section>
<section class="cards" aria-labelledby="chapters">
<h2 id="chapters">Six programs that never meet, but at one door</h2>
${picture && new Html(picture)}
<ol>${course.map((chapter) => card(chapter, rowOf(readme, chapter)))}</ol>
</section>
${section(
  'Before you begin',
  beside.filter((page) => !isBehind(page)),
)}
${section('Beside the chapters', beside.filter(isBehind))}
</div>`;
}

/** What the README's table says of a chapter: what you build, and what you'll understand. */
function rowOf(readme: string, { folder }: Chapter): [string, string] {
  const row = readme.split('\n').find((line) => line.startsWith('|') && line.includes(`(chapters/${folder}/README.md)`));
  const [, , build = '', understand = ''] = row?.split('|') ?? [];
  if (!row) throw new Error(`README.md: the table of chapters has no row for ${folder}`);
  return [build.trim(), understand.trim()];
}

function card({ folder, number, title, subtitle, stages }: Chapter, [build, understand]: [string, string]): Html {
  const ready = stages.filter(({ text }) => text !== undefined);
  const minutes = ready.reduce((sum, stage) => sum + (stage.minutes ?? 0), 0);
  return html`<li class="card"><a href="${folder}/index.html">
<span class="number">${number}</span>
<h3>${sentence(title)}</h3>
<p class="subtitle">${subtitle}</p></a>
<dl><dt>You build</dt><dd>${inline(build)}</dd>
<dt>You understand</dt><dd>${inline(understand)}</dd></dl>
<p class="meta" data-stages="${ready.map(({ id }) => id).join(' ')}"><span>${ready.length} ${ready.length === 1 ? 'stage' : 'stages'}</span> <span>${duration(minutes)}</span></p>
</li>`;
}

function section(title: string, pages: Page[]): Content {
  return (
    pages.length > 0 &&
    html`<section class="beside"><h2>${title}</h2><ul>
${pages.map(({ path, title, summary }) => html`<li><a href="${path}">${title}</a><span>${summary}</span></li>`)}
</ul></section>`
  );
}

/** A chapter's stages, on its own opening page. */
export function stageList({ stages, checkpoint }: Chapter): Html {
  const rows = stages.map(({ id, title, minutes, text }) =>
    text === undefined
      ? html`<li class="coming"><span class="number">${id}</span><span class="name">${title}</span><span class="time">coming</span></li>`
      : html`<li data-stage="${id}"><a href="${id}.html"><span class="number">${id}</span><span class="name">${title}</span></a><span class="time">${duration(minutes ?? 0)}</span></li>`,
  );
  const end = checkpoint && html`<li><a href="checkpoint.html"><span class="number"></span><span class="name">Checkpoint</span></a></li>`;
  return html`<ol class="stages">${rows}${end}</ol>`;
}
