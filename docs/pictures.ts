// Pictures are SVG files that also show on a code host, each with a style of its own. In a page they are part of it: their
// style goes away, so that the page's fonts and colours hold, and their ids are made unique.

import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { escapeHtml } from './html.ts';

/** A `<figure>` with the picture inside; `path` starts at the root, `caption` is what the text says it shows. */
export function figure(root: string, path: string, caption: string): string {
  return `<figure class="picture">${inlineSvg(root, path)}${caption && `<figcaption>${escapeHtml(caption)}</figcaption>`}</figure>`;
}

/** The picture itself. One that has parts to be chosen (`kk-component`) is not announced as one image: its parts are. */
export function inlineSvg(root: string, path: string): string {
  const source = readFileSync(join(root, path), 'utf8');
  const begin = source.indexOf('<svg');
  if (begin < 0) throw new Error(`${path} is no SVG file`);
  const name = basename(path, '.svg').replace(/[^a-z0-9]+/gi, '-');
  const svg = source
    .slice(begin)
    .replace(/<style[\s\S]*?<\/style>\s*/g, '')
    .replace(/<!--[\s\S]*?-->\s*/g, '')
    .trim();
  const ids = new Set([...svg.matchAll(/\sid="([^"]+)"/g)].map(([, id = '']) => id));
  const unique = svg
    .replace(/\s(id|aria-labelledby|aria-describedby)="([^"]*)"/g, (_, attribute, value: string) => {
      const renamed = value.split(' ').map((id) => (ids.has(id) ? `${name}-${id}` : id));
      return ` ${attribute}="${renamed.join(' ')}"`;
    })
    .replace(/url\(#([^)]+)\)/g, (whole, id) => (ids.has(id) ? `url(#${name}-${id})` : whole))
    .replace(/href="#([^"]+)"/g, (whole, id) => (ids.has(id) ? `href="#${name}-${id}"` : whole));
  return /class="[^"]*kk-component/.test(unique) ? unique.replace(/^(<svg[^>]*?)\srole="img"/, '$1') : withRole(unique);
}

function withRole(svg: string): string {
  return /^<svg[^>]*\srole=/.test(svg) ? svg : svg.replace(/^<svg/, '<svg role="img"');
}
