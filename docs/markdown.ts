// Markdown to HTML, in two steps: `parse` finds headings and words, so that all pages are known before `render` makes any
// link between them. What the site adds to Markdown stays readable on a code host: a picture or a piece of source is an image or
// a link alone on its line.

import createMarkdown, { type Env, type MarkdownIt, type Token } from 'markdown-it';
import anchor from 'markdown-it-anchor';
import container from 'markdown-it-container';
import { codeBlock } from './code.ts';
import { escapeHtml, Html, slugify } from './html.ts';
import { emptyHeads, raiseHeadings, standingAlone, wrapSections } from './markdown-rules.ts';
import { attribute, type Heading, type Passage, passagesIn } from './passages.ts';

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
    md.core.ruler.push('heads', emptyHeads);
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
  return markdown.renderer.render(tokens, markdown.options, { surroundings });
}

const { rules } = markdown.renderer;
const surroundingsOf = (environment: Env | undefined) => environment?.surroundings as Surroundings;
const at = (tokens: Token[], index: number) => tokens[index] as Token;
const targetOf = (tokens: Token[], index: number) => attribute(at(tokens, index), 'target');

/** "stage 2.3", "stages 1.8 to 1.10": each number leads to its page, unless the words are a link already. */
rules.text = (tokens, index, _, environment) => {
  const text = escapeHtml(at(tokens, index).content);
  const links = tokens.slice(0, index).filter(({ type }) => type === 'link_open' || type === 'link_close');
  if (links.at(-1)?.type === 'link_open') return text;
  return text.replace(/\bstages? \d+\.\d+(?:(?:,| and| to| or)* \d+\.\d+)*/gi, (mention) =>
    mention.replace(/\d+\.\d+/g, (id) => {
      const address = surroundingsOf(environment)?.stage(id);
      return address ? `<a href="${address}">${id}</a>` : id;
    }),
  );
};
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
