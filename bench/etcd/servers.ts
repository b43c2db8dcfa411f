// The servers that are compared: ours, by either transport, and the real etcd; each a process of its own, on the same disk.

import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryFlags } from '#cluster/memory-flags';
import { systemClock } from '#kit/clock';

export type Kind = 'etcd' | 'lean' | 'grpc-js';

export interface MeasuredServer {
  readonly kind: Kind;
  readonly url: string;
  residentMegabytes(): Promise<number>;
  /** Kills it without warning, and starts it again with the same data; resolves with the seconds until it serves. */
  crash(): Promise<number>;
  stop(): Promise<void>;
}

/** `keepsLog`: no snapshot replaces the log, so that a start has to read all of it. */
export async function startMeasured(kind: Kind, { keepsLog = false } = {}): Promise<MeasuredServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'kubekata-bench-etcd-'));
  const start = () => (kind === 'etcd' ? runReal(dataDir, keepsLog) : runOurs(kind, dataDir, keepsLog));
  let running = await start();
  const kill = async () => {
    const ended = once(running.child, 'exit');
    running.child.kill('SIGKILL');
    await ended;
  };
  return {
    kind,
    get url() {
      return running.url;
    },
    residentMegabytes: async () => {
      const text = await readFile(`/proc/${running.child.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024;
    },
    crash: async () => {
      await kill();
      const killedAt = performance.now();
      running = await start();
      return (performance.now() - killedAt) / 1000;
    },
    stop: async () => {
      await kill();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

interface Running {
  child: ChildProcess;
  url: string;
}

async function runOurs(transport: Exclude<Kind, 'etcd'>, dataDir: string, keepsLog: boolean): Promise<Running> {
  const options = JSON.stringify({ dataDir, transport, ...(keepsLog ? { snapshotAfterBytes: 2 ** 40 } : {}) });
  const child = fork(join(import.meta.dirname, 'our-etcd.ts'), [options], {
    execArgv: [...(memoryFlags.etcd ?? [])],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [url] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [unknown];
  if (typeof url !== 'string') throw new Error('our etcd did not start');
  return { child, url };
}

async function runReal(dataDir: string, keepsLog: boolean): Promise<Running> {
  const [clientPort, peerPort] = await freePorts(2);
  const url = `http://127.0.0.1:${clientPort}`;
  const peerUrl = `http://127.0.0.1:${peerPort}`;
  const flags = {
    'data-dir': dataDir,
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `default=${peerUrl}`,
    'heartbeat-interval': '20',
    'election-timeout': '100',
    'log-level': 'error',
    'quota-backend-bytes': String(8 * 2 ** 30),
    ...(keepsLog ? { 'snapshot-count': '100000000' } : {}),
  };
  const child = spawn(
    'etcd',
    Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
    { stdio: ['ignore', 'ignore', 'ignore'] },
  );
  await once(child, 'spawn');
  while (!(await isHealthy(url))) {
    if (child.exitCode !== null) throw new Error('the real etcd did not start');
    await systemClock.sleep(5);
  }
  return { child, url };
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    return (await (await fetch(`${url}/health`)).text()).includes('true');
  } catch {
    // It does not listen yet.
    return false;
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
