// `npm run test:upstream -- control-plane`: tests/upstream, with the programs of a Kubernetes release that are named or on the PATH.

import { spawnSync } from 'node:child_process';
import { UsageError } from '#cluster/flags';

/** The flag that names a program, and the variable that tells the tests. */
const programs = {
  'api-server': { program: 'kube-apiserver', variable: 'KATA_UPSTREAM_API_SERVER' },
  'controller-manager': { program: 'kube-controller-manager', variable: 'KATA_UPSTREAM_CONTROLLER_MANAGER' },
  scheduler: { program: 'kube-scheduler', variable: 'KATA_UPSTREAM_SCHEDULER' },
} as const;

type Name = keyof typeof programs;
type Chosen = Partial<Record<Name, string | undefined>>;

const remedy = 'It is part of every Kubernetes release: https://kubernetes.io/releases/download/';

/** The environment that tests/upstream runs in. @throws UsageError when there is no such program */
export function controlPlaneEnvironment(named: Chosen): Record<string, string> {
  const names = Object.keys(programs) as Name[];
  const chosen = names.some((name) => named[name]) ? named : onPath();
  const environment: Record<string, string> = {};
  for (const name of names) {
    const program = chosen[name];
    if (!program) continue;
    const version = versionOf(program);
    if (!version) throw new UsageError(`There is no \`${program}\`. ${remedy}`);
    process.stdout.write(`the real ${programs[name].program}, ${version}\n`);
    environment[programs[name].variable] = program;
  }
  return environment;
}

/** Not the API server: where it is not named, ours is to be tested. */
function onPath(): Chosen {
  const names = ['controller-manager', 'scheduler'] as const;
  const found = names.filter((name) => versionOf(programs[name].program));
  if (found.length === 0) {
    throw new UsageError(`There is neither a kube-controller-manager nor a kube-scheduler on the PATH. Name them with flags. ${remedy}`);
  }
  return Object.fromEntries(found.map((name) => [name, programs[name].program]));
}

function versionOf(program: string): string | undefined {
  const { error, stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return error ? undefined : stdout.trim();
}
