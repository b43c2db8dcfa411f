// The checker judges others, so it is judged first: by histories of which everybody can see what they are.

import { describe, expect, it } from '@jest/globals';
import { check, type Recorded } from './checker.ts';

/** `put x=1 0-5`: called at 0, answered at 5. `get x=1 3-4`, `get x=- 3-4`: found nothing. `put x=1 0-`: never answered. */
function history(...lines: string[]): Recorded[] {
  return lines.map((line, index) => {
    const [, type, key = '', value, called, answered] = /^(put|get) (\w+)=(\w+|-) (\d+)-(\d*)$/.exec(line) ?? [];
    if (!type || !value) throw new Error(`no operation: ${line}`);
    const times = { client: String(index), key, called: Number(called), answered: answered ? Number(answered) : Number.POSITIVE_INFINITY };
    return type === 'put' ? { type, value, ...times } : { type: 'get', value: value === '-' ? undefined : value, ...times };
  });
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
