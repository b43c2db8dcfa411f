// npm run test:upstream -- [chapter1] [--from image|path] [--image NAME] [-- jest's own arguments]
// The wire tests, the very same files, against the real component: what it does not do, no test may ask for. Today: chapter 1's
// stages 1.1 to 1.7 against the real etcd, in containers where there is Docker, else from the program on the PATH.

import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import Docker from 'dockerode';
import { runCommand, UsageError } from '#cluster/flags';
import type { ImageRecipe } from '#kit/node/image-recipes';
import { ensureImage } from '#kit/node/images';
import { programWithLibraries } from '#kit/node/machine-files';
import { runLabel } from '#kit/testing/upstream-etcd';

const usage = 'npm run test:upstream -- [chapter1] [--from image|path] [--image NAME] [-- jest arguments]';

/** From this machine's package, or, where there is none, from a registry's Debian. */
const etcdRecipe: ImageRecipe = {
  packages: ['etcd-server'],
  dockerfile: 'FROM debian:12-slim\nRUN apt-get update && apt-get install -y --no-install-recommends etcd-server',
  content: async () => ({ files: await programWithLibraries('etcd'), command: ['etcd'] }),
};
const ownImage = 'kubekata/etcd:1';

await runCommand(async () => {
  const { from, image, jest } = readArguments(process.argv.slice(2));
  const docker = new Docker();
  const hasDocker = await docker.ping().then(
    () => true,
    () => false,
  );
  if (from === 'path' || (from === undefined && !image && !hasDocker)) return testProgram(jest);
  if (!hasDocker) throw new UsageError('Docker does not answer; `--from path` takes the `etcd` of the PATH.');
  return testImage(docker, image ?? ownImage, jest);
});

function readArguments(args: string[]) {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  try {
    const options = { from: { type: 'string' }, image: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({ args: args.slice(0, end), options, allowPositionals: true });
    const [chapter = 'chapter1', ...more] = positionals;
    if (more.length > 0 || !chapter.startsWith('chapter1')) throw new Error('Only chapter1 has a real component to test against yet');
    if (values.from && !['image', 'path'].includes(values.from)) throw new Error(`--from is "${values.from}": it must be image or path`);
    return { ...values, jest: args.slice(end + 1) };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}.\n${usage}`);
  }
}

function testProgram(jest: string[]): number {
  const { error, stdout } = spawnSync('etcd', ['--version'], { encoding: 'utf8' });
  if (error) {
    const remedy = 'Debian and Ubuntu have it in the package etcd-server; others: https://etcd.io/docs/latest/install/';
    throw new UsageError(`There is no \`etcd\` on the PATH. ${remedy}`);
  }
  process.stdout.write(`the real etcd of the PATH, ${stdout.split('\n')[0]}\n`);
  return runTests({}, jest);
}

async function testImage(docker: Docker, image: string, jest: string[]): Promise<number> {
  await ensureImage(docker, image, image === ownImage ? etcdRecipe : undefined);
  process.stdout.write(`the real etcd in containers of ${image}\n`);
  const run = randomUUID();
  try {
    const reaper = (await hasReaper(docker)) ? {} : { TESTCONTAINERS_RYUK_DISABLED: 'true' };
    return runTests({ KATA_UPSTREAM_IMAGE: image, KATA_UPSTREAM_RUN: run, ...reaper }, jest);
  } finally {
    const left = await docker.listContainers({ all: true, filters: { label: [`${runLabel}=${run}`] } });
    for (const { Id } of left) await docker.getContainer(Id).remove({ force: true });
  }
}

/** testcontainers' own container that clears up behind a run that was killed. Where there is none, this file does it. */
async function hasReaper(docker: Docker): Promise<boolean> {
  const images = await docker.listImages({ filters: { reference: ['testcontainers/ryuk'] } });
  return images.length > 0;
}

function runTests(environment: Record<string, string>, jest: string[]): number {
  const wireTests = ['--selectProjects', 'chapter1-etcd', '--testPathPatterns', '/1\\.[1-7]-'];
  const args = ['node_modules/jest/bin/jest.js', '--config', 'jest.solutions.config.ts', ...wireTests, ...jest];
  const env = { ...process.env, ...environment, KATA_TARGET: 'upstream' };
  return spawnSync(process.execPath, args, { stdio: 'inherit', env }).status ?? 1;
}
