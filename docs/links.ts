// Links between the project's texts, made links between the site's pages. A text names files of the repository; where such a file
// is a page (or a part of one), the link leads there, and else to the code host, if the project has one. What names nothing
// stops the build.

import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { slugify } from './html.ts';
import type { Page } from './pages.ts';
import type { Heading } from './passages.ts';

export interface Target {
  page: Page;
  headings: Heading[];
}

export interface Links {
  root: string;
  targets: Target[];
  /** Where the repository's files can be seen, like `https://code.example/kubekata`. */
  repository: string | undefined;
}

/** From one page to another, whatever folder the site is in. */
export function relative(from: string, to: string): string {
  const [path = '', fragment] = to.split('#');
  const way = path === from ? '' : posix.relative(posix.dirname(from), path);
  return way + (fragment ? `#${fragment}` : '') || posix.basename(path);
}

/** The address of a link in `from`'s text, or undefined for a file of the repository when nobody knows where that can be seen. */
export function resolve({ root, targets, repository }: Links, from: Page, link: string): string | undefined {
  if (/^[a-z]+:/i.test(link)) return link;
  const [path = '', fragment = ''] = link.split('#');
  const file = path ? posix.join(posix.dirname(from.source), path) : from.source;
  const found = path || from.kind !== 'beside' ? pageFor(targets, file, fragment) : targets.find(({ page }) => page === from);
  if (found) {
    if (fragment && !hasAnchor(found, fragment)) throw new Error(`${from.source} links to ${link}, and there is no such heading`);
    const anchored = fragment && found.headings.some(({ id }) => id === fragment);
    return relative(from.path, found.page.path + (anchored ? `#${fragment}` : ''));
  }
  const decision = /^docs\/decisions\/(\d+)-.*\.md$/.exec(file);
  if (decision) return decisionLink(targets, from, Number(decision[1]));
  if (!existsSync(join(root, file))) throw new Error(`${from.source} links to ${link}, and there is no such file`);
  return repository && `${repository}/blob/main/${file}${fragment && `#${fragment}`}`;
}

/** A chapter's file is many pages: the heading says which. */
function pageFor(targets: Target[], file: string, fragment: string): Target | undefined {
  const pages = targets.filter(({ page }) => page.source === file || page.source === `${file.replace(/\/$/, '')}/README.md`);
  return pages.find((target) => fragment && hasAnchor(target, fragment)) ?? pages[0];
}

function hasAnchor({ page, headings }: Target, fragment: string): boolean {
  return slugify(page.title) === fragment || headings.some(({ id }) => id === fragment);
}

function decisionLink(targets: Target[], from: Page, number: number): string | undefined {
  const decisions = targets.find(({ page }) => page.path === 'decisions.html');
  const heading = decisions?.headings.find(({ id }) => id.startsWith(`${number}-`));
  return heading && relative(from.path, `decisions.html#${heading.id}`);
}
