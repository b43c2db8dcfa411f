// Long lists come in pages. The token that leads to the next page says which moment the list shows and where it goes on, so
// all pages together are one consistent list, and the server remembers nothing between them.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/storage/continue.go

import { badRequest } from './errors.ts';
import { isObject } from './json.ts';

export interface ContinueToken {
  /** The revision that the first page was read at; -1: the latest, whatever came in between. */
  revision: number;
  /** The last key that was shown, without the prefix of the list. */
  after: string;
}

/**
 * Packs a token into one word of URL-safe characters. To clients it is opaque: only `readContinueToken` looks inside.
 *
 * @exercise 2.2 Pack revision and last key into one opaque, URL-safe word
 */
export function writeContinueToken({ revision, after }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: after })).toString('base64url');
}

/**
 * The inverse. Throws BadRequest `continue key is not valid: …` for a word that is no token.
 *
 * @exercise 2.2 Unpack a token, and refuse a word that is none
 */
export function readContinueToken(word: string): ContinueToken {
  const { v, rv, start } = parse(Buffer.from(word, 'base64url').toString('utf8'));
  if (v !== 'meta.k8s.io/v1' || typeof rv !== 'number' || !Number.isInteger(rv) || typeof start !== 'string' || !isPlainPath(start)) {
    throw badRequest('continue key is not valid: it is no token that this server gave');
  }
  return { revision: rv, after: start };
}

/**
 * No way out of the list: no `..`, nothing empty.
 *
 * @solution
 */
function isPlainPath(key: string): boolean {
  return key
    .replace(/^\//, '')
    .split('/')
    .every((part) => !['', '.', '..'].includes(part));
}

/** @solution */
function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
