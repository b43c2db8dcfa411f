import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { givenModules } from './given-modules.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubekata-given-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (name: string) => join(folder, name);
const write = (files: Record<string, string>) => {
  for (const [name, text] of Object.entries(files)) writeFileSync(path(name), text);
};
const given = (test: string, ...changing: string[]) => givenModules({ '^#kit/(.*)$': '/kit/$1.ts' }, path(test), changing.map(path));

describe('what a test loads before a save', () => {
  it('is all but the files that will be saved and what imports them, however far away; what is imported comes first', () => {
    write({
      'a.test.ts': "import { queue } from './queue.ts';\nimport { far } from './far.ts';\nimport 'yaml';",
      'far.ts': "import { near } from './near.ts';",
      'near.ts': "export { mine } from './mine.ts';",
      'mine.ts': "import { log } from './log.ts';",
      'queue.ts': "import { log } from './log.ts';\nimport { join } from 'node:path';",
      'log.ts': "import type { Mine } from './mine.ts';",
    });
    expect(given('a.test.ts', 'mine.ts')).toEqual([path('log.ts'), path('queue.ts'), 'yaml']);
    expect(given('a.test.ts', 'mine.ts', 'log.ts')).toEqual(['yaml']);
  });

  it('leaves out a circle of imports as a whole', () => {
    write({
      'a.test.ts': "import { one } from './one.ts';",
      'one.ts': "import { two } from './two.ts';\nimport { mine } from './mine.ts';",
      'two.ts': "import { one } from './one.ts';",
      'mine.ts': '',
    });
    expect(given('a.test.ts', 'mine.ts')).toEqual([]);
  });
});
