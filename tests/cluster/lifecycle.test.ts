// A cluster comes, stands accidents, and goes without a trace: processes, containers and networks are looked for afterwards.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import Docker from 'dockerode';
import { layoutOf } from '#cluster/layout';
import { sweep } from '#cluster/sweep';
import { Pods } from '#kit/api';
import { clusterLabel } from '#kit/node/node-container';
import { processes, runProgram, TestCluster } from '#kit/testing/cluster';
import { kubectlPath } from '#kit/testing/kubectl';
import { eventually } from '#kit/testing/wait';

jest.setTimeout(90_000);

const noDocker = { DOCKER_HOST: 'unix:///nowhere/docker.sock' };

describe('the life of a cluster', () => {
  const docker = new Docker();
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (let step = cleanUp.pop(); step; step = cleanUp.pop()) await step();
  });

  async function newFolder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'kubekata-'));
    cleanUp.push(() => rm(folder, { recursive: true, force: true }));
    cleanUp.push(() => runProgram(process.execPath, ['cluster/stop.ts', '--folder', folder]));
    return folder;
  }

  /** `npm start` as in a terminal; resolves when it has said that the nodes are Ready, or what else is waited for. */
  async function startInForeground(
    folder: string,
    flags: string[],
    env: Record<string, string> = {},
    until = 'All nodes are Ready',
  ): Promise<{ start: ChildProcess; said: () => string }> {
    let said = '';
    const start = spawn(process.execPath, ['cluster/start.ts', '--folder', folder, '--nodes', '1', ...flags], {
      env: { ...process.env, ...env },
    });
    start.stdout.on('data', (text) => (said += text));
    start.stderr.on('data', (text) => (said += text));
    await eventually(`it says "${until}"`, () => said.includes(until), { within: 60_000, story: () => said });
    return { start, said: () => said };
  }

  /** What is left of a cluster: its processes (their arguments name its folder or itself), containers and networks. */
  async function leftOf(folder: string): Promise<string[]> {
    const running = await processes();
    const { cluster } = layoutOf(folder);
    const filters = { label: [`${clusterLabel}=${cluster}`] };
    const [containers, networks] = await Promise.all([docker.listContainers({ all: true, filters }), docker.listNetworks({ filters })]);
    return [
      ...running.map(({ args }) => args).filter((args) => args.includes(folder) || args.includes(cluster)),
      ...containers.map(({ Names }) => Names[0] ?? ''),
      ...networks.map(({ Name }) => Name),
    ];
  }

  const gone = (folder: string) =>
    eventually('nothing is left', async () => (await leftOf(folder)).length === 0, { within: 20_000, story: () => folder });

  it('ends with Ctrl-C, leaving nothing, and starts again at once', async () => {
    const folder = await newFolder();
    for (const round of [1, 2]) {
      const { start, said } = await startInForeground(folder, []);
      expect((await leftOf(folder)).length).toBeGreaterThan(5);
      const ended = new Promise((resolve) => start.once('exit', resolve));
      start.kill('SIGINT');
      expect([round, await ended]).toEqual([round, 0]);
      expect(said()).toContain('everything it made are removed');
      // The reaper sees that there is nothing to reap, and ends a moment after the one it watched.
      await gone(folder);
    }
  });

  it.each(['Starting kubekata-', 'etcd ', 'kube-apiserver '])('leaves nothing when Ctrl-C comes as early as "%s"', async (until) => {
    const folder = await newFolder();
    const { start } = await startInForeground(folder, [], {}, until);
    const ended = new Promise((resolve) => start.once('exit', resolve));
    start.kill('SIGINT');
    expect(await ended).toBe(0);
    await gone(folder);
  });

  it('stands the death of each component, and cleans up even when its own process is killed', async () => {
    const cluster = await TestCluster.start(['--nodes', '1']);
    cleanUp.push(() => cluster.stop());
    const kill = async (component: string) => {
      const running = await processes();
      const victim = running.find(({ args }) => args.includes(`component.ts ${component} --of ${layoutOf(cluster.folder).cluster}`));
      if (!victim) throw new Error(`the ${component} does not run`);
      process.kill(victim.pid, 'SIGKILL');
    };
    const log = () => readFile(join(cluster.folder, 'logs', 'cluster.log'), 'utf8');
    const runs = (name: string) =>
      cluster.eventually(
        `the pod ${name} runs`,
        async () => (await cluster.client.get(Pods, { name, namespace: 'default' })).status?.phase === 'Running',
      );

    await cluster.kubectl('run before --image=kubekata/echo:v1');
    await runs('before');
    for (const component of ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'kube-proxy', 'dns'])
      await kill(component);
    await cluster.eventually('all seven are said to be back', async () => (await log()).match(/is back at/g)?.length === 7);
    await cluster.eventually(
      'kubectl can start another pod',
      async () => (await cluster.kubectlOutcome(['run', 'after', '--image=kubekata/echo:v1'])).code === 0,
    );
    await runs('after');
    const before = await cluster.client.get(Pods, { name: 'before', namespace: 'default' });
    expect(before.status?.containerStatuses?.[0]?.restartCount).toBe(0);

    const again = await runProgram(process.execPath, ['cluster/start.ts', '--folder', cluster.folder]);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringMatching(/a cluster runs already \(process \d+\).*npm run stop/) });

    const { pid } = JSON.parse(await readFile(layoutOf(cluster.folder).record, 'utf8'));
    process.kill(pid, 'SIGKILL');
    await gone(cluster.folder);
  });

  it('runs without Docker on the hollow runtime, and says that its containers only pretend', async () => {
    const folder = await newFolder();
    const { start, said } = await startInForeground(folder, ['--runtime', 'hollow', '--nodes', '3'], noDocker);
    expect(said()).toContain('containers only pretend to run');
    const kubectl = (...args: string[]) => runProgram(kubectlPath(), args, { env: { KUBECONFIG: join(folder, 'kubeconfig') } });
    await kubectl('create', 'deployment', 'web', '--image=web', '--replicas=6');
    expect(await kubectl('rollout', 'status', 'deployment/web', '--timeout=20s')).toMatchObject({ code: 0 });
    const ended = new Promise((resolve) => start.once('exit', resolve));
    start.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(await leftOf(folder)).toEqual([]);
  });

  it('says what to do when there is no Docker', async () => {
    const folder = await newFolder();
    const outcome = await runProgram(process.execPath, ['cluster/start.ts', '--folder', folder], { env: noDocker });
    expect(outcome).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/DOCKER_HOST says to look there[\s\S]*--runtime hollow/),
    });
  });

  it('says what to do when the port is taken', async () => {
    const folder = await newFolder();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => new Promise((resolve) => server.close(resolve)));
    const { port } = server.address() as { port: number };
    const outcome = await runProgram(process.execPath, [
      'cluster/start.ts',
      '--folder',
      folder,
      '--runtime',
      'hollow',
      '--port',
      String(port),
    ]);
    expect(outcome.code).toBe(1);
    expect(outcome.stdout).toContain(`port ${port} is in use by another program: stop that one, or choose another port`);
    expect(await leftOf(folder)).toEqual([]);
  });

  it.each([
    [['--nodes', 'many'], '--nodes is "many": it must be a whole number from 1 to 250'],
    [['--runtime', 'podman'], '--runtime is "podman": it must be docker or hollow'],
    [['--mine', '7'], '--mine is "7": it must be a whole number from 1 to 6'],
    [['--node', '3'], "Unknown option '--node'"],
  ])('refuses %j in one sentence', async (flags, sentence) => {
    const { code, stderr } = await runProgram(process.execPath, ['cluster/start.ts', '--folder', await newFolder(), ...flags]);
    expect([code, stderr.split('\n')[0]]).toEqual([1, expect.stringContaining(sentence)]);
    expect(stderr).not.toContain('    at ');
  });

  it('stops twice without complaint, and removes what a dead cluster left', async () => {
    const folder = await newFolder();
    const { cluster } = layoutOf(folder);
    await docker.createNetwork({ Name: `${cluster}-nodes`, Labels: { [clusterLabel]: cluster } });
    cleanUp.push(() => sweep(docker, cluster));
    const stop = () => runProgram(process.execPath, ['cluster/stop.ts', '--folder', folder]);
    expect(await stop()).toMatchObject({ code: 0, stdout: expect.stringContaining('1 things that one left behind are removed') });
    expect(await stop()).toMatchObject({ code: 0, stdout: 'No cluster is running.\n' });
  });
});
