// What is wrong with an expression, as everybody knows it from Kubernetes: where it is, what it is, and the line with a mark under the place.
// Kubernetes: cel-go, common/errors.go and checker/errors.go

import { type TypeError as Mismatch, ParseError } from '@marcbachmann/cel-js';

/** The words of cel-go for those of the library; what is not here is said as the library says it. */
const translations: [found: RegExp, said: string][] = [
  [/^No such key: (.+)$/, "undefined field '$1'"],
  [/^Unknown variable: (.+)$/, "undeclared reference to '$1' (in container '')"],
  [/^no such overload: (\S+) (\S+) (\S+)$/, "found no matching overload for '_$2_' applied to '($1, $3)'"],
];

export function complaintAbout(expression: string, error: ParseError | Mismatch): string {
  const at = placeOf(error);
  const before = expression.slice(0, at).split('\n');
  const column = before.at(-1)?.length ?? 0;
  const line = expression.split('\n')[before.length - 1];
  return `ERROR: <input>:${before.length}:${column + 1}: ${wordsOf(error)}\n | ${line}\n | ${'.'.repeat(column)}^`;
}

/** Of a field that there is not, the dot before it. */
function placeOf({ summary, range }: ParseError | Mismatch): number {
  const start = range?.start ?? 0;
  return summary.startsWith('No such key') ? Math.max(start - 1, 0) : start;
}

function wordsOf(error: ParseError | Mismatch): string {
  if (error instanceof ParseError) return `Syntax error: ${error.summary}`;
  return translations.reduce((words, [found, said]) => words.replace(found, said), error.summary);
}
