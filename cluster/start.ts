// `npm start`: a cluster on this machine until Ctrl-C; with --detach, in the background until `npm run stop`.

import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { readFlags, runCommand, UsageError, wholeNumber } from '#cluster/flags';
import { defaultFolder, type Layout, layoutOf } from '#cluster/layout';
import { forgetCluster, recordCluster, runningCluster } from '#cluster/record';
import { watchSaves } from '#cluster/saves';
import { systemClock, systemRandom } from '#kit/clock';
import { createLogger, stderrSink } from '#kit/log';
import { chapters } from '../tools/chapters.ts';
import { greenChapters, isStageGreen } from '../tools/green.ts';

/** `--mine` alone. */
const green = 'green';

const flags = {
  nodes: { description: 'how many nodes', default: '2' },
  'etcd-members': { description: 'how many etcd processes keep what the cluster remembers; 3 survive the loss of one', default: '1' },
  detach: { description: 'returns when the nodes are Ready; the cluster goes on in the background', default: false as const },
  runtime: { description: 'docker, or hollow: no Docker, containers only pretend to run', default: 'docker' },
  mine: { description: 'your chapters in place of the reference: --mine=1,4; alone: those whose tests all pass', default: '' },
  watch: { description: 'starts your components anew when you save a file of theirs', default: false as const },
  inspect: { description: 'a component that a debugger can look into, on port 9229: --inspect=kube-scheduler', default: '' },
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
  const values = readFlags('npm start -- [flags]', flags, withGreen(process.argv.slice(2)));
  const layout = layoutOf(values.folder);
  const pid = runningCluster(layout);
  if (pid) throw new UsageError(`a cluster runs already (process ${pid}): use it, or stop it with \`npm run stop\``);
  mkdirSync(layout.logs, { recursive: true });
  return values.detach ? detach(layout) : run(layout, values);
}

/** `--mine` without chapters means those that are green. */
function withGreen(args: string[]): string[] {
  return args.map((arg, index) => (arg === '--mine' && !/^\d/.test(args[index + 1] ?? '') ? `--mine=${green}` : arg));
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
  const { isTitle } = await import('#cluster/processes');
  const stopping = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.resolve());
  const mine = chaptersOf(values.mine);
  if (values.inspect && !isTitle(values.inspect))
    throw new UsageError(
      `--inspect is "${values.inspect}": it must be a component as the start-up table names it, like kube-scheduler or "kubelet (node-1)"`,
    );
  const allowsAll = mine.has(2) && !isStageGreen(process.cwd(), '2.10');
  const elapsed = () => `${((systemClock.now() - started) / 1000).toFixed(1)} s`;
  const cluster = new Cluster({
    layout,
    nodes: wholeNumber('nodes', values.nodes, { min: 1, max: 250 }),
    etcdMembers: wholeNumber('etcd-members', values['etcd-members'], { min: 1, max: 9 }),
    port: wholeNumber('port', values.port, { min: 0, max: 65_535 }),
    mine,
    inspect: values.inspect,
    attended: !process.connected,
    allowsAll,
    ...(await runtime(values.runtime)),
    context: { clock: systemClock, random: systemRandom, log: createLogger('cluster', stderrSink) },
    ready: (row) => say(`  ${row.title.padEnd(24)} ${row.url.padEnd(26)} ready at ${elapsed()}${whose(mine, row.mine)}`),
    notice: (text) => say(`  ${text}`),
  });
  recordCluster(layout);
  const watchers: { close(): Promise<void> }[] = [];
  try {
    say(
      `Starting ${layout.cluster}: ${values.nodes} ${values.nodes === '1' ? 'node' : 'nodes'}${values.runtime === 'hollow' ? ' with the hollow runtime: containers only pretend to run' : ''}`,
    );
    if (allowsAll) say('  your kube-apiserver lets everybody do everything: your stage 2.10, which says no, is not green yet');
    for (const chapter of mine) {
      watchers.push(
        watchSaves(`chapters/${chapters[chapter - 1]}/src`, systemClock, () => cluster.renew(chapter, values.watch ? 'all' : 'down')),
      );
    }
    const missing = await Promise.race([cluster.start(), stopping.promise]);
    if (missing) {
      say(missing.length === 0 ? `All nodes are Ready after ${elapsed()}.` : `The cluster runs, but ${missing.join('; ')}.`);
      say(nextSteps(layout));
      if (process.connected) process.send?.({ ready: true });
      await stopping.promise;
    }
    say('Stopping: the cluster and everything it made are removed');
    return 0;
  } catch (error) {
    say(`The cluster can't start: ${(error as Error).message}`);
    return 1;
  } finally {
    await Promise.all(watchers.map((watcher) => watcher.close()));
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

/** Nothing, where all is the reference's. */
function whose(mine: Set<number>, isMine: boolean): string {
  if (mine.size === 0) return '';
  return isMine ? '   yours' : '   reference';
}

function chaptersOf(list: string): Set<number> {
  if (list === green) return greenOnes();
  return new Set(
    list
      .split(',')
      .filter(Boolean)
      .map((text) => wholeNumber('mine', text, { min: 1, max: chapters.length })),
  );
}

function greenOnes(): Set<number> {
  const { green, reasons } = greenChapters(process.cwd());
  const numbers = [...green].join(', ');
  say(
    numbers
      ? `Yours are the chapters ${numbers}: all their tests pass`
      : 'No chapter of yours is green yet: all components are the reference’s',
  );
  for (const reason of reasons) say(`  ${reason}`);
  return green;
}

function nextSteps({ kubeconfig }: Layout): string {
  return [
    'Now, in another terminal:',
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
