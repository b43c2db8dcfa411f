// Text for a terminal: calm, aligned, one accent colour, and readable without any.

import { stripVTControlCharacters, styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

export const accent = (text: string) => styleText('cyan', text);
export const strong = (text: string) => styleText('bold', text);
export const dim = (text: string) => styleText('dim', text);
export const good = (text: string) => styleText('green' as Format, text);
export const bad = (text: string) => styleText('red' as Format, text);

export function widthOf(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** At most so wide; what doesn't fit ends in an ellipsis. For text without colours. */
export function clip(text: string, width: number): string {
  return widthOf(text) <= width ? text : `${[...text].slice(0, Math.max(0, width - 1)).join('')}…`;
}

/** Markdown as a terminal shows it: paragraphs flow to the width, code stays as it is. */
export function showMarkdown(markdown: string, width: number): string {
  const out: string[] = [];
  let paragraph: string[] = [];
  let inCode = false;
  const flush = () => {
    const [first = ''] = paragraph;
    const hanging = ' '.repeat(/^\s*(?:[-*]|\d+\.) /.exec(first)?.[0].length ?? 0);
    if (paragraph.length > 0) out.push(...flow(paragraph.join(' '), width, hanging));
    paragraph = [];
  };
  for (const line of markdown.split('\n')) {
    if (/^\s*(```|~~~)/.test(line)) {
      flush();
      inCode = !inCode;
    } else if (inCode) out.push(accent(`  ${line}`.trimEnd()));
    else if (line.trim() === '') {
      flush();
      out.push('');
    } else {
      if (/^\s*(?:[-*]|\d+\.) |^\|/.test(line)) flush();
      paragraph.push(paragraph.length === 0 ? line.trimEnd() : line.trim());
    }
  }
  flush();
  return out
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+|\s+$/g, '');
}

function flow(text: string, width: number, hanging: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/(?<=\S) +/)) {
    if (line !== '' && widthOf(`${line} ${word}`) > width) {
      lines.push(line);
      line = hanging + word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((line) => line.replace(/`([^`]+)`/g, (_, code: string) => strong(code)));
}
