// A cluster with a component of the learner's that is broken in every way there is: the rest goes on, the learner hears what is
// wrong and where, and when it is repaired it takes its place. The learner is a copy of the repository whose chapter 4 is the
// solution, broken.

import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { runProgram } from '#kit/testing/cluster';
import { kubectlPath } from '#kit/testing/kubectl';
import { eventually } from '#kit/testing/wait';

jest.setTimeout(120_000);

const source = 'chapters/chapter4-scheduler/src';
const start = 'export async function startScheduler({ client, listen, ...context }: SchedulerOptions): Promise<RunningComponent> {\n';

describe('a cluster with a component of yours', () => {
  let checkout: string;
  let whole: string;
  let said = '';
  let table = '';
  let cluster: ChildProcess | undefined;

  beforeAll(async () => {
    checkout = await mkdtemp(join(tmpdir(), 'kubekata-mixed-'));
    for (const path of ['package.json', 'kit', 'cluster', 'solutions', 'tools']) await cp(path, join(checkout, path), { recursive: true });
    await cp('solutions/chapter4-scheduler', join(checkout, source), { recursive: true });
    await symlink(join(process.cwd(), 'node_modules'), join(checkout, 'node_modules'));
    whole = await readFile(join(checkout, source, 'index.ts'), 'utf8');
  });
  const stop = async () => {
    if (!cluster || cluster.exitCode !== null || cluster.signalCode !== null) return;
    const ended = new Promise((resolve) => cluster?.once('exit', resolve));
    cluster.kill('SIGTERM');
    await ended;
  };
  afterAll(async () => {
    await stop();
    await rm(checkout, { recursive: true, force: true });
  });

  /** Saves the scheduler with this as the first line of its start; without, as the solution is. */
  const save = (firstLine = '') =>
    writeFile(join(checkout, source, 'index.ts'), whole.replace(start, `${start}${firstLine && `  ${firstLine}\n`}`));

  async function startCluster(...flags: string[]): Promise<void> {
    said = '';
    await mkdir(join(checkout, '.kubekata'), { recursive: true });
    cluster = spawn(process.execPath, ['cluster/start.ts', '--runtime', 'hollow', '--nodes', '1', ...flags], { cwd: checkout });
    cluster.stdout?.on('data', (text) => (said += text));
    cluster.stderr?.on('data', (text) => (said += text));
    await eventually('the cluster runs', () => /All nodes are Ready|The cluster runs, but/.test(said), {
      within: 60_000,
      story: () => said,
    });
    table = said;
  }

  /** Waits until something is said, and forgets what came before it. */
  async function hears(text: RegExp): Promise<void> {
    await eventually(`it says ${text}`, () => text.test(said), { within: 60_000, story: () => said });
    said = said.slice(said.search(text));
  }

  const kubectl = (...args: string[]) =>
    runProgram(kubectlPath(), args, {
      env: { KUBECONFIG: join(checkout, '.kubekata/kubeconfig'), KUBECACHEDIR: join(checkout, '.kubekata/cache') },
    });

  it('goes on without it when it fails at its start, and takes it in when it is repaired', async () => {
    await save("throw new Error('no pods today');");
    await startCluster('--mine=4');
    expect(said).toContain('The cluster runs, but your kube-scheduler does not serve yet.');
    await save();
    await hears(/your kube-scheduler is up at http/);
    await kubectl('run', 'web', '--image=web');
    expect(await kubectl('wait', '--for=condition=Ready', 'pod/web', '--timeout=20s')).toMatchObject({ code: 0 });
    await stop();
  });

  describe('that runs, and that you change', () => {
    beforeAll(async () => {
      await save();
      await startCluster('--mine=4', '--watch');
    });

    it('is shown as yours', () => {
      expect(table).toMatch(/kube-scheduler +http\S+ +ready at \S+ s +yours\n/);
      expect(table).toMatch(/etcd +http\S+ +ready at \S+ s +reference\n/);
    });

    it.each([
      ['an error of its own', "throw new Error('no pods today');", /failed: no pods today\n +in startScheduler \(PLACE\)/],
      ['a mistake', '(undefined as unknown as string[]).map(String);', /failed: TypeError: [^\n]*\n +in startScheduler \(PLACE\)/],
      [
        'a function that is not written',
        "throw new (await import('#kit/not-implemented')).NotImplemented('4.1', 'Bind it');",
        /NotImplemented: 4\.1 Bind it\n +Write this function: PLACE\n.*section 4\.1/,
      ],
      ['an end without a word', 'process.exit(3);', /failed: ended with code 3/],
      ['an error that nobody waits for', "Promise.reject(new Error('too late'));", /failed: too late\n +in startScheduler \(PLACE\)/],
      ['code that is no code', 'const = 1;', /failed: PLACE\n[\s\S]*const = 1;\n +\^/],
      ['a circle', 'for (;;) if (listen.port < 0) break;', /goes round in circles in startScheduler \(PLACE\)/],
    ])('tells of %s, and of its return', async (_, firstLine, expected) => {
      const line = whole.slice(0, whole.indexOf(start)).split('\n').length + 1;
      await save(firstLine);
      await hears(/your kube-scheduler is started anew: you saved a file/);
      await hears(new RegExp(expected.source.replaceAll('PLACE', `${source}/index.ts:${line}`)));
      await save();
      await hears(/your kube-scheduler is up at http/);
    });
  });
});
