import { describe, expect, it } from '@jest/globals';
import { functionsOf } from './diff.ts';
import { ofStage } from './exercises.ts';
import { withFunctions } from './reset.ts';

const solution = `import { plus } from './plus.ts';

/**
 * Adds up.
 * @exercise 4.2 Add up
 */
export function sum(values: number[]): number {
  return values.reduce(together, 0);
}

/** @solution */
function together(a: number, b: number): number {
  return plus(a, b);
}

/** @solution */
function ofAnotherStage(): void {}

export class Queue {
  /** @exercise 4.3 Add */
  add(): void {
    ofAnotherStage();
  }

  /** @exercise 4.2 Take one */
  take(): void {
    sum([]);
  }
}
`;
const starter = `import { NotImplemented } from '#kit/not-implemented';
import { plus } from './plus.ts';

/** Adds up. */
export function sum(values: number[]): number {
  throw new NotImplemented('4.2', 'Add up');
}

export class Queue {
  /** Add */
  add(): void {
    throw new NotImplemented('4.3', 'Add');
  }

  /** Take one */
  take(): void {
    throw new NotImplemented('4.2', 'Take one');
  }
}
`;
const mine = `import { plus } from './plus.ts';

/** My words. */
export function sum(values: number[]): number {
  return myHelper(values);
}

export class Queue {
  add(): void {
    // My work of 4.3.
  }

  /** Take one */
  take(): void {
    sum([1]);
  }
}

function myHelper(values: number[]): number {
  return plus(...values);
}
`;

describe("a stage's functions", () => {
  it('are those with its id, and the helpers that they use', () => {
    expect(ofStage(solution, '4.2').map(({ name }) => name)).toEqual(['sum', 'together', 'Queue.take']);
    expect(ofStage(solution, '4.3').map(({ name }) => name)).toEqual(['ofAnotherStage', 'Queue.add']);
    expect(ofStage(solution, '4.20')).toEqual([]);
  });

  it('stand beside each other in the diff, without docs and at the margin', () => {
    const { yours, reference } = functionsOf(mine, solution, '4.2');
    expect(yours).toBe(
      'export function sum(values: number[]): number {\n  return myHelper(values);\n}\n\ntake(): void {\n  sum([1]);\n}\n',
    );
    expect(reference).toContain('function together');
    expect(reference).not.toMatch(/@exercise|ofAnotherStage/);
  });

  it('go back to the starter, and nothing else does', () => {
    const back = withFunctions('queue.ts', mine, starter, ['sum', 'Queue.take'], { id: '4.2' });
    expect(back).toContain(
      "/** Adds up. */\nexport function sum(values: number[]): number {\n  throw new NotImplemented('4.2', 'Add up');\n}\n",
    );
    expect(back).toContain("  /** Take one */\n  take(): void {\n    throw new NotImplemented('4.2', 'Take one');\n  }\n}\n");
    expect(back).toContain('// My work of 4.3.');
    expect(back).toContain('function myHelper');
    expect(back).toContain("import { NotImplemented } from '#kit/not-implemented';\n");
    expect(withFunctions('queue.ts', back, starter, ['sum', 'Queue.take'], { id: '4.2' })).toBe(back);
  });

  it('are not guessed at where the file cannot be read', () => {
    const reset = (text: string) => () => withFunctions('queue.ts', text, starter, ['sum'], { id: '4.2' });
    expect(reset(mine.replace('return myHelper(values);', 'return ((;'))).toThrow(/queue\.ts:5: .*\n.*\nNothing was changed.*--files/);
    expect(reset(mine.replaceAll('sum(', 'total('))).toThrow(/queue\.ts has no sum any more.\nNothing was changed/);
  });
});
