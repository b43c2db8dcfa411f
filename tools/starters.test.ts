import { describe, expect, it } from '@jest/globals';
import { toStarter } from './starter.ts';

const stages = new Set(['4.1', '4.2']);
const starter = (source: string, options = {}) => toStarter(source, { file: 'fit.ts', stages, ...options });
const problem = (source: string) => starter(source).problems.map(({ file, line, message }) => `${file}:${line}: ${message}`);

describe('starters', () => {
  it('keeps signature and doc of an exercise and takes its body', () => {
    const { text, problems } = starter(`// The fit.

import { sum } from './sum.ts';

/**
 * Whether the pod's requests fit.
 *
 * @param free in millicores
 * @exercise 4.2 Say whether the pod fits
 */
export function fits(free: number, requests: number[]): boolean {
  // the secret
  return sum(requests) <= free;
}
`);
    expect(problems).toEqual([]);
    expect(text).toBe(`// The fit.

import { NotImplemented } from '#kit/not-implemented';
import { sum } from './sum.ts';

/**
 * Whether the pod's requests fit.
 *
 * @param free in millicores
 */
export function fits(free: number, requests: number[]): boolean {
throw new NotImplemented('4.2', 'Say whether the pod fits');
}
`);
  });

  it('takes the bodies of methods, generators and accessors', () => {
    const { text } = starter(`class Queue {
  /** @exercise 4.1 Give the next key */
  async *#keys(): AsyncGenerator<string> {
    yield 'a';
  }

  /**
   * How many.
   * @exercise 4.1 Count
   */
  get length(): number {
    return 1;
  }
}
`);
    expect(text).toContain(`  /** Give the next key */
  async *#keys(): AsyncGenerator<string> {
throw new NotImplemented('4.1', 'Give the next key');
}`);
    expect(text).toContain(`  /** How many. */
  get length(): number {
throw`);
  });

  it('takes a @solution away with its doc, and leaves one blank line', () => {
    const { text, removed } = starter(`const a = 1;

/**
 * Private.
 * @solution
 */
export function helper() {
  return a;
}

/** @solution */
const table = { /** @exercise 9.9 never read */ };

const b = 2;
`);
    expect(text).toBe('const a = 1;\n\nconst b = 2;\n');
    expect(removed).toEqual(['helper', 'table']);
  });

  it('takes imports and re-exports of a @solution away', () => {
    const isRemoved = (specifier: string, name: string) => specifier === './heap.ts' && name !== 'Order';
    const { text } = starter(
      `import { Heap, type Order } from './heap.ts';
import { push as add } from './heap.ts';
export { pop } from './heap.ts';
export { pop as other } from './list.ts';
const a = 1;
`,
      { isRemoved },
    );
    expect(text).toBe(`import { type Order } from './heap.ts';
export { pop as other } from './list.ts';
const a = 1;
`);
  });

  it('escapes quotes in the task', () => {
    expect(starter(`/** @exercise 4.1 Don't\\go */\nfunction a(): void {}`).text).toContain(`NotImplemented('4.1', 'Don\\'t\\\\go')`);
  });

  it('changes nothing in a file without tags', () => {
    const source = `import { a } from './a.ts';\n\n// a comment\nexport const   b = a;\n`;
    expect(starter(source).text).toBe(source);
  });

  it.each([
    [
      'an arrow function',
      '\n/** @exercise 4.1 Bind */\nconst bind = (): void => {};',
      'fit.ts:2: @exercise works on a function declaration',
    ],
    ['a constructor', 'class A {\n  /** @exercise 4.1 Build */\n  constructor() {}\n}', 'fit.ts:2: @exercise on a constructor'],
    [
      'a signature',
      '/** @exercise 4.1 Bind */\nfunction a(b: string): void;\nfunction a(b: unknown): void {}',
      'fit.ts:1: @exercise on a signature',
    ],
    [
      'an inferred return type',
      '/** @exercise 4.1 Bind */\nfunction a() {\n  return 1;\n}',
      'fit.ts:1: @exercise needs a written return type',
    ],
    ['an unknown stage', '/** @exercise 5.1 Bind */\nfunction a(): void {}', 'fit.ts:1: there is no stage 5.1 in this chapter'],
    ['a missing task', '/** @exercise 4.1 */\nfunction a(): void {}', 'fit.ts:1: @exercise needs a stage and a task'],
    [
      'two tags',
      '/**\n * @exercise 4.1 Bind\n * @exercise 4.2 Fit\n */\nfunction a(): void {}',
      'fit.ts:3: @exercise and @exercise on one',
    ],
    [
      'a task of two lines',
      '/**\n * @exercise 4.1 Bind\n *   the pod\n */\nfunction a(): void {}',
      'fit.ts:2: the task goes on in the next line',
    ],
    ['a tag in an ordinary comment', 'const a = 1;\n// @solution\nconst b = 2;', 'fit.ts:2: this tag belongs to no declaration'],
    [
      'a tag in the middle of a line',
      '/** Binds. @exercise 4.1 Bind */\nfunction a(): void {}',
      'fit.ts:1: this tag belongs to no declaration',
    ],
  ])('refuses %s', (_, source, message) => {
    expect(problem(source)).toEqual([expect.stringContaining(message)]);
  });
});
