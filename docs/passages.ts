// What search and the table of contents want to know of a text: its headings, and the words under each. Hints are left out:
// nobody should find a sketch who looks for the idea.

import type { Token } from 'markdown-it';
import { textOf } from './html.ts';

export interface Heading {
  level: number;
  id: string;
  text: string;
}

/** What is under one heading, as one would read it aloud. */
export interface Passage {
  heading: Heading | undefined;
  text: string;
  /** What stands in its code blocks. */
  code: string;
}

export function passagesIn(tokens: Token[]): Passage[] {
  const passages: Passage[] = [{ heading: undefined, text: '', code: '' }];
  let hint = false;
  tokens.forEach((token, index) => {
    const level = Number(token.tag[1]);
    if (token.type === 'heading_open' && (level === 2 || level === 3)) {
      const text = plainText(tokens[index + 1]);
      passages.push({ heading: { level, id: attribute(token, 'id'), text }, text: '', code: '' });
      return;
    }
    if (tokens[index - 1]?.type === 'heading_open') return;
    if (token.type === 'html_block' && token.content.includes('class="hint"')) hint = true;
    const passage = passages.at(-1) as Passage;
    const text = token.type === 'html_block' ? textOf(token.content) : plainText(token);
    if (text && !hint) passage.text += `${text}\n`;
    if (token.type === 'fence' && !hint) passage.code += token.content;
    if (token.type === 'html_block' && token.content.includes('</details>')) hint = false;
  });
  return passages;
}

export const attribute = (token: Token, name: string) => String(token.attrGet(name) ?? '');

function plainText(token: Token | undefined): string {
  return (token?.children ?? [])
    .map(({ type, content }) => (type.endsWith('break') ? ' ' : type === 'html_inline' ? '' : content))
    .join('');
}
