// `npm start`: a cluster on this machine until Ctrl-C; with --detach, in the background until `npm run stop`.

import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { readFlags, runCommand, UsageError, wholeNumber } from '#cluster/flags';
import { defaultFolder, type Layout, layoutOf } from '#cluster/layout';
import { forgetCluster, recordCluster, runningCluster } from '#cluster/record';
import { systemClock, systemRandom } from '#kit/clock';
import { createLogger, stderrSink } from '#kit/log';

const flags = {
  nodes: { description: 'how many nodes', default: '2' },
  'etcd-members': { description: 'how many etcd processes keep what the cluster remembers; 3 survive the loss of one', default: '1' },
  detach: { description: 'returns when the nodes are Ready; the cluster goes on in the background', default: false as const },
  runtime: { description: 'docker, or hollow: no Docker, containers only pretend to run', default: 'docker' },
  mine: { description: 'your chapters in place of the reference: --mine=1,4', default: '' },
  port: { description: "the API server's port; 0 takes a free one", default: '0' },
  folder: { description: 'where everything that the cluster writes goes', default: defaultFolder },
};

type Values = ReturnType<typeof readFlags<typeof flags>>;

/** What Node compiled once it need not compile again: each of ten processes starts in a third of the time. */
function shareCompileCache(): void {
  const folder = resolve(defaultFolder, 'compile-cache');
  enableCompileCache(folder);
  process.env.NODE_COMPILE_CACHE = folder;
}

async function main(): Promise<number> {
  shareCompileCache();
  const values = readFlags('npm start -- [flags]', flags, process.argv.slice(2));
  const layout = layoutOf(values.folder);
  const pid = runningCluster(layout);
  if (pid) throw new UsageError(`a cluster runs already (process ${pid}): use it, or stop it with \`npm run stop\``);
  mkdirSync(layout.logs, { recursive: true });
  return values.detach ? detach(layout) : run(layout, values);
}

/** Starts this very command again, in the background, and passes on what it says until the cluster is ready. */
function detach(layout: Layout): Promise<number> {
  const log = openSync(join(layout.logs, 'cluster.log'), 'a');
  const args = process.argv.slice(2).filter((arg) => arg !== '--detach');
  const child = spawn(process.execPath, [...process.execArgv, 'cluster/start.ts', ...args], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  });
  return new Promise((resolve) => {
    child.on('message', (message: { line?: string; ready?: true }) => {
      if (message.line !== undefined) process.stdout.write(`${message.line}\n`);
      if (message.ready) {
        child.disconnect();
        child.unref();
        resolve(0);
      }
    });
    child.on('exit', () => resolve(1));
  });
}

async function run(layout: Layout, values: Values): Promise<number> {
  const started = systemClock.now();
  // Not imported above: the compile cache has to be on first.
  const { Cluster } = await import('#cluster/cluster');
  const stopping = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.resolve());
  const elapsed = () => `${((systemClock.now() - started) / 1000).toFixed(1)} s`;
  const cluster = new Cluster({
    layout,
    nodes: wholeNumber('nodes', values.nodes, { min: 1, max: 250 }),
    etcdMembers: wholeNumber('etcd-members', values['etcd-members'], { min: 1, max: 9 }),
    port: wholeNumber('port', values.port, { min: 0, max: 65_535 }),
    mine: chapters(values.mine),
    ...(await runtime(values.runtime)),
    context: { clock: systemClock, random: systemRandom, log: createLogger('cluster', stderrSink) },
    ready: ({ title, url, mine }) => say(`  ${title.padEnd(24)} ${url.padEnd(26)} ready at ${elapsed()}${mine ? '   (yours)' : ''}`),
    notice: (text) => say(`  ${text}`),
  });
  recordCluster(layout);
  try {
    say(
      `Starting ${layout.cluster}: ${values.nodes} nodes${values.runtime === 'hollow' ? ' with the hollow runtime: containers only pretend to run' : ''}`,
    );
    const outcome = await Promise.race([cluster.start().then(() => 'ready' as const), stopping.promise]);
    if (outcome === 'ready') {
      say(nextSteps(layout, elapsed()));
      if (process.connected) process.send?.({ ready: true });
      await stopping.promise;
    }
    say('Stopping: the cluster and everything it made are removed');
    return 0;
  } catch (error) {
    say(`The cluster can't start: ${(error as Error).message}`);
    return 1;
  } finally {
    await cluster.stop();
    forgetCluster(layout);
  }
}

async function runtime(kind: string) {
  if (kind === 'hollow') return {};
  if (kind !== 'docker') throw new UsageError(`--runtime is "${kind}": it must be docker or hollow`);
  const { connectDocker } = await import('#cluster/docker');
  return { docker: await connectDocker() };
}

function chapters(list: string): Set<number> {
  return new Set(
    list
      .split(',')
      .filter(Boolean)
      .map((text) => wholeNumber('mine', text, { min: 1, max: 6 })),
  );
}

function nextSteps({ kubeconfig }: Layout, elapsed: string): string {
  return [
    `All nodes are Ready after ${elapsed}. Now, in another terminal:`,
    '',
    `  export KUBECONFIG=$PWD/${relative(process.cwd(), kubeconfig)}`,
    '  kubectl get nodes -o wide',
    '  kubectl apply -f examples/echo.yaml',
    '  kubectl get pods -o wide --watch',
    '  curl http://127.0.0.1:30080',
    '',
    'Ctrl-C or `npm run stop` stops it.',
  ].join('\n');
}

/** To the terminal, and to the one that waits for a detached start. */
function say(line: string): void {
  process.stdout.write(`${line}\n`);
  if (process.connected) process.send?.({ line });
}

await runCommand(main);
process.exit();
