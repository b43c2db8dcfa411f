// The servers that are compared: ours and the real kube-apiserver, each a process of its own, each on an etcd of its own of the same kind.

import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ComponentMessage } from '#cluster/component';
import { Client } from '#kit/client';
import type { ClientTls, RunningComponent } from '#kit/component';
import { type CertificateAuthority, createCertificateAuthority, type KeyPair } from '#kit/pki';
import { startUpstreamApiServer } from '#kit/testing/upstream-api-server';
import { asArguments } from '#kit/testing/upstream-program';
import { eventually } from '#kit/testing/wait';
import { readText } from '#kit/transport';
import { startMeasured } from '../etcd/servers.ts';

export interface MeasuredApiServer {
  readonly isOurs: boolean;
  readonly url: string;
  /** An administrator's. */
  readonly tls: ClientTls;
  residentMegabytes(): Promise<number>;
  /** Milliseconds of processor time since it started, on all cores. */
  processorTime(): Promise<number>;
  /** Stops it, and starts it again on the same etcd; resolves with the seconds until it is ready. */
  restart(): Promise<number>;
  stop(): Promise<void>;
}

interface Running extends RunningComponent {
  pid: number | undefined;
  readyAfter: number;
}

interface Start {
  folder: string;
  etcdUrl: string;
  authority: CertificateAuthority;
  serving: KeyPair;
  tls: ClientTls;
}

/** `program`: the real one; absent: ours. */
export async function startApiServer(program?: string): Promise<MeasuredApiServer> {
  const folder = await mkdtemp(join(tmpdir(), 'kubekata-bench-api-server-'));
  const etcd = await startMeasured(hasEtcd() ? 'etcd' : 'lean');
  const authority = await createCertificateAuthority('kubekata-bench');
  const serving = await authority.issue({ commonName: 'kube-apiserver', hosts: ['127.0.0.1'], usages: ['server'] });
  const admin = await authority.issue({ commonName: 'admin', organizations: ['system:masters'], usages: ['client'] });
  const tls = { ca: authority.cert, ...admin };
  const how = { folder, etcdUrl: etcd.url, authority, serving, tls };
  const start = () => (program ? startUpstreamApiServer({ program, ...how }) : startOurs(how));
  let running: Running | undefined = await start();
  return {
    isOurs: !program,
    tls,
    get url() {
      return running?.url ?? '';
    },
    residentMegabytes: async () => {
      const text = await readFile(`/proc/${running?.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1]) / 1024;
    },
    processorTime: async () => {
      const text = await readFile(`/proc/${running?.pid}/stat`, 'utf8');
      // The fields behind the program's name, which may contain blanks; user and system time, in hundredths of a second: man 5 proc.
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return (Number(fields[11]) + Number(fields[12])) * 10;
    },
    restart: async () => {
      await running?.stop();
      running = undefined;
      running = await start();
      return running.readyAfter / 1000;
    },
    stop: async () => {
      await running?.stop();
      await etcd.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** As `npm start` starts it. */
async function startOurs({ folder, etcdUrl, authority, serving, tls }: Start): Promise<Running> {
  const files = { 'ca.crt': authority.cert, 'server.crt': serving.cert, 'server.key': serving.key };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content, { mode: 0o600 });
  const flags = asArguments({
    'etcd-servers': etcdUrl,
    'secure-port': '0',
    'tls-cert-file': join(folder, 'server.crt'),
    'tls-private-key-file': join(folder, 'server.key'),
    'client-ca-file': join(folder, 'ca.crt'),
    'disable-admission-plugins': 'ServiceAccount',
  });
  const component = join(import.meta.dirname, '../../cluster/component.ts');
  const startedAt = performance.now();
  const child = fork(component, ['kube-apiserver', ...flags], {
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') },
    execArgv: process.env.KUBEKATA_BENCH_PROFILE ? ['--cpu-prof', `--cpu-prof-dir=${process.env.KUBEKATA_BENCH_PROFILE}`] : [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  const [message] = (await Promise.race([once(child, 'message'), ended])) as [ComponentMessage];
  if (typeof message !== 'object' || !('ready' in message)) throw new Error(`our API server did not start: ${JSON.stringify(message)}`);
  const client = new Client({ server: message.ready, tls, userAgent: 'bench' });
  try {
    const isReady = async () => (await readText((await client.send({ method: 'GET', path: '/readyz' })).body)) === 'ok';
    await eventually('our API server is ready', isReady);
    return { url: message.ready, pid: child.pid, readyAfter: performance.now() - startedAt, stop };
  } finally {
    client.close();
  }
}

function hasEtcd(): boolean {
  return !spawnSync('etcd', ['--version']).error;
}
