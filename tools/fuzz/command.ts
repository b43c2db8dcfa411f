// npm run fuzz -- --requests 1000000 --seed 7: random requests to the API server, on an etcd of its own. Tells how much memory is in use and
// what it finds as it goes, and the tally also when it is cut short (Ctrl-C). Ends with 1 when the server could not cope with one of them.

import { readFlags, runCommand, wholeNumber } from '#cluster/flags';
import { startTestControlPlane } from '#kit/testing/control-plane';
import { describeFinding, type Finding, fuzz } from './fuzz.ts';

const flags = {
  requests: { description: 'how many', default: '100000' },
  seed: { description: 'the same requests for the same seed', default: '1' },
};

await runCommand(async () => {
  const values = readFlags('npm run fuzz -- [flags]', flags, process.argv.slice(2));
  const requests = wholeNumber('requests', values.requests, { min: 1, max: 1_000_000_000 });
  const seed = wholeNumber('seed', values.seed, { min: 0, max: 2 ** 31 });
  const plane = await startTestControlPlane({ apiServer: { compactionIntervalMs: 2000, eventTtlSeconds: 5 } });
  const tls = { ca: plane.ca, ...(await plane.issue('admin', ['system:masters'])) };
  const cut = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => cut.abort());
  try {
    const step = Math.ceil(requests / 10);
    const onProgress = (answered: number) => {
      if (answered % step === 0) tell(`${answered.toLocaleString('en')} answered, ${memory()}`);
    };
    const onFinding = (finding: Finding) => tell(`\n${describeFinding(finding)}\n`);
    tell(`seed ${seed}: ${requests.toLocaleString('en')} requests, ${memory()}`);
    const report = await fuzz({ url: plane.serverUrl, tls, seed, requests, onProgress, onFinding, signal: cut.signal });
    const counts = [...report.codes].sort(([one], [other]) => one - other).map(([code, times]) => `${code || 'none'}: ${times}`);
    const cutShort = report.answered < requests ? `, cut short after ${report.answered.toLocaleString('en')}` : '';
    tell(`${counts.join(', ')}\n${report.findings.length} findings${cutShort}, ${memory()}`);
    if (report.findings.length > 0) tell(`\n${plane.story()}`);
    return report.findings.length > 0 ? 1 : 0;
  } finally {
    await plane.stop();
  }
});

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}

function memory(): string {
  const { rss, heapUsed } = process.memoryUsage();
  return `${megabytes(heapUsed)} of heap, ${megabytes(rss)} in all`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MB`;
}
