// Waits for the cluster's process to go, whatever its end was, and removes what it may have left in Docker.
// It is a process of its own because `kill -9` leaves nobody else to do so. Its standard input is a pipe from the cluster's
// process: `done` means that the cluster cleaned up itself; the end of the pipe without it means that it could not.

import { text } from 'node:stream/consumers';
import { systemClock } from '#kit/clock';

const [cluster = ''] = process.argv.slice(2);
/** A kubelet that is just ending may still create a container. */
const quietForMs = 1_000;

process.on('SIGINT', () => {});
const word = await text(process.stdin);
if (word.trim() !== 'done') {
  // Loaded only now: mostly it isn't needed, and a start has better things to do with the processor.
  const [{ default: Docker }, { sweep }] = await Promise.all([import('dockerode'), import('#cluster/sweep')]);
  const docker = new Docker();
  while ((await sweep(docker, cluster)) > 0) await systemClock.sleep(quietForMs);
}
