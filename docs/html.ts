// HTML as text: what is put into a template is escaped, unless it is HTML already.

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text that is HTML already. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
  toString(): string {
    return this.text;
  }
}

export type Content = Html | string | number | false | undefined | Content[];

/** A template whose values are escaped; an array is its elements one after the other; nothing for `undefined` and `false`. */
export function html(parts: TemplateStringsArray, ...values: Content[]): Html {
  return new Html(String.raw({ raw: parts }, ...values.map(toText)));
}

function toText(value: Content): string {
  if (value === undefined || value === false) return '';
  if (Array.isArray(value)) return value.map(toText).join('');
  return value instanceof Html ? value.text : escapeHtml(String(value));
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** What a reader sees of it. */
export function textOf(markup: string): string {
  return markup
    .replace(/<!--[\s\S]*?-->|<[^>]*>/g, '')
    .replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => Object.keys(entities).find((key) => entities[key] === entity) ?? entity)
    .trim();
}

/** A title as a printer sets it: `nobody's` with a real apostrophe. */
export function typeset(title: string): string {
  return title.replace(/(?<=\w)'(?=\w)/g, '’');
}

/** A heading's id, as code hosts make it: a link to a heading works on both. */
export function slugify(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}\s_-]/gu, '')
    .replace(/\s/g, '-');
}
