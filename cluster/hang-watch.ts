// Tells when a component's code goes round in circles: its process then answers nobody, not even a signal to stop, and says
// nothing. A thread beside it notices that its heart has stopped, and looks where it is, as a debugger would.

import { Worker } from 'node:worker_threads';
import { type Clock, systemClock } from '#kit/clock';

const beatEveryMs = 500;
export const patienceMs = 10_000;

/** @param hangs is called, in the midst of what hangs, with the place: `chapters/chapter4-scheduler/src/fits.ts:31` */
export function watchForHangs(hangs: (place: string) => void, clock: Clock = systemClock): void {
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  clock.every(beatEveryMs, () => Atomics.add(beats, 0, 1));
  process.on(hangEvent, hangs);
  const watcher = new Worker(new URL('./hang-watcher.ts', import.meta.url), { workerData: beats });
  watcher.unref();
}

/** What the thread lets the process emit. */
export const hangEvent = 'kubekata:hang';
