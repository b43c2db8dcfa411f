import { describe, expect, it } from '@jest/globals';
import { NotImplemented } from '#kit/not-implemented';

describe('NotImplemented', () => {
  it('remembers the first throw, for the harness to report', () => {
    NotImplemented.forget();
    const first = new NotImplemented('3.2', 'Give the next key');
    new NotImplemented('3.1', 'List, then watch');
    expect(NotImplemented.first).toBe(first);
    expect(first.message).toContain('NotImplemented: 3.2 Give the next key');
    NotImplemented.forget();
    expect(NotImplemented.first).toBeUndefined();
  });

  it('names the line to write and the section that explains it', () => {
    const { message } = new NotImplemented('3.2', 'Give the next key');
    NotImplemented.forget();
    expect(message).toMatch(/Write this function: kit\/not-implemented\.test\.ts:\d+\n.*section 3\.2/);
  });
});
