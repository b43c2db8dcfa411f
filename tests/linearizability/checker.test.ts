// The checker judges others, so it is judged first: by histories of which everybody can see what they are.

import { describe, expect, it } from '@jest/globals';
import { check, type Operation, type Recorded } from './checker.ts';

/**
 * `put x=1 0-5`: called at 0, answered at 5. `get x=1 3-4`, `get x=- 3-4`: found nothing. `put x=1 0-`: never answered.
 * `delete x 0-5`. `replace x=1>2 0-5`: 1 by 2, and it did; with `!` behind, it found something else.
 */
function history(...lines: string[]): Recorded[] {
  return lines.map((line, index) => {
    const [, text = '', called, answered] = /^(.*) (\d+)-(\d*)$/.exec(line) ?? [];
    const { key, operation } = operationOf(text);
    const times = { client: String(index), key, called: Number(called), answered: answered ? Number(answered) : Number.POSITIVE_INFINITY };
    if (operation.type === 'replace' && !answered) return { ...operation, ...times, succeeded: undefined };
    return { ...operation, ...times };
  });
}

function operationOf(text: string): { key: string; operation: Operation } {
  const [, type = '', key = '', expected, value, failed] = /^(\w+) (\w+)(?:=(\w+|-))?(?:>(\w+)(!)?)?$/.exec(text) ?? [];
  const orNothing = (found: string | undefined) => (found === '-' ? undefined : found);
  if (type === 'put' && expected) return { key, operation: { type, value: expected } };
  if (type === 'get' && expected) return { key, operation: { type, value: orNothing(expected) } };
  if (type === 'delete') return { key, operation: { type } };
  if (type === 'replace' && value) return { key, operation: { type, expected: orNothing(expected), value, succeeded: !failed } };
  throw new Error(`no operation: ${text}`);
}

describe('linearizability checker', () => {
  it.each([
    ['nothing at all', []],
    ['a read after a write', ['put x=1 0-1', 'get x=1 2-3']],
    ['a read before any write', ['get x=- 0-1', 'put x=1 2-3']],
    ['a read beside a write that finds it', ['put x=1 0-9', 'get x=1 3-4']],
    ['a read beside a write that does not find it yet', ['put x=1 0-9', 'get x=- 3-4']],
    ['two writes at once, read in either order', ['put x=1 0-9', 'put x=2 0-9', 'get x=1 10-11', 'get x=1 12-13']],
    ['a write that was never answered, and is found', ['put x=1 0-', 'get x=1 5-6']],
    ['a write that was never answered, and is never found', ['put x=1 0-', 'get x=- 5-6']],
    ['a write that was never answered, and is carried out late', ['put x=1 0-', 'put x=2 1-2', 'get x=2 3-4', 'get x=1 5-6']],
    ['keys that have nothing to do with each other', ['put x=1 0-1', 'put y=2 0-1', 'get y=2 2-3', 'get x=1 2-3']],
    ['an answer at the very moment of a call', ['put x=1 0-5', 'get x=- 5-6']],
    ['a delete', ['put x=1 0-1', 'delete x 2-3', 'get x=- 4-5']],
    ['a delete that was never answered, and comes late', ['put x=1 0-1', 'delete x 2-', 'get x=1 3-4', 'get x=- 5-6']],
    ['a value replaced by one of two who tried', ['put x=1 0-1', 'replace x=1>2 2-9', 'replace x=1>3! 2-9', 'get x=2 10-11']],
    ['a replacement that was never answered, and found nothing to replace', ['replace x=1>2 0-', 'put x=1 5-6', 'get x=1 7-8']],
    ['a key made by who expected none', ['replace x=->1 0-1', 'get x=1 2-3']],
  ])('finds good: %s', (_, lines) => {
    expect(check(history(...lines))).toEqual({ linearizable: true });
  });

  it.each([
    ['a read that has forgotten an acknowledged write', ['put x=1 0-1', 'get x=- 2-3']],
    ['a read of an old value', ['put x=1 0-1', 'put x=2 2-3', 'get x=1 4-5']],
    ['a read that finds what nobody wrote', ['put x=1 0-1', 'get x=7 2-3']],
    ['a read of what is written only later', ['get x=1 0-1', 'put x=1 2-3']],
    ['reads that go back in time', ['put x=1 0-9', 'get x=1 1-2', 'get x=- 3-4']],
    ['two readers who see two writes in different orders', ['put x=1 0-1', 'put x=2 0-1', 'get x=1 2-3', 'get x=2 4-5', 'get x=1 6-7']],
    ['a deleted value that comes back', ['put x=1 0-1', 'delete x 2-3', 'get x=1 4-5']],
    ['a value replaced by both who tried', ['put x=1 0-1', 'replace x=1>2 2-9', 'replace x=1>3 2-9']],
    ['a replacement that failed although nobody was in its way', ['put x=1 0-1', 'replace x=1>2! 2-3']],
    ['a replacement that was never answered, and wrote over something else', ['put x=1 0-1', 'replace x=7>2 2-', 'get x=2 3-4']],
    ['one bad key among good ones', ['put y=1 0-1', 'get y=1 2-3', 'put x=1 0-1', 'get x=- 2-3']],
  ])('finds bad: %s', (_, lines) => {
    expect(check(history(...lines)).linearizable).toBe(false);
  });

  it('names the key, and shows its part of the history', () => {
    const verdict = check(history('put y=1 0-1', 'put x=1 0-1', 'get x=- 2-3'));
    expect(verdict).toMatchObject({ linearizable: false, key: 'x', history: [{ type: 'put' }, { type: 'get' }] });
  });

  it('judges a long history with many clients in a moment', () => {
    const lines = Array.from({ length: 300 }, (_, turn) => [
      `put x=${turn} ${turn * 10}-${turn * 10 + 14}`,
      `get x=${turn} ${turn * 10 + 5}-${turn * 10 + 9}`,
    ]);
    expect(check(history(...lines.flat())).linearizable).toBe(true);
  });
});
