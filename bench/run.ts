// `npm run bench`: measures what the README and the docs quote, and prints it as a table with the goals. `npm run bench -- etcd` measures
// that part alone; `--rounds 9` runs each measurement so often, `--quick` only looks whether all of it works.

import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { readFlags, runCommand, UsageError, wholeNumber } from '#cluster/flags';
import { benchCluster } from './cluster.ts';
import { benchEtcd } from './etcd.ts';
import { type Row, table } from './statistics.ts';
import { benchTests } from './tests.ts';

const flags = {
  rounds: { description: 'runs of each measurement; the median is quoted', default: '' },
  quick: { description: 'little data and one run: the figures mean little', default: false as const },
};

interface Part {
  rounds: number;
  run: (rounds: number, quick: boolean) => Promise<Row[]>;
}

const parts: Record<string, Part> = {
  tests: { rounds: 5, run: benchTests },
  cluster: { rounds: 5, run: benchCluster },
  etcd: { rounds: 3, run: (rounds, quick) => benchEtcd({ rounds, quick }) },
};

await runCommand(async () => {
  const args = process.argv.slice(2);
  const names = args.filter((arg) => arg in parts);
  const values = readFlags(
    `npm run bench -- [${Object.keys(parts).join(' | ')}] [flags]`,
    flags,
    args.filter((arg) => !names.includes(arg)),
  );
  const chosen = names.length > 0 ? names : Object.keys(parts).filter((name) => name !== 'etcd' || hasRealEtcd());
  if (chosen.includes('etcd') && !hasRealEtcd()) {
    throw new UsageError('There is no `etcd` on the PATH to compare with. Debian and Ubuntu have it in the package etcd-server.');
  }
  process.stdout.write(`${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}\n`);
  for (const name of chosen) {
    const part = parts[name] as Part;
    const rounds = wholeNumber('rounds', values.rounds || String(values.quick ? 1 : part.rounds), { min: 1, max: 100 });
    const rows = await part.run(rounds, values.quick);
    process.stdout.write(`\n${name}: median (lowest–highest) of ${rounds} runs\n\n${table(rows)}\n`);
  }
  return 0;
});

function hasRealEtcd(): boolean {
  return !spawnSync('etcd', ['--version']).error;
}
