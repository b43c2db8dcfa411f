// What tells whether a chapter's code is still what was tested: a digest of the learner's files.

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readFiles } from './starters.ts';

/** @param chapter `chapter4-scheduler`; @returns twelve hexadecimal digits */
export function fingerprintOf(root: string, chapter: string): string {
  const hash = createHash('sha256');
  for (const [path, content] of readFiles(join(root, 'chapters', chapter, 'src')))
    hash.update(`${path}\0${content.length}\0`).update(content);
  return hash.digest('hex').slice(0, 12);
}
