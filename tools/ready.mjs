// Loaded before every command of package.json (`node --import`): where packages are missing, a command ends here, with a sentence
// and not with a stack trace. Plain JavaScript for Node 20 or newer and no package.

import { existsSync } from 'node:fs';

const packages = new URL('../node_modules/', import.meta.url);
const wanted = ['.package-lock.json', process.platform === 'win32' ? 'node/bin/node.exe' : 'node/bin/node'];

if (!wanted.every((path) => existsSync(new URL(path, packages)))) {
  const { nodeProblem, packagesProblem } = await import('./machine.mjs');
  const [what, remedy] = nodeProblem() ?? packagesProblem();
  process.stderr.write(`${what[0].toUpperCase()}${what.slice(1)}. ${remedy}\n`);
  process.exit(1);
}
