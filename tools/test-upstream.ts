// npm run test:upstream -- [chapter1|chapter2] [flags] [-- jest's own arguments]
// The wire tests, the very same files, against the real component: what it does not do, no test may ask for. Chapter 1's stages 1.1 to
// 1.7 against the real etcd, in containers where there is Docker, else from the program on the PATH. Chapter 2's against the real
// kube-apiserver on our etcd; with --only-etcd our API server runs on the real etcd.

import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import Docker from 'dockerode';
import { runCommand, UsageError } from '#cluster/flags';
import type { ImageRecipe } from '#kit/node/image-recipes';
import { ensureImage } from '#kit/node/images';
import { programWithLibraries } from '#kit/node/machine-files';
import { runLabel } from '#kit/testing/upstream-etcd';
import { chapterNamed } from './chapters.ts';

const usage = `npm run test:upstream -- [chapter1|chapter2] [flags] [-- jest arguments]
  --from image|path   where the real etcd comes from
  --image NAME        which image
  --api-server PATH   chapter2: the real kube-apiserver; the one on the PATH when absent
  --only-etcd         chapter2: our API server on the real etcd`;

/** From this machine's package, or, where there is none, from a registry's Debian. */
const etcdRecipe: ImageRecipe = {
  packages: ['etcd-server'],
  dockerfile: 'FROM debian:12-slim\nRUN apt-get update && apt-get install -y --no-install-recommends etcd-server',
  content: async () => ({ files: await programWithLibraries('etcd'), command: ['etcd'] }),
};
const ownImage = 'kubekata/etcd:1';

const onRealEtcd = { KATA_TARGET: 'upstream' };

/** The stages whose tests speak to the component over its own protocol. */
const wireTests = { 'chapter1-etcd': '/1\\.[1-7]-', 'chapter2-api-server': '/2\\.' };
type Chapter = keyof typeof wireTests;

interface Run {
  chapter: Chapter;
  environment: Record<string, string>;
  /** jest's own arguments */
  jest: string[];
}

await runCommand(async () => {
  const { chapter, from, image, program, onlyEtcd, jest } = readArguments(process.argv.slice(2));
  const run: Run = { chapter, environment: {}, jest };
  if (chapter === 'chapter2-api-server' && !onlyEtcd) return testApiServer(program, run);
  const docker = new Docker();
  const hasDocker = await docker.ping().then(
    () => true,
    () => false,
  );
  if (from === 'path' || (from === undefined && !image && !hasDocker)) return testProgram(run);
  if (!hasDocker) throw new UsageError('Docker does not answer; `--from path` takes the `etcd` of the PATH.');
  return testImage(docker, image ?? ownImage, run);
});

function readArguments(args: string[]) {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  try {
    const text = { type: 'string' } as const;
    const options = { from: text, image: text, 'api-server': text, 'only-etcd': { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args: args.slice(0, end), options, allowPositionals: true });
    const [name = 'chapter1', ...more] = positionals;
    const chapter = chapterNamed(name);
    if (!(chapter in wireTests) || more.length > 0)
      throw new Error(`${positionals.join(' ')}: there is a real component for chapter1 and chapter2`);
    if (values.from && !['image', 'path'].includes(values.from)) throw new Error(`--from is "${values.from}": it must be image or path`);
    const { 'api-server': program = 'kube-apiserver', 'only-etcd': onlyEtcd = false, ...etcd } = values;
    return { ...etcd, chapter: chapter as Chapter, program, onlyEtcd, jest: args.slice(end + 1) };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}.\n${usage}`);
  }
}

function testApiServer(program: string, run: Run): number {
  const { error, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  if (error) {
    const remedy = 'Name it with --api-server PATH. It is part of every Kubernetes release: https://kubernetes.io/releases/download/';
    throw new UsageError(`There is no \`${program}\`. ${remedy}`);
  }
  process.stdout.write(`the real API server, ${stdout.trim()}, on our etcd\n`);
  // Each test file starts one, and it takes its time.
  const patience = ['--testTimeout', '120000'];
  return runTests({ ...run, environment: { KATA_UPSTREAM_API_SERVER: program }, jest: [...patience, ...run.jest] });
}

function testProgram(run: Run): number {
  const { error, stdout } = spawnSync('etcd', ['--version'], { encoding: 'utf8' });
  if (error) {
    const remedy = 'Debian and Ubuntu have it in the package etcd-server; others: https://etcd.io/docs/latest/install/';
    throw new UsageError(`There is no \`etcd\` on the PATH. ${remedy}`);
  }
  process.stdout.write(`the real etcd of the PATH, ${stdout.split('\n')[0]}\n`);
  return runTests({ ...run, environment: onRealEtcd });
}

async function testImage(docker: Docker, image: string, run: Run): Promise<number> {
  await ensureImage(docker, image, image === ownImage ? etcdRecipe : undefined);
  process.stdout.write(`the real etcd in containers of ${image}\n`);
  const id = randomUUID();
  try {
    const reaper = (await hasReaper(docker)) ? {} : { TESTCONTAINERS_RYUK_DISABLED: 'true' };
    return runTests({ ...run, environment: { ...onRealEtcd, KATA_UPSTREAM_IMAGE: image, KATA_UPSTREAM_RUN: id, ...reaper } });
  } finally {
    const left = await docker.listContainers({ all: true, filters: { label: [`${runLabel}=${id}`] } });
    for (const { Id } of left) await docker.getContainer(Id).remove({ force: true });
  }
}

/** testcontainers' own container that clears up behind a run that was killed. Where there is none, this file does it. */
async function hasReaper(docker: Docker): Promise<boolean> {
  const images = await docker.listImages({ filters: { reference: ['testcontainers/ryuk'] } });
  return images.length > 0;
}

function runTests({ chapter, environment, jest }: Run): number {
  const files = ['--selectProjects', chapter, '--testPathPatterns', wireTests[chapter]];
  const args = ['node_modules/jest/bin/jest.js', '--config', 'jest.solutions.config.ts', ...files, ...jest];
  return spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...process.env, ...environment } }).status ?? 1;
}
