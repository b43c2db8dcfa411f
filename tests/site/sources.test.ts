// What the site is made of: texts, pieces of source, pictures. What is wrong in them stops the build, and says where.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { splitByHeading } from '../../docs/course.ts';
import { type Links, relative, resolve } from '../../docs/links.ts';
import type { Page } from '../../docs/pages.ts';
import { inlineSvg } from '../../docs/pictures.ts';
import { greenStages } from '../../docs/progress.ts';
import { snippet } from '../../docs/snippets.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'kubekata-sources-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): string {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  return path;
}

describe('a piece of source', () => {
  const given = `/** Keys and values. */
export interface Values {
  readonly revision: number;
}

export class Store {
  /** The value, or undefined. */
  get(key: string): string | undefined {
    return this.#values.get(key);
  }

  /**
   * Takes the next revision.
   * @exercise 1.1 Put the value
   */
  put(): void {}
}

const empty = 0;
`;
  const path = 'chapters/chapter1-etcd/src/store.ts';
  beforeAll(() => void write('solutions/chapter1-etcd/store.ts', given));

  it('is a method with its doc, at the left margin, as the solution has it', () => {
    expect(snippet(root, path, 'Store.get')).toBe(
      '/** The value, or undefined. */\nget(key: string): string | undefined {\n  return this.#values.get(key);\n}',
    );
  });

  it('is an interface, or a constant', () => {
    expect(snippet(root, path, 'Values')).toBe('/** Keys and values. */\nexport interface Values {\n  readonly revision: number;\n}');
    expect(snippet(root, path, 'empty')).toBe('const empty = 0;');
  });

  it('stops the build when it is what the reader is to write', () => {
    expect(() => snippet(root, path, 'Store.put')).toThrow('Store.put is tagged @exercise');
    expect(() => snippet(root, path, 'Store')).toThrow('Store is tagged @exercise');
  });

  it('stops the build when it is gone', () => {
    expect(() => snippet(root, path, 'Store.delete')).toThrow('solutions/chapter1-etcd/store.ts has no Store.delete');
  });
});

describe('a picture', () => {
  const svg = `<?xml version="1.0"?>
<svg viewBox="0 0 9 9" aria-labelledby="t" role="img"><title id="t">Two boxes</title><style>.kk-box { fill: red }</style>
<defs><marker id="head"/></defs><path marker-end="url(#head)"/><use href="#head"/></svg>`;

  it('loses its own style, and has ids of its own', () => {
    expect(inlineSvg(root, write('pictures/1.1-boxes.svg', svg))).toBe(
      `<svg viewBox="0 0 9 9" aria-labelledby="1-1-boxes-t" role="img"><title id="1-1-boxes-t">Two boxes</title><defs><marker id="1-1-boxes-head"/></defs><path marker-end="url(#1-1-boxes-head)"/><use href="#1-1-boxes-head"/></svg>`,
    );
  });

  it('with parts to choose is not announced as one image', () => {
    const parts = svg.replace('<defs>', '<g class="kk-component"/><defs>');
    expect(inlineSvg(root, write('pictures/parts.svg', parts))).not.toContain('role="img"');
  });
});

describe('a link', () => {
  const page = (path: string, source: string, title: string): Page => ({
    path,
    source,
    title,
    text: '',
    raise: 0,
    kind: source.startsWith('docs') ? 'beside' : 'stage',
    order: 0,
  });
  const watch = page('chapter1-etcd/1.5.html', 'chapters/chapter1-etcd/README.md', '1.5 Watch');
  const start = page('start-here.html', 'docs/pages/start-here.md', 'Start here');
  const links = (): Links => ({
    root,
    repository: 'https://code.example/kubekata',
    targets: [
      { page: page('chapter1-etcd/index.html', watch.source, '1. etcd'), headings: [] },
      { page: watch, headings: [{ level: 2, id: 'predict', text: 'Predict' }] },
      { page: start, headings: [] },
    ],
  });

  it('to a heading of a chapter’s file leads to the page of that stage', () => {
    expect(resolve(links(), start, '../../chapters/chapter1-etcd/README.md#15-watch')).toBe('chapter1-etcd/1.5.html');
    expect(resolve(links(), start, '../../chapters/chapter1-etcd/README.md')).toBe('chapter1-etcd/index.html');
    expect(resolve(links(), watch, '../../docs/pages/start-here.md')).toBe('../start-here.html');
  });

  it('to a file that is no page leads to the code host, or nowhere when there is none', () => {
    write('solutions/store.ts', '');
    expect(resolve(links(), start, '../../solutions/store.ts')).toBe('https://code.example/kubekata/blob/main/solutions/store.ts');
    expect(resolve({ ...links(), repository: undefined }, start, '../../solutions/store.ts')).toBeUndefined();
  });

  it('to nothing stops the build', () => {
    expect(() => resolve(links(), start, '../nothing.md')).toThrow('docs/pages/start-here.md links to ../nothing.md');
    expect(() => resolve(links(), start, '../../chapters/chapter1-etcd/README.md#16-leases')).toThrow('no such heading');
  });

  it('is relative, so that the site works in any folder', () => {
    expect(relative('chapter1-etcd/1.1.html', 'chapter2-api-server/2.1.html#predict')).toBe('../chapter2-api-server/2.1.html#predict');
    expect(relative('chapter1-etcd/1.1.html', 'chapter1-etcd/1.1.html')).toBe('1.1.html');
  });
});

describe('a text', () => {
  it('is split at its headings, not at what looks like one in a code block', () => {
    const sections = splitByHeading('above\n## One\n```\n## no heading\n```\n### deeper\n## Two\n');
    expect(sections.map(({ heading }) => heading)).toEqual(['', 'One', 'Two']);
  });
});

describe('the watch loop’s progress', () => {
  it('names the stages whose tests are all green', () => {
    const file = { stages: { '1.1': { passed: 8, total: 8 }, '1.2': { passed: 3, total: 9 }, '1.3': { passed: 0, total: 0 } } };
    expect(greenStages(JSON.stringify(file))).toEqual(['1.1']);
  });

  it('is empty while the file is being written', () => {
    expect(greenStages('{ "stages": {')).toEqual([]);
  });
});
