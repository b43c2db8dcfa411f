// Markdown to HTML, in two steps: `parse` finds headings and words, so that all pages are known before `render` makes any
// link between them. What the site adds to Markdown stays readable on a code host: a picture or a piece of source is an image or
// a link alone on its line.

import createMarkdown, { type Env, type MarkdownIt, type StateCore, type Token } from 'markdown-it';
import anchor from 'markdown-it-anchor';
import container from 'markdown-it-container';
import { codeBlock } from './code.ts';
import { Html, slugify, textOf } from './html.ts';

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

export interface Parsed {
  tokens: Token[];
  headings: Heading[];
  passages: Passage[];
}

/** How the world outside of a text looks to it. Each gets what the text says, and throws when there is no such thing. */
export interface Surroundings {
  /** The address to link to, or undefined where there is none to give. */
  link(target: string): string | undefined;
  /** `<figure>…` for an image. */
  picture(target: string, caption: string): string;
  /** The picture of a hook like `<div data-picture="architecture">`. */
  hook(name: string): string;
  /** The list of the chapter's stages, in place of the table that its text has. */
  stages(): string;
  /** Source text for a link like `store.ts#Store.put`. */
  snippet(target: string): string;
  /** Address of the stage's page, if there is that stage. */
  stage(id: string): string | undefined;
}

/** What pages.ts puts in place of a chapter's table of stages. */
export const stagesMark = '<!-- stages -->';

const markdown = createMarkdown({ html: true, typographer: true })
  .disable('replacements')
  .use((md) => md.core.ruler.push('raise', raiseHeadings))
  .use(anchor as unknown as (md: MarkdownIt, options: object) => void, {
    slugify,
    tabIndex: false,
    level: [2, 3],
    permalink: anchor.permalink.headerLink({ safariReaderFix: true }),
  })
  .use((md) => {
    md.core.ruler.push('alone', standingAlone);
    md.core.ruler.push('sections', wrapSections);
  });
for (const name of ['note', 'warning']) {
  markdown.use(container as unknown as (md: MarkdownIt, name: string, options: object) => void, name, {
    render: (tokens: Token[], index: number) =>
      tokens[index]?.nesting === 1 ? `<aside class="${name}" aria-label="${name === 'note' ? 'Note' : 'Warning'}">\n` : '</aside>\n',
  });
}

export function parse(text: string, raise: number): Parsed {
  const tokens = markdown.parse(text, { raise });
  const passages = passagesIn(tokens);
  return { tokens, passages, headings: passages.flatMap(({ heading }) => heading ?? []) };
}

export function render({ tokens }: Parsed, surroundings: Surroundings): string {
  linkStages(tokens, surroundings);
  return markdown.renderer.render(tokens, markdown.options, { surroundings });
}

// ── Rules on the parsed text ────────────────────────────────────────────────────────────────────────────────────────────

function raiseHeadings({ tokens, env }: StateCore): void {
  for (const token of tokens) {
    if (token.type.startsWith('heading_')) token.tag = `h${Number(token.tag[1]) - Number(env.raise)}`;
  }
}

/** A paragraph that is one image, or one link to a named piece of source, is that piece. */
function standingAlone(state: StateCore): void {
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
function wrapSections(state: StateCore): void {
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

/** "stage 2.3", "stages 1.8 to 1.10": each number leads to its page. */
function linkStages(tokens: Token[], { stage }: Surroundings): void {
  for (const block of tokens) {
    if (block.type !== 'inline' || !block.children) continue;
    let inLink = 0;
    block.children = block.children.flatMap((token) => {
      inLink += token.type === 'link_open' ? 1 : token.type === 'link_close' ? -1 : 0;
      if (token.type !== 'text' || inLink > 0) return [token];
      const html = token.content.replace(/\b[Ss]tages? \d+\.\d+(?:(?:,| and| to| or)* \d+\.\d+)*/g, (mention) =>
        mention.replace(/\d+\.\d+/g, (id) => `\0${id}\0`),
      );
      const parts = html.split('\0');
      if (parts.length === 1) return [token];
      return parts.map((part, index) => {
        const address = index % 2 ? stage(part) : undefined;
        const piece = Object.assign(Object.create(Object.getPrototypeOf(token)), token) as Token;
        piece.type = address ? 'html_inline' : 'text';
        piece.content = address ? `<a href="${address}">${part}</a>` : part;
        return piece;
      });
    });
  }
}

// ── What search and the table of contents want to know ──────────────────────────────────────────────────────────────────

function passagesIn(tokens: Token[]): Passage[] {
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

const attribute = (token: Token, name: string) => String(token.attrGet(name) ?? '');

function plainText(token: Token | undefined): string {
  return (token?.children ?? [])
    .map(({ type, content }) => (type.endsWith('break') ? ' ' : type === 'html_inline' ? '' : content))
    .join('');
}

// ── HTML ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const { rules } = markdown.renderer;
const surroundingsOf = (environment: Env | undefined) => environment?.surroundings as Surroundings;
const at = (tokens: Token[], index: number) => tokens[index] as Token;
const targetOf = (tokens: Token[], index: number) => attribute(at(tokens, index), 'target');

rules.fence = (tokens, index) => codeBlock(at(tokens, index).content, at(tokens, index).info.trim());
rules.code_block = (tokens, index) => codeBlock(at(tokens, index).content, '');
rules.table_open = () => '<div class="table"><table>\n';
rules.table_close = () => '</table></div>\n';
rules.picture = (tokens, index, _, environment) => surroundingsOf(environment).picture(targetOf(tokens, index), at(tokens, index).content);
rules.snippet = (tokens, index, options, environment, self) => {
  const caption = self.renderInline(at(tokens, index).children ?? [], options, environment);
  const code = codeBlock(surroundingsOf(environment).snippet(targetOf(tokens, index)), 'typescript');
  return `<figure class="snippet"><figcaption>${caption}</figcaption>${code}</figure>`;
};
rules.html_block = (tokens, index, _, environment) => {
  const { content } = at(tokens, index);
  if (content.trim() === stagesMark) return surroundingsOf(environment).stages();
  return content.replace(/(<div[^>]*\sdata-picture="([^"]+)"[^>]*>)(?=\s*<\/div>)/, (_, hook, picture) => {
    return hook + surroundingsOf(environment).hook(picture);
  });
};
rules.link_open = (tokens, index, options, environment, self) => {
  const token = at(tokens, index);
  const address = surroundingsOf(environment).link(attribute(token, 'href'));
  const close = tokens.slice(index).find(({ type }) => type === 'link_close') as Token;
  close.hidden = address === undefined;
  if (address === undefined) return '';
  token.attrSet('href', address);
  return self.renderToken(tokens, index, options);
};
rules.link_close = (tokens, index) => (at(tokens, index).hidden ? '' : '</a>');

/** One line of Markdown, without the paragraph around it. */
export function inline(text: string): Html {
  return new Html(markdown.renderInline(text));
}
