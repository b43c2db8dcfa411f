// What a learner waits for: the cluster's start, a pod's start beside the floor that Docker sets, and what the control plane
// takes of the machine's memory.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { layoutOf } from '#cluster/layout';
import { Pods } from '#kit/api';
import { Client } from '#kit/client';
import { systemClock } from '#kit/clock';
import { readKubeconfig } from '#kit/kubeconfig';
import { ensureImage } from '#kit/node/images';
import { runProgram } from '#kit/testing/cluster';
import { kubectlPath } from '#kit/testing/kubectl';
import { median, type Row, spread } from './statistics.ts';

const image = 'kubekata/echo:v1';
const controlPlane = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'];
const benchLabel = 'kubekata.bench';

async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

async function npm(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram('npm', args);
  if (code !== 0) throw new Error(`npm ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`);
  return stdout;
}

export async function benchCluster(rounds: number): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'kubekata-bench-'));
  const stop = () => npm('run', 'stop', '--', '--folder', folder);
  try {
    const starts: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const elapsed = await timed(() => npm('start', '--', '--detach', '--folder', folder));
      // The first start fills the compile cache: every later one is what a learner sees.
      if (round > 0) starts.push(elapsed / 1000);
      if (round < rounds) await stop();
    }
    const megabytes = await residentMegabytes(folder);
    const { pods, floors } = await podStarts(folder, rounds);
    const ratio = median(pods) / median(floors);
    return [
      { what: 'npm start to two Ready nodes', measured: spread(starts, 's', 1), goal: '≤ 3 s', reached: median(starts) <= 3 },
      { what: 'resident memory of the control plane', measured: `${megabytes.toFixed(0)} MB`, goal: '≤ 600 MB', reached: megabytes <= 600 },
      { what: 'two containers straight through Docker', measured: spread(floors, 'ms'), goal: 'the floor' },
      { what: 'kubectl apply of a pod to Running', measured: spread(pods, 'ms'), goal: '' },
      { what: '  as a ratio to the floor', measured: ratio.toFixed(2), goal: '≤ 1.5', reached: ratio <= 1.5 },
    ];
  } finally {
    await stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** VmRSS of the four processes; Linux only. */
async function residentMegabytes(folder: string): Promise<number> {
  const { cluster } = layoutOf(folder);
  const { stdout } = await runProgram('ps', ['-eo', 'rss,args']);
  const lines = stdout.split('\n').filter((line) => controlPlane.some((name) => line.includes(`component.ts ${name} --of ${cluster}`)));
  if (lines.length !== controlPlane.length)
    throw new Error(`found ${lines.length} of ${controlPlane.length} processes of the control plane`);
  return lines.reduce((sum, line) => sum + Number.parseInt(line, 10), 0) / 1024;
}

/** In turns, so that both see the same machine: a pod by way of kubectl, and its two containers by hand. Milliseconds. */
async function podStarts(folder: string, rounds: number): Promise<{ pods: number[]; floors: number[] }> {
  const kubeconfig = join(folder, 'kubeconfig');
  const client = new Client(readKubeconfig(kubeconfig, 'bench'));
  const docker = new Docker();
  await Promise.all(['kubekata/pause:1', image].map((name) => ensureImage(docker, name)));
  const pods: number[] = [];
  const floors: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const pod = await timed(() => podToRunning(client, kubeconfig, `bench-${round}`));
    const floor = await timed(() => containersByHand(docker));
    // The first round warms up both.
    if (round > 0) {
      pods.push(pod);
      floors.push(floor);
    }
    await client.delete(Pods, { name: `bench-${round}`, namespace: 'default' }, { gracePeriodSeconds: 0 });
    const made = await docker.listContainers({ all: true, filters: { label: [benchLabel] } });
    await Promise.all(made.map(({ Id }) => docker.getContainer(Id).remove({ force: true })));
    await systemClock.sleep(500);
  }
  client.close();
  return { pods, floors };
}

async function podToRunning(client: Client, kubeconfig: string, name: string): Promise<void> {
  const watching = new AbortController();
  const running = (async () => {
    for await (const { object } of client.watch(Pods, {
      namespace: 'default',
      fieldSelector: `metadata.name=${name}`,
      signal: watching.signal,
    })) {
      if (object.status?.phase === 'Running') return;
    }
  })();
  const manifest = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'echo', image }] } });
  const { code, stderr } = await runProgram(kubectlPath(), ['apply', '-f', '-'], { env: { KUBECONFIG: kubeconfig }, input: manifest });
  if (code !== 0) throw new Error(stderr);
  await running;
  watching.abort();
}

async function containersByHand(docker: Docker): Promise<void> {
  const Labels = { [benchLabel]: 'true' };
  const pause = await docker.createContainer({
    Image: 'kubekata/pause:1',
    Labels,
    HostConfig: { NetworkMode: 'none', IpcMode: 'shareable' },
  });
  await pause.start();
  await pause.inspect();
  const app = await docker.createContainer({
    Image: image,
    Labels,
    HostConfig: { NetworkMode: `container:${pause.id}`, IpcMode: `container:${pause.id}` },
  });
  await app.start();
  await app.inspect();
}
