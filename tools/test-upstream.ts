// npm run test:upstream -- [chapter1|chapter2|control-plane] [flags] [-- jest's own arguments]
// The wire tests, the very same files, against the real component: what it does not do, no test may ask for. Chapter 1's stages 1.1 to
// 1.7 against the real etcd, in containers where there is Docker, else from the program on the PATH. Chapter 2's against the real
// kube-apiserver on our etcd; with --only-etcd our API server runs on the real etcd. And the other way about, control-plane: the real
// kube-controller-manager and kube-scheduler against our API server on our etcd, and the real kube-apiserver through our etcd's troubles.

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
import { controlPlaneEnvironment } from './test-control-plane.ts';

const usage = `npm run test:upstream -- [chapter1|chapter2|control-plane] [flags] [-- jest arguments]
  --from image|path   where the real etcd comes from
  --image NAME        which image
  --api-server PATH   chapter2: the real kube-apiserver; the one on the PATH when absent
                      control-plane: the same in the place of ours, to see whether the tests are right; ours when absent
  --only-etcd         chapter2: our API server on the real etcd
  --controller-manager PATH, --scheduler PATH
                      control-plane: the real ones; when neither is named, those on the PATH`;

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

/** Each test file starts its own, and they take their time. */
const patience = ['--testTimeout', '120000'];

interface Run {
  chapter: Chapter;
  environment: Record<string, string>;
  /** jest's own arguments */
  jest: string[];
}

await runCommand(async () => {
  const { name, values, jest } = readArguments(process.argv.slice(2));
  if (name === 'control-plane') return startJest(['--selectProjects', 'upstream', ...patience, ...jest], controlPlaneEnvironment(values));
  const { from, image, 'only-etcd': onlyEtcd, 'api-server': program = 'kube-apiserver' } = values;
  const run: Run = { chapter: chapterOf(name), environment: {}, jest };
  if (run.chapter === 'chapter2-api-server' && !onlyEtcd) return testApiServer(program, run);
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
    const programs = { 'api-server': text, 'controller-manager': text, scheduler: text } as const;
    const options = { from: text, image: text, 'only-etcd': { type: 'boolean' }, ...programs } as const;
    const { values, positionals } = parseArgs({ args: args.slice(0, end), options, allowPositionals: true });
    const usual = values['controller-manager'] || values.scheduler ? 'control-plane' : 'chapter1';
    const [name = usual, ...more] = positionals;
    if (more.length > 0) throw new Error(`${positionals.join(' ')}: one at a time`);
    if (values.from && !['image', 'path'].includes(values.from)) throw new Error(`--from is "${values.from}": it must be image or path`);
    return { name, values, jest: args.slice(end + 1) };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}.\n${usage}`);
  }
}

function chapterOf(name: string): Chapter {
  const chapter = chapterNamed(name);
  if (chapter in wireTests) return chapter as Chapter;
  throw new UsageError(`${name}: there is a real component for chapter1, chapter2 and control-plane.\n${usage}`);
}

function testApiServer(program: string, run: Run): number {
  const { error, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  if (error) {
    const remedy = 'Name it with --api-server PATH. It is part of every Kubernetes release: https://kubernetes.io/releases/download/';
    throw new UsageError(`There is no \`${program}\`. ${remedy}`);
  }
  process.stdout.write(`the real API server, ${stdout.trim()}, on our etcd\n`);
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
  return startJest(['--selectProjects', chapter, '--testPathPatterns', wireTests[chapter], ...jest], environment);
}

function startJest(args: string[], environment: Record<string, string>): number {
  const whole = ['node_modules/jest/bin/jest.js', '--config', 'jest.solutions.config.ts', ...args];
  return spawnSync(process.execPath, whole, { stdio: 'inherit', env: { ...process.env, ...environment } }).status ?? 1;
}
