// The real kube-apiserver for tests: the program that KATA_UPSTREAM_API_SERVER names (`npm run test:upstream -- chapter2` sets it).
// It is given what `startApiServer` is given, as files and flags. Beside it runs the one controller that makes its roles complete.

import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClusterRoles } from '#kit/api';
import { Client } from '#kit/client';
import { systemClock, systemRandom } from '#kit/clock';
import type { RunningComponent } from '#kit/component';
import { freePorts } from '#kit/free-ports';
import { silentLogger } from '#kit/log';
import type { CertificateAuthority, KeyPair } from '#kit/pki';
import { eventually } from '#kit/testing/wait';
import { readText } from '#kit/transport';

/** The program, when it is the real API server that is tested. */
export const upstreamApiServer = process.env.KATA_UPSTREAM_API_SERVER;

export interface UpstreamApiServerOptions {
  program: string;
  etcdUrl: string;
  authority: CertificateAuthority;
  serving: KeyPair;
}

const startsWithin = 60_000;
const stopsWithin = 10_000;

/** Resolves when it is ready, the namespace `default` is there, and the roles view, edit and admin have their rules. */
export async function startUpstreamApiServer(options: UpstreamApiServerOptions): Promise<RunningComponent> {
  const folder = await mkdtemp(join(tmpdir(), 'kubekata-apiserver-'));
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  try {
    const flags = await writeFlags(folder, options);
    for (let attempt = 1; ; attempt++) {
      const started = await startOnce(flags, options);
      if ('url' in started) {
        const stop = async () => {
          await started.stop();
          await removeFolder();
        };
        return { url: started.url, stop };
      }
      // It cannot choose its port itself: somebody else may have taken it in the meantime.
      if (attempt === 3 || !started.failure.includes('address already in use')) throw new Error(started.failure);
    }
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

async function writeFlags(folder: string, { etcdUrl, authority, serving }: UpstreamApiServerOptions): Promise<Record<string, string>> {
  const files = { 'ca.crt': authority.cert, 'server.crt': serving.cert, 'server.key': serving.key, 'sa.key': signingKey() };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content, { mode: 0o600 });
  const file = (name: keyof typeof files) => join(folder, name);
  return {
    'etcd-servers': etcdUrl,
    'bind-address': '127.0.0.1',
    'cert-dir': folder,
    'client-ca-file': file('ca.crt'),
    'tls-cert-file': file('server.crt'),
    'tls-private-key-file': file('server.key'),
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-account-key-file': file('sa.key'),
    'service-account-signing-key-file': file('sa.key'),
    'service-cluster-ip-range': '10.96.0.0/12',
    'authorization-mode': 'Node,RBAC',
    'allow-privileged': 'true',
    'enable-bootstrap-token-auth': 'true',
    'enable-admission-plugins': 'NodeRestriction',
    // No controller makes the service accounts in a control plane that is the API server alone.
    'disable-admission-plugins': 'ServiceAccount',
  };
}

function signingKey(): string {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
}

async function startOnce(
  flags: Record<string, string>,
  { program, authority }: UpstreamApiServerOptions,
): Promise<RunningComponent | { failure: string }> {
  const [port] = await freePorts(1);
  const url = `https://127.0.0.1:${port}`;
  const args = Object.entries({ ...flags, 'secure-port': `${port}` }).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr?.on('data', (chunk) => {
    output = `${output}${chunk}`.slice(-8000);
  });
  let isOver = false;
  const ended = once(child, 'exit').then(
    () => {
      isOver = true;
    },
    (error) => {
      isOver = true;
      output += error;
    },
  );
  const admin = await authority.issue({ commonName: 'admin', organizations: ['system:masters'], usages: ['client'] });
  const client = new Client({ server: url, tls: { ca: authority.cert, ...admin }, userAgent: 'test' });
  let controllers: RunningComponent | undefined;
  const stop = async () => {
    await controllers?.stop();
    client.close();
    await stopChild(child, ended, () => isOver);
  };
  try {
    const get = async (path: string) => readText((await client.send({ method: 'GET', path })).body);
    const isReady = async () => isOver || ((await get('/readyz')) && (await get('/api/v1/namespaces/default')));
    await eventually('the real API server is ready', isReady, { within: startsWithin, story: () => output });
    if (isOver) return { failure: `the real API server ended at once:\n${output}` };
    controllers = await gatherRoles(client);
    const hasRules = async () => ((await client.get(ClusterRoles, { name: 'view' })).rules ?? []).length > 0;
    await eventually('the role `view` has its rules', hasRules, { within: startsWithin });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

async function gatherRoles(client: Client): Promise<RunningComponent> {
  // Only here: no other test of an API server has a controller manager in its process.
  const { startControllerManager } = await import('#controller-manager');
  return startControllerManager({
    client,
    listen: { host: '127.0.0.1', port: 0 },
    controllers: ['clusterrole-aggregation-controller'],
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
  });
}

async function stopChild(child: ChildProcess, ended: Promise<void>, isOver: () => boolean): Promise<void> {
  if (isOver()) return;
  child.kill('SIGTERM');
  const over = new AbortController();
  // It waits for the watches of its clients to end.
  await Promise.race([ended, systemClock.sleep(stopsWithin, over.signal)]);
  over.abort();
  if (!isOver()) child.kill('SIGKILL');
  await ended;
}
