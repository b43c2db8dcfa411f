// `npm run bench`: measures what the README and the docs quote, and prints it as a table with the goals. `npm run bench -- etcd` measures
// that part alone; `--rounds 9` runs each measurement so often, `--quick` only looks whether all of it works.

import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { readFlags, runCommand, UsageError, wholeNumber } from '#cluster/flags';
import { benchApiServer } from './api-server.ts';
import { benchCluster } from './cluster.ts';
import { benchEtcd } from './etcd.ts';
import { type Row, table } from './statistics.ts';
import { benchTests } from './tests.ts';

const flags = {
  rounds: { description: 'runs of each measurement; the median is quoted', default: '' },
  'api-server': { description: 'the real kube-apiserver to compare with; the one on the PATH by default', default: 'kube-apiserver' },
  quick: { description: 'little data and one run: the figures mean little', default: false as const },
};

interface Part {
  rounds: number;
  run: (rounds: number, quick: boolean, apiServer: string) => Promise<Row[]>;
  /** Says what is missing to compare with; absent: nothing is needed. */
  missing?: (apiServer: string) => string | undefined;
}

const parts: Record<string, Part> = {
  tests: { rounds: 5, run: benchTests },
  cluster: { rounds: 5, run: benchCluster },
  etcd: {
    rounds: 3,
    run: (rounds, quick) => benchEtcd({ rounds, quick }),
    missing: () =>
      isThere('etcd') ? undefined : 'There is no `etcd` on the PATH to compare with. Debian and Ubuntu have it in the package etcd-server.',
  },
  'api-server': {
    rounds: 3,
    run: (rounds, quick, program) => benchApiServer({ rounds, quick, program }),
    missing: (program) =>
      isThere(program)
        ? undefined
        : `There is no \`${program}\` to compare with. Name it with --api-server PATH. It is part of every Kubernetes release: https://kubernetes.io/releases/download/`,
  },
};

await runCommand(async () => {
  const args = process.argv.slice(2);
  const names = args.filter((arg) => arg in parts);
  const values = readFlags(
    `npm run bench -- [${Object.keys(parts).join(' | ')}] [flags]`,
    flags,
    args.filter((arg) => !names.includes(arg)),
  );
  const missing = (name: string) => parts[name]?.missing?.(values['api-server']);
  const chosen = names.length > 0 ? names : Object.keys(parts).filter((name) => !missing(name));
  for (const name of chosen) {
    const what = missing(name);
    if (what) throw new UsageError(what);
  }
  process.stdout.write(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}\n`);
  for (const name of chosen) {
    const part = parts[name] as Part;
    const rounds = wholeNumber('rounds', values.rounds || String(values.quick ? 1 : part.rounds), { min: 1, max: 100 });
    const rows = await part.run(rounds, values.quick, values['api-server']);
    process.stdout.write(`\n${name}: median (lowest–highest) of ${rounds} runs\n\n${table(rows)}\n`);
  }
  return 0;
});

function isThere(program: string): boolean {
  return !spawnSync(program, ['--version']).error;
}
