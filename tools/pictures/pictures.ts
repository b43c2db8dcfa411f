// The pictures of the texts: where they are, and the style that all of them share. docs/pictures.css is its only source; each file
// holds a copy, so that a picture shows by itself wherever the text is read.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Paths from the root, sorted. */
export function listPictures(root: string): string[] {
  return globSync(['chapters/*/pictures/*.svg', 'docs/pages/pictures/*.svg'], { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .sort();
}

/** docs/pictures.css as it stands in a picture: a rule a line, without comments. */
export function sharedStyle(root: string): string {
  return readFileSync(join(root, 'docs/pictures.css'), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?} ?/g, ' }\n')
    .trim();
}

export function withStyle(picture: string, style: string): string {
  const indented = style.replace(/^/gm, '    ');
  const styled = picture.replace(/( *<style>\n)[\s\S]*?( *<\/style>)/, (_, begin, end) => `${begin}${indented}\n${end}`);
  if (!/<style>\n[\s\S]*<\/style>/.test(picture)) throw new Error('the picture has no <style> to put the shared style into');
  return styled;
}
