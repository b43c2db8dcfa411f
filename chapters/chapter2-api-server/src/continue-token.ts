// Long lists come in pages. The token that leads to the next page says which moment the list shows and where it goes on, so
// all pages together are one consistent list, and the server remembers nothing between them.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/storage/continue.go

import { NotImplemented } from '#kit/not-implemented';
import { badRequest } from './errors.ts';
import { isObject } from './json.ts';

export interface ContinueToken {
  /** The revision that the first page was read at; -1: the latest, whatever came in between. */
  revision: number;
  /** The last key that was shown, without the prefix of the list. */
  after: string;
}

/** Packs a token into one word of URL-safe characters. To clients it is opaque: only `readContinueToken` looks inside. */
export function writeContinueToken({ revision, after }: ContinueToken): string {
  throw new NotImplemented('2.2', 'Pack revision and last key into one opaque, URL-safe word');
}

/** The inverse. Throws BadRequest `continue key is not valid: …` for a word that is no token. */
export function readContinueToken(word: string): ContinueToken {
  throw new NotImplemented('2.2', 'Unpack a token, and refuse a word that is none');
}
