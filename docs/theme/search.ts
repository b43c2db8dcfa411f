// Search. The index and the program that reads it are fetched when somebody searches, as scripts: a page that was opened from a
// folder may load nothing else.

interface Found {
  url: string;
  title: string;
  heading: string;
  text: string;
  code: string;
  /** The words of the text that matched. */
  terms: string[];
}
interface Index {
  search(query: string, options: object): Found[];
}
declare const MiniSearch: { loadJS(index: object, options: object): Index };

const dialog = document.querySelector<HTMLDialogElement>('dialog.search');
const opener = document.querySelector<HTMLButtonElement>('.search-button');
const input = dialog?.querySelector('input');
const results = dialog?.querySelector<HTMLUListElement>('#found');
const note = dialog?.querySelector('.search-note');
const base = document.documentElement.dataset.base ?? '';
let index: Promise<Index> | undefined;

function load(): Promise<Index> {
  return new Promise((resolve, reject) => {
    const given = window as unknown as { kubekata: object };
    given.kubekata = {
      search: (stored: { options: object; index: object }) => resolve(MiniSearch.loadJS(stored.index, stored.options)),
    };
    // The version of this page's own script holds for its neighbours too.
    const version = (document.querySelector('script[src]') as HTMLScriptElement).src.split('?')[1];
    const scripts = ['minisearch.js', 'search-index.js'].map((name) => {
      const script = document.createElement('script');
      script.src = `${base}assets/${name}?${version}`;
      script.async = false;
      script.onerror = () => reject(new Error(`${name} could not be loaded`));
      return script;
    });
    document.head.append(...scripts);
  });
}

function open(): void {
  index ??= load();
  index.catch(() => {
    index = undefined;
    say('The search index could not be loaded.');
  });
  dialog?.showModal();
  input?.select();
}

const best = { prefix: true, fuzzy: 0.15, boost: { heading: 3, title: 4, code: 0.3 } };

/** Passages with all the words; if there are none, passages with some. */
function find(index: Index, query: string): Found[] {
  const found = index.search(query, { ...best, combineWith: 'AND' });
  return found.length > 0 ? found : index.search(query, { ...best, combineWith: 'OR' });
}

async function search(): Promise<void> {
  const query = input?.value.trim() ?? '';
  const found = query && index ? find(await index, query) : [];
  if (query !== input?.value.trim()) return;
  const shown = found.slice(0, 20);
  results?.replaceChildren(...shown.map(entry));
  choose(0);
  input?.setAttribute('aria-expanded', String(shown.length > 0));
  if (query && found.length === 0) say(`Nothing was found for “${query}”.`);
  else say(found.length > shown.length ? `The best ${shown.length} of ${found.length}.` : '');
}

function entry(found: Found, place: number): HTMLElement {
  const item = document.createElement('li');
  item.id = `found-${place}`;
  item.setAttribute('role', 'option');
  item.dataset.url = base + found.url;
  const title = document.createElement('span');
  title.className = 'found-title';
  const where = document.createElement('span');
  where.textContent = found.heading && ` · ${found.heading}`;
  title.append(found.title, where);
  const text = document.createElement('span');
  text.className = 'found-text';
  text.append(...excerpt(found));
  item.append(title, text);
  item.addEventListener('click', () => go(item));
  return item;
}

/** The text from shortly before the first word that matched. */
function excerpt({ text: prose, code, terms }: Found): (string | HTMLElement)[] {
  const words = new RegExp(`(${terms.map((term) => term.replace(/[^\p{Letter}\p{Number}]/gu, '\\$&')).join('|')})`, 'i');
  const text = words.test(prose) || !code ? prose : code;
  const first = text.search(words);
  const from = first > 40 ? text.indexOf(' ', first - 40) + 1 : 0;
  return ((from > 0 ? '… ' : '') + text.slice(from, from + 160)).split(new RegExp(words, 'gi')).map((part, place) => {
    if (place % 2 === 0) return part;
    const mark = document.createElement('mark');
    mark.textContent = part;
    return mark;
  });
}

function choose(place: number): void {
  const items = [...(results?.children ?? [])];
  const chosen = items[(place + items.length) % items.length];
  for (const item of items) item.setAttribute('aria-selected', String(item === chosen));
  chosen?.scrollIntoView({ block: 'nearest' });
  if (chosen) input?.setAttribute('aria-activedescendant', chosen.id);
  else input?.removeAttribute('aria-activedescendant');
}

function go(item: Element | null | undefined): void {
  const url = (item as HTMLElement | null | undefined)?.dataset.url;
  if (!url) return;
  dialog?.close();
  location.href = url;
}

function say(text: string): void {
  if (note) note.textContent = text;
}

const selected = () => results?.querySelector('[aria-selected=true]');

if (opener) opener.hidden = false;
opener?.addEventListener('click', open);
input?.addEventListener('input', search);
input?.addEventListener('keydown', (event) => {
  const place = [...(results?.children ?? [])].indexOf(selected() as Element);
  if (event.key === 'ArrowDown') choose(place + 1);
  else if (event.key === 'ArrowUp') choose(place - 1);
  else if (event.key === 'Enter') go(selected());
  else return;
  event.preventDefault();
});
dialog?.addEventListener('click', (event) => event.target === dialog && dialog.close());
addEventListener('keydown', (event) => {
  const typing = /^(?:INPUT|TEXTAREA|SELECT)$/.test((event.target as HTMLElement).tagName);
  if (!(event.key === '/' && !typing) && !(event.key === 'k' && (event.ctrlKey || event.metaKey))) return;
  event.preventDefault();
  open();
});
