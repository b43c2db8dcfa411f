// `npm run stop`: stops the folder's cluster, and removes what a cluster that died and tests that were interrupted left behind.
// Stopping twice is fine.

import Docker from 'dockerode';
import { readFlags, runCommand } from '#cluster/flags';
import { defaultFolder, layoutOf } from '#cluster/layout';
import { forgetCluster, runningCluster } from '#cluster/record';
import { sweep } from '#cluster/sweep';
import { sweepAbandoned } from '#cluster/test-clusters';
import { systemClock } from '#kit/clock';

const flags = { folder: { description: 'the folder of the cluster', default: defaultFolder } };
const patienceMs = 20_000;

async function main(): Promise<number> {
  const layout = layoutOf(readFlags('npm run stop -- [flags]', flags, process.argv.slice(2)).folder);
  const pid = runningCluster(layout);
  if (pid) {
    process.kill(pid, 'SIGTERM');
    const deadline = systemClock.now() + patienceMs;
    while (runningCluster(layout) && systemClock.now() < deadline) await systemClock.sleep(50);
    if (runningCluster(layout)) process.kill(pid, 'SIGKILL');
  }
  const docker = new Docker();
  const reachable = await docker.ping().then(
    () => true,
    () => false,
  );
  const left = reachable ? await sweep(docker, layout.cluster) : 0;
  const ofTests = reachable ? await sweepAbandoned(docker) : 0;
  forgetCluster(layout);
  process.stdout.write(
    pid
      ? 'The cluster is stopped.\n'
      : left
        ? `No cluster was running; ${left} things that one left behind are removed.\n`
        : 'No cluster is running.\n',
  );
  if (ofTests) process.stdout.write(`${ofTests} containers and networks of interrupted tests are removed.\n`);
  return 0;
}

await runCommand(main);
