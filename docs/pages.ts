// Which pages the site has, and what each is made of: one a stage, one for each chapter's opening and checkpoint, and those of
// docs/pages. Their order is the order of reading.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Chapter, type Stage, splitByHeading } from './course.ts';
import { typeset } from './html.ts';
import { stagesMark } from './markdown.ts';

export interface Page {
  /** Where it is in the site: `chapter1-etcd/1.1.html`. */
  path: string;
  title: string;
  /** One sentence, for lists of pages and for search engines. */
  summary?: string;
  /** The file it is made of, from the repository's root. */
  source: string;
  /** Markdown without the title. */
  text: string;
  /** How many levels its headings move up: a stage is a part of its chapter's file and a page of its own here. */
  raise: number;
  kind: 'front' | 'beside' | 'chapter' | 'stage' | 'checkpoint';
  chapter?: Chapter;
  stage?: Stage;
  /** Pages of docs/pages with a smaller number stand before those with a larger one; from 50 on behind the chapters. */
  order: number;
}

const behindTheChapters = 50;

/** `generated` is Markdown for each `<!-- generated name -->` that a page of docs/pages may contain. */
export function listPages(root: string, course: Chapter[], generated: Record<string, string>): Page[] {
  const beside = readPages(root).map((page) => ({ ...page, text: withGenerated(page, generated) }));
  return [
    frontPage(root),
    ...beside.filter(({ order }) => order < behindTheChapters),
    ...course.flatMap(chapterPages),
    ...beside.filter(({ order }) => order >= behindTheChapters),
  ];
}

function withGenerated({ source, text }: Page, generated: Record<string, string>): string {
  return text.replace(/^<!-- generated ([a-z-]+) -->$/gm, (_, name: string) => {
    const part = generated[name];
    if (part === undefined) throw new Error(`${source} asks for "${name}"; what can be generated is ${Object.keys(generated).join(', ')}`);
    return part;
  });
}

export const isBehind = ({ kind, order }: Page) => kind === 'beside' && order >= behindTheChapters;

function frontPage(root: string): Page {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  return { path: 'index.html', title: 'Kubekata', source: 'README.md', text, raise: 0, kind: 'front', order: 0 };
}

function chapterPages(chapter: Chapter): Page[] {
  const { folder, source, number, title, subtitle, opening, stages, checkpoint } = chapter;
  const shared = { source, chapter, order: 0 };
  const pages: Page[] = [
    {
      ...shared,
      kind: 'chapter',
      path: `${folder}/index.html`,
      title: `${number}. ${sentence(title)}`,
      summary: `Chapter ${number}: ${title}, ${subtitle}.`,
      text: opening.replace(/^\| stage \|[\s\S]*?\n(?=\n)/m, `${stagesMark}\n`),
      raise: 0,
    },
  ];
  for (const stage of stages) {
    if (stage.text === undefined) continue;
    const text = stage.hints ? withHints(stage.text, stage.hints) : stage.text;
    pages.push({
      ...shared,
      kind: 'stage',
      path: `${folder}/${stage.id}.html`,
      title: `${stage.id} ${stage.title}`,
      text,
      raise: 1,
      stage,
    });
  }
  if (checkpoint) {
    const path = `${folder}/checkpoint.html`;
    pages.push({ ...shared, kind: 'checkpoint', path, title: `Checkpoint: ${title}`, text: checkpoint, raise: 1 });
  }
  return pages;
}

/** `etcd` is always small, and `kube-proxy` a program's name; `the API server` begins a title as `The API server`. */
export function sentence(title: string): string {
  return title.startsWith('the ') ? `T${title.slice(1)}` : title;
}

/** The hints stand folded at the end of "Build it": whoever is stuck is just there. */
function withHints(text: string, hints: string): string {
  const folded = splitByHeading(hints)
    .slice(1)
    .map(({ heading, text }) => `<details class="hint"><summary>${heading}</summary>\n\n${text.trim()}\n\n</details>\n`);
  const stuck = `<p class="stuck">Stuck? Read on only as far as you need.</p>\n\n${folded.join('\n')}\n`;
  return text.replace(/^### See it$/m, () => `${stuck}\n### See it`);
}

function readPages(root: string): Page[] {
  const folder = join(root, 'docs/pages');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => readPage(root, name.replace(/\.md$/, '')))
    .sort((a, b) => a.order - b.order || a.path.localeCompare(b.path));
}

function readPage(root: string, slug: string): Page {
  const source = `docs/pages/${slug}.md`;
  const [, head = '', text = ''] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(readFileSync(join(root, source), 'utf8')) ?? [];
  const { title, summary, order } = (parse(head) ?? {}) as { title?: string; summary?: string; order?: number };
  if (!title || !summary || order === undefined) {
    throw new Error(`${source} must begin with a block between two lines of ---, with title, summary and order`);
  }
  return {
    path: `${slug}.html`,
    title: typeset(title),
    summary: typeset(summary),
    source,
    text: text.replace(/^\s*# .*\n/, ''),
    raise: 0,
    kind: 'beside',
    order,
  };
}
