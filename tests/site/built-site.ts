// The site as `npm run docs:build` writes it, and what can be said of its files without a browser.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';

export interface BuiltSite {
  folder: string;
  /** `chapter1-etcd/1.1.html`, … */
  pages: string[];
  url(page: string): string;
  read(path: string): string;
  remove(): void;
}

export function buildSite(): BuiltSite {
  const folder = mkdtempSync(join(tmpdir(), 'kubekata-site-'));
  execFileSync(process.execPath, ['docs/build.ts', '--out', folder], { cwd: process.cwd(), encoding: 'utf8' });
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => path.replaceAll('\\', '/'));
  return {
    folder,
    pages: files.filter((path) => path.endsWith('.html')).sort(),
    url: (page) => pathToFileURL(join(folder, page)).href,
    read: (path) => readFileSync(join(folder, path), 'utf8'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Every link, source of a script and so on that leads nowhere, as `page: link`. */
export function deadLinks(site: BuiltSite): string[] {
  const ids = new Map(site.pages.map((page) => [page, idsIn(site.read(page))]));
  const assets = new Set(readdirSync(join(site.folder, 'assets')).map((name) => `assets/${name}`));
  return site.pages.flatMap((page) =>
    [...site.read(page).matchAll(/\s(?:href|src)="([^"]*)"/g)]
      .map(([, link = '']) => link)
      .filter((link) => !/^(?:https?|mailto):/.test(link))
      .filter((link) => {
        const [path = '', fragment] = link.split('#');
        const target = path ? posix.join(posix.dirname(page), path.replace(/\?.*$/, '')) : page;
        if (assets.has(target)) return false;
        return !ids.has(target) || (fragment !== undefined && !ids.get(target)?.includes(fragment));
      })
      .map((link) => `${page}: ${link}`),
  );
}

/** Ids that stand twice on a page, as `page: id`. */
export function doubleIds(site: BuiltSite): string[] {
  return site.pages.flatMap((page) => {
    const ids = idsIn(site.read(page));
    return ids.filter((id, place) => ids.indexOf(id) < place).map((id) => `${page}: ${id}`);
  });
}

function idsIn(html: string): string[] {
  return [...html.matchAll(/\sid="([^"]+)"/g)].map(([, id = '']) => id);
}

/** Bytes that a first visit of the page takes when everything comes compressed. */
export function weight(site: BuiltSite, page: string): number {
  const shared = ['assets/site.css', 'assets/site.js', 'assets/icon.svg'];
  return [page, ...shared].reduce((sum, path) => sum + gzipSync(site.read(path)).length, 0);
}
