// npm run test:clients -- [flags] [-- jest's own arguments]
// The tests that real clients drive, once more with other versions of them: each kubectl that is named meets the kubectl tests, each Helm
// installs, upgrades and removes a chart. It tells at its end which of them got through.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runCommand, UsageError } from '#cluster/flags';

const usage = `npm run test:clients -- [flags] [-- jest arguments]
  --kubectl PATH       a kubectl; may be given again for another. Absent: the one on the PATH
  --helm PATH          a Helm; may be given again for another. Absent: the one on the PATH
  --only kubectl|helm  leaves the other out`;

type Kind = 'kubectl' | 'helm';

interface Client {
  kind: Kind;
  program: string;
  /** `kubectl v1.32.5` */
  name: string;
  run: string[];
}

const kubectlTests = [
  '2.8-kubectl-speaks',
  'cluster/(kubectl-api|kubectl-session|custom-kinds|certificate-requests|eviction|exec|port-forward)\\.test',
];

const remedies: Record<Kind, string> = {
  kubectl: 'Name one with --kubectl PATH, or install it: https://kubernetes.io/docs/tasks/tools/',
  helm: 'Name one with --helm PATH, install it (https://helm.sh/docs/intro/install/), or leave it out with `--only kubectl`.',
};

await runCommand(async () => {
  const { clients, jest } = readArguments(process.argv.slice(2));
  const folder = mkdtempSync(join(tmpdir(), 'kubekata-clients-'));
  try {
    return testAll(clients, folder, jest);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

function testAll(clients: Client[], folder: string, jest: string[]): number {
  const outcomes = clients.map((client, index) => {
    process.stdout.write(`\n${client.name}: ${client.program}\n`);
    return { ...client, code: runTests(client, join(folder, `${index}`), jest) };
  });
  process.stdout.write(`\n${outcomes.map(({ name, code }) => `${name}  ${code === 0 ? 'passed' : 'failed'}`).join('\n')}\n`);
  return outcomes.every(({ code }) => code === 0) ? 0 : 1;
}

/** Every client is asked for its version before the first test runs: a path that is wrong should not be told an hour later. */
function readArguments(args: string[]): { clients: Client[]; jest: string[] } {
  const end = args.includes('--') ? args.indexOf('--') : args.length;
  const paths = { type: 'string', multiple: true } as const;
  const { values } = parse(args.slice(0, end), { kubectl: paths, helm: paths, only: { type: 'string' } });
  if (values.only && !(values.only in remedies)) throw new UsageError(`--only is "${values.only}": it must be kubectl or helm.\n${usage}`);
  const wanted = (kind: Kind) => (values.only && values.only !== kind ? [] : (values[kind] ?? [kind]));
  const kubectls = wanted('kubectl').map((program) => ({
    kind: 'kubectl' as const,
    program,
    name: `kubectl ${versionOf('kubectl', program, ['version', '--client', '-o', 'json'])}`,
    run: ['--selectProjects', 'chapter2-api-server', 'cluster', '--testPathPatterns', ...kubectlTests],
  }));
  const helms = wanted('helm').map((program) => ({
    kind: 'helm' as const,
    program,
    name: `helm ${versionOf('helm', program, ['version', '--short'])}`,
    run: ['--selectProjects', 'helm'],
  }));
  return { clients: [...kubectls, ...helms], jest: args.slice(end + 1) };
}

function parse<T extends NonNullable<Parameters<typeof parseArgs>[0]>['options']>(args: string[], options: T) {
  try {
    return parseArgs({ args, options, strict: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}.\n${usage}`);
  }
}

function versionOf(kind: Kind, program: string, question: string[]): string {
  const { error, stdout, status } = spawnSync(program, question, { encoding: 'utf8' });
  const [version] = /v\d+\.\d+\.\d+/.exec(stdout ?? '') ?? [];
  if (error) throw new UsageError(`There is no \`${program}\`. ${remedies[kind]}`);
  if (status !== 0 || !version) throw new UsageError(`\`${program}\` does not say which ${kind} it is. ${remedies[kind]}`);
  return version;
}

/** Under its usual name: a kubectl signs what it changes with the name that it was called by. */
function runTests({ kind, program, run }: Client, folder: string, jest: string[]): number {
  mkdirSync(folder);
  const named = join(folder, kind);
  symlinkSync(program.includes('/') ? resolve(program) : onPath(program), named);
  const args = ['node_modules/jest/bin/jest.js', '--config', 'jest.solutions.config.ts', ...run, ...jest];
  const env = { ...process.env, [kind === 'helm' ? 'KATA_HELM' : 'KATA_KUBECTL']: named };
  return spawnSync(process.execPath, args, { stdio: 'inherit', env }).status ?? 1;
}

/** It was there a moment ago, when it said its version. */
function onPath(program: string): string {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path)) ?? program;
}
