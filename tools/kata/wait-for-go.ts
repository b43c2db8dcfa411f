// The global set-up of a stage's run: jest is loaded and has found the test; here it waits until the loop says go. So a run that
// follows a save has only the test itself to do.

import { Worker } from 'node:worker_threads';
import { systemClock } from '#kit/clock';
import type { Said } from './stage-run.ts';

const aliveEveryMs = 500;

/** A loop that was killed can't end this process, and an endless loop in your code never looks: so another thread does. */
const orphanWatch = `
const parent = process.ppid;
const never = new Int32Array(new SharedArrayBuffer(4));
while (process.ppid === parent) Atomics.wait(never, 0, 0, 1000);
process.kill(process.pid, 'SIGKILL');
`;

export default async function waitForGo(): Promise<void> {
  new Worker(orphanWatch, { eval: true }).unref();
  for (const name of ['jest-circus/runner', 'jest-environment-node', 'ts-jest']) require(name);
  const say = (said: Said) => process.send?.(said);
  const go = new Promise((resolve) => process.once('message', resolve));
  say({ kind: 'warm' });
  await go;
  systemClock.every(aliveEveryMs, () => say({ kind: 'alive' }));
}
