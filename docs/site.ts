// The whole site as files in memory: `path` in the site to content. Who calls it writes them down or serves them.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, posix } from 'node:path';
import ts from 'typescript';
import { type Chapter, readCourse } from './course.ts';
import { type FrontMatter, frontPage, stageList } from './front.ts';
import { generatedParts } from './generated.ts';
import { Html } from './html.ts';
import { layout } from './layout.ts';
import { type Links, relative, resolve } from './links.ts';
import { type Parsed, parse, render, type Surroundings } from './markdown.ts';
import { listPages, type Page } from './pages.ts';
import { figure, inlineSvg } from './pictures.ts';
import { searchIndex } from './search.ts';
import { snippet } from './snippets.ts';

export interface SiteOptions {
  /** The repository's folder. */
  root: string;
  /** Where the repository can be seen, like `https://code.example/kubekata`; package.json's `repository` when absent. */
  repository?: string | undefined;
}

export async function makeSite({ root, repository = repositoryOf(root) }: SiteOptions): Promise<Map<string, string>> {
  const course = readCourse(root);
  const pages = listPages(root, course, await generatedParts(root, course));
  const parsed = new Map(pages.map((page) => [page, parse(page.text, page.raise)]));
  const assets = makeAssets(root, pages, parsed);
  const version = createHash('sha256')
    .update([...assets.values()].join())
    .digest('hex')
    .slice(0, 8);
  const targets = pages.map((page) => ({ page, headings: parsed.get(page)?.headings ?? [] }));
  const links: Links = { root, targets, repository };
  const files = new Map(assets);
  for (const page of pages) {
    const text = parsed.get(page) as Parsed;
    const front = page.kind === 'front';
    const editLink = repository && `${repository}/edit/main/${page.source}`;
    const headings = front ? [] : text.headings;
    try {
      const body = front ? frontPage(page.text, course, pages, frontMatter(root)) : new Html(render(text, surroundings(links, page)));
      files.set(page.path, layout({ page, pages, headings, readingTime: readingTime(text), editLink, version }, body));
    } catch (error) {
      throw new Error(`${page.path}: ${error instanceof Error ? error.message : error}`, { cause: error });
    }
  }
  return files;
}

function frontMatter(root: string): FrontMatter {
  const path = 'docs/pages/pictures/overview.svg';
  return {
    session: readFileSync(join(root, 'docs/front-session.txt'), 'utf8'),
    picture: existsSync(join(root, path)) ? figure(root, path, '') : undefined,
  };
}

function surroundings(links: Links, page: Page): Surroundings {
  const { root, targets } = links;
  const inFolder = (target: string) => posix.join(posix.dirname(page.source), target);
  return {
    link: (target) => resolve(links, page, target),
    picture: (target, caption) => figure(root, inFolder(target), caption),
    hook: (name) => {
      const path = inFolder(`pictures/${name}.svg`);
      return existsSync(join(root, path)) ? inlineSvg(root, path) : '';
    },
    stages: () => stageList(page.chapter as Chapter).text,
    snippet: (target) => {
      const [path = '', symbol = ''] = inFolder(target).split('#');
      return snippet(root, path, symbol);
    },
    stage: (id) => {
      const target = targets.find(({ page }) => page.stage?.id === id);
      return target && relative(page.path, target.page.path);
    },
  };
}

/** Minutes, for somebody who reads 220 words of prose a minute. */
function readingTime({ passages }: Parsed): number {
  const words = passages.reduce((sum, { text, code }) => sum + `${text} ${code}`.split(/\s+/).length, 0);
  return Math.max(1, Math.round(words / 220));
}

function repositoryOf(root: string): string | undefined {
  const { repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { repository?: string | { url: string } };
  const url = typeof repository === 'string' ? repository : repository?.url;
  return url?.replace(/^git\+/, '').replace(/\.git$/, '');
}

// ── Assets ──────────────────────────────────────────────────────────────────────────────────────────────────────────────

function makeAssets(root: string, pages: Page[], parsed: Map<Page, Parsed>): Map<string, string> {
  const folder = join(root, 'docs/theme');
  const read = (ending: string) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(ending) && name !== 'live.ts')
      .sort()
      .map((name) => readFileSync(join(folder, name), 'utf8'));
  const searched = pages.filter(({ kind }) => kind !== 'front').map((page) => ({ page, passages: parsed.get(page)?.passages ?? [] }));
  const miniSearch = createRequire(import.meta.url)
    .resolve('minisearch')
    .replace(/dist[\\/].*$/, 'dist/umd/index.js');
  const pictures = join(root, 'docs/pictures.css');
  const styles = [...(existsSync(pictures) ? [readFileSync(pictures, 'utf8')] : []), ...read('.css')];
  return new Map([
    ['assets/site.css', styles.map(smaller).join('')],
    ['assets/site.js', read('.ts').map(script).join('')],
    ['assets/minisearch.js', `/*! MiniSearch, MIT licence */\n${toJavaScript(readFileSync(miniSearch, 'utf8'))}`],
    ['assets/search-index.js', searchIndex(searched)],
    ['assets/icon.svg', readFileSync(join(folder, 'icon.svg'), 'utf8')],
  ]);
}

/** Each file of the theme has its own scope; a page loads one script, of the classic kind, which works from a folder too. */
export const script = (source: string) => `(() => {\n${toJavaScript(source)}})();\n`;

function toJavaScript(source: string): string {
  const compilerOptions: ts.CompilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.None, removeComments: true };
  return ts.transpileModule(source, { compilerOptions }).outputText;
}

const smaller = (css: string) =>
  css
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s*\n\s*/g, '\n')
    .trimStart();
