// npm run test:upstream: the wire tests against the real components, which shows that the tests are right. Today: chapter 1
// against the real etcd, whose program must be on the PATH.

import { spawnSync } from 'node:child_process';

const { error } = spawnSync('etcd', ['--version']);
if (error) {
  console.error(
    'There is no `etcd` on the PATH. Debian and Ubuntu have it in the package etcd-server; others: https://etcd.io/docs/latest/install/',
  );
  process.exit(1);
}
const args = ['node_modules/jest/bin/jest.js', '--config', 'jest.solutions.config.ts', '--selectProjects', 'chapter1-etcd'];
const { status } = spawnSync(process.execPath, [...args, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, KATA_TARGET: 'upstream' },
});
process.exitCode = status ?? 1;
