// `npm run pictures`: copies docs/pictures.css into every picture. To be run after a change of the style, or for a new picture.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listPictures, sharedStyle, withStyle } from './pictures.ts';

const root = join(import.meta.dirname, '../..');
const style = sharedStyle(root);
let changed = 0;
for (const path of listPictures(root)) {
  const before = readFileSync(join(root, path), 'utf8');
  const after = withStyle(before, style);
  if (after === before) continue;
  writeFileSync(join(root, path), after);
  changed += 1;
}
console.log(`${changed} ${changed === 1 ? 'picture has' : 'pictures have'} got the style of docs/pictures.css.`);
