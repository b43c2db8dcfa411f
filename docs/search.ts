// The search index: a document for every passage (a heading and what is under it). It is a script, not JSON, because a page that
// was opened from a folder may load scripts and nothing else.

import MiniSearch from 'minisearch';
import type { Page } from './pages.ts';
import type { Passage } from './passages.ts';

/** What the page's own script must know too: see theme/search.ts. */
export const indexOptions = { fields: ['heading', 'title', 'text', 'code'], storeFields: ['url', 'title', 'heading', 'text', 'code'] };

const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim();

export function searchIndex(pages: { page: Page; passages: Passage[] }[]): string {
  const index = new MiniSearch(indexOptions);
  index.addAll(
    pages.flatMap(({ page, passages }) =>
      passages
        .filter(({ heading, text, code }) => heading || text || code)
        .map(({ heading, text, code }, place) => ({
          id: `${page.path}#${place}`,
          url: page.path + (heading ? `#${heading.id}` : ''),
          title: page.title,
          heading: heading?.text ?? '',
          text: oneLine(text),
          code: oneLine(code),
        })),
    ),
  );
  return `kubekata.search(${JSON.stringify({ options: indexOptions, index })});\n`;
}
