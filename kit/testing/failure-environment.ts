// The environment that jest runs tests in: when a test fails, its message is followed by where expected and received part, and by
// what went over the wire until then.

import type { Circus } from '@jest/types';
import { TestEnvironment } from 'jest-environment-node';
import { inShort, type Told, transcriptKey } from './transcript.ts';

const charactersALine = 110;

export default class FailureEnvironment extends TestEnvironment {
  async handleTestEvent(event: Circus.Event, _: Circus.State): Promise<void> {
    const transcript = (this.global as unknown as Record<symbol, Told | undefined>)[transcriptKey];
    if (event.name === 'test_start') transcript?.begin();
    if (event.name !== 'test_fn_failure') return;
    const error = event.error as (Error & { matcherResult?: { expected?: unknown; actual?: unknown } }) | undefined;
    if (typeof error?.stack !== 'string' || error.stack.includes('NotImplemented')) return;
    const { expected, actual } = error.matcherResult ?? {};
    const told = [difference(expected, actual), transcript?.story() ?? ''].filter(Boolean);
    if (told.length > 0) error.stack = beforeFrames(error.stack, told.join('\n\n'));
  }
}

/** Both in one line, around where they part, with a caret; nothing when a whole object on each side says no more. */
export function difference(expected: unknown, actual: unknown): string {
  if (typeof expected !== 'object' || typeof actual !== 'object' || expected === null || actual === null) return '';
  const [one, other] = [inShort(expected), inShort(actual)];
  const at = [...one].findIndex((character, index) => character !== other[index]);
  if (one === other || /Asymmetric|function/.test(one)) return '';
  const parting = at < 0 ? one.length : at;
  const from = Math.max(0, parting - charactersALine / 2);
  const piece = (text: string) =>
    `${from > 0 ? '…' : ''}${text.slice(from, from + charactersALine)}${text.length > from + charactersALine ? '…' : ''}`;
  const caret = ' '.repeat(parting - from + (from > 0 ? 1 : 0));
  return `expected  ${piece(one)}\ngot       ${piece(other)}\n          ${caret}^`;
}

/** jest takes for the message what stands before the first frame. */
function beforeFrames(stack: string, text: string): string {
  const at = stack.search(/\n\s+at /);
  return at < 0 ? `${stack}\n\n${text}` : `${stack.slice(0, at)}\n\n${text}${stack.slice(at)}`;
}
