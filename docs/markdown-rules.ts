// What the site makes of parsed Markdown before it is rendered: rules that change the list of tokens.

import type { StateCore, Token } from 'markdown-it';

/** A stage is a part of its chapter's file and a page of its own here: its headings move up by as many levels as `env.raise` says. */
export function raiseHeadings({ tokens, env }: StateCore): void {
  for (const token of tokens) {
    if (token.type.startsWith('heading_')) token.tag = `h${Number(token.tag[1]) - Number(env.raise)}`;
  }
}

/** A paragraph that is one image, or one link to a named piece of source, is that piece. */
export function standingAlone(state: StateCore): void {
  const { tokens } = state;
  for (let index = 0; index < tokens.length; index++) {
    const children = tokens[index]?.children ?? [];
    if (tokens[index - 1]?.type !== 'paragraph_open') continue;
    const [first] = children;
    const picture = children.length === 1 && first?.type === 'image' ? first : undefined;
    const isLink = first?.type === 'link_open' && children.findIndex(({ type }) => type === 'link_close') === children.length - 1;
    const target = String(picture?.attrGet('src') ?? (isLink ? first.attrGet('href') : ''));
    if (!picture && !/\.ts#/.test(target)) continue;
    const token = new state.Token(picture ? 'picture' : 'snippet', '', 0);
    token.content = picture?.content ?? '';
    token.children = children.slice(1, -1);
    token.attrSet('target', target);
    tokens.splice(index - 1, 3, token);
  }
}

/** Every part of a page is an element of its own: the stylesheet and the scripts of the page take hold of it there. */
export function wrapSections(state: StateCore): void {
  const open: number[] = [];
  const wrapped: Token[] = [];
  const closeDownTo = (level: number) => {
    while ((open.at(-1) ?? 0) >= level) {
      open.pop();
      wrapped.push(new state.Token('section_close', 'section', -1));
    }
  };
  for (const token of state.tokens) {
    const level = token.type === 'heading_open' && token.level === 0 ? Number(token.tag[1]) : 0;
    if (level === 2 || level === 3) {
      closeDownTo(level);
      const section = new state.Token('section_open', 'section', 1);
      section.block = true;
      section.attrSet('class', `part-${token.attrGet('id')}`);
      wrapped.push(section);
      open.push(level);
    }
    wrapped.push(token);
  }
  closeDownTo(1);
  state.tokens = wrapped;
}

/** A table's head without a word in it is no head: readers who listen would hear that there is one, and nothing more. */
export function emptyHeads({ tokens }: StateCore): void {
  tokens.forEach((token, index) => {
    if (token.type !== 'th_open' || tokens[index + 1]?.content) return;
    token.tag = 'td';
    (tokens[index + 2] as Token).tag = 'td';
  });
}
