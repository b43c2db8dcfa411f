// `npm run bench`: measures what the README and the docs quote, and prints it as a table with the goals.
// `npm run bench -- --rounds 9` for more runs of each.

import { cpus } from 'node:os';
import { readFlags, runCommand, wholeNumber } from '#cluster/flags';
import { benchCluster } from './cluster.ts';
import { table } from './statistics.ts';
import { benchTests } from './tests.ts';

const flags = { rounds: { description: 'runs of each measurement; the median is quoted', default: '5' } };

await runCommand(async () => {
  const rounds = wholeNumber('rounds', readFlags('npm run bench -- [flags]', flags, process.argv.slice(2)).rounds, { min: 1, max: 100 });
  const rows = [...(await benchTests(rounds)), ...(await benchCluster(rounds))];
  process.stdout.write(
    `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}; median (lowest–highest) of ${rounds} runs\n\n${table(rows)}\n`,
  );
  return 0;
});
