// npm run fuzz -- --requests 1000000 --seed 7: random requests to the API server, on an etcd of its own. Tells how much memory is in use as it
// goes, and ends with 1 when the server could not cope with one of them.

import { readFlags, runCommand, wholeNumber } from '#cluster/flags';
import { startTestControlPlane } from '#kit/testing/control-plane';
import { Transport } from '#kit/transport';
import { describeFinding, fuzz } from './fuzz.ts';

const flags = {
  requests: { description: 'how many', default: '100000' },
  seed: { description: 'the same requests for the same seed', default: '1' },
};

await runCommand(async () => {
  const values = readFlags('npm run fuzz -- [flags]', flags, process.argv.slice(2));
  const requests = wholeNumber('requests', values.requests, { min: 1, max: 1_000_000_000 });
  const seed = wholeNumber('seed', values.seed, { min: 0, max: 2 ** 31 });
  const plane = await startTestControlPlane({ apiServer: { compactionIntervalMs: 2000, eventTtlSeconds: 5 } });
  const transport = new Transport(plane.serverUrl, { ca: plane.ca, ...(await plane.issue('admin', ['system:masters'])) });
  try {
    const step = Math.ceil(requests / 10);
    const onProgress = (answered: number) => {
      if (answered % step !== 0) return;
      const { rss, heapUsed } = process.memoryUsage();
      process.stdout.write(`${answered.toLocaleString('en')} answered, ${megabytes(heapUsed)} of heap, ${megabytes(rss)} in all\n`);
    };
    const { findings, codes } = await fuzz({ transport, seed, requests, onProgress });
    const counts = [...codes].sort(([one], [other]) => one - other).map(([code, times]) => `${code || 'none'}: ${times}`);
    process.stdout.write(`${counts.join(', ')}\n`);
    for (const finding of findings) process.stdout.write(`\n${describeFinding(finding)}\n`);
    if (findings.length > 0) process.stdout.write(`\n${plane.story()}\n`);
    return findings.length > 0 ? 1 : 0;
  } finally {
    transport.close();
    await plane.stop();
  }
});

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MB`;
}
