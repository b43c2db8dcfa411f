// npm run docs:build [-- --out <folder>] [--repository <address>]: writes the site. A text that is wrong (a link to nothing, a
// piece of source that is gone) stops it, with the place.

import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { makeSite } from './site.ts';

/** npm runs its scripts there. */
const root = process.cwd();
const { values } = parseArgs({ options: { out: { type: 'string', default: join(root, 'docs/site') }, repository: { type: 'string' } } });

try {
  const files = await makeSite({ root, repository: values.repository });
  if (existsSync(values.out) && readdirSync(values.out).length > 0 && !existsSync(join(values.out, 'assets/site.css'))) {
    throw new Error(`${values.out} holds something else, and would be emptied: choose another folder`);
  }
  rmSync(values.out, { recursive: true, force: true });
  for (const [path, content] of files) {
    mkdirSync(dirname(join(values.out, path)), { recursive: true });
    writeFileSync(join(values.out, path), content);
  }
  const pages = [...files.keys()].filter((path) => path.endsWith('.html')).length;
  console.log(`✓ ${pages} pages in ${relative('.', values.out) || '.'} (${(performance.now() / 1000).toFixed(1)} s). Open its index.html.`);
} catch (error) {
  console.error(`✗ The site was not built: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
