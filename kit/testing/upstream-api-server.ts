// The real kube-apiserver for tests: the program that KATA_UPSTREAM_API_SERVER names (`npm run test:upstream -- chapter2` sets it).
// It is given what `startApiServer` is given, as files and flags. Beside it runs the one controller that makes its roles complete.

import { generateKeyPairSync } from 'node:crypto';
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
import { onFreePorts, startProgram } from '#kit/testing/upstream-program';
import { eventually } from '#kit/testing/wait';
import { readText } from '#kit/transport';

/** The program, when it is the real API server that is tested. */
export const upstreamApiServer = process.env.KATA_UPSTREAM_API_SERVER;

export interface UpstreamApiServerOptions {
  program: string;
  etcdUrl: string;
  authority: CertificateAuthority;
  serving: KeyPair;
  /** Of service account tokens, PEM; absent: one of its own. */
  signingKey?: string;
  /** Beside the usual ones, or in their place. */
  flags?: Record<string, string>;
}

export interface UpstreamApiServer extends RunningComponent {
  pid: number | undefined;
  /** Milliseconds from its start until it was ready. */
  readyAfter: number;
  /** See `UpstreamProgram`. */
  complaints(): string[];
}

const startsWithin = 60_000;

/** Resolves when it is ready, the namespace `default` is there, and the roles view, edit and admin have their rules. */
export async function startUpstreamApiServer(options: UpstreamApiServerOptions): Promise<UpstreamApiServer> {
  const folder = await mkdtemp(join(tmpdir(), 'kubekata-apiserver-'));
  const removeFolder = () => rm(folder, { recursive: true, force: true });
  try {
    const flags = await writeFlags(folder, options);
    const { stop, ...server } = await onFreePorts(() => startOnce(flags, options));
    return { ...server, stop: () => stop().finally(removeFolder) };
  } catch (error) {
    await removeFolder();
    throw error;
  }
}

async function writeFlags(
  folder: string,
  { etcdUrl, authority, serving, signingKey = newSigningKey(), flags = {} }: UpstreamApiServerOptions,
): Promise<Record<string, string>> {
  const files = { 'ca.crt': authority.cert, 'server.crt': serving.cert, 'server.key': serving.key, 'sa.key': signingKey };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content, { mode: 0o600 });
  const file = (name: keyof typeof files) => join(folder, name);
  return {
    'etcd-servers': etcdUrl,
    'bind-address': '127.0.0.1',
    'cert-dir': folder,
    'client-ca-file': file('ca.crt'),
    'tls-cert-file': file('server.crt'),
    'tls-private-key-file': file('server.key'),
    'kubelet-certificate-authority': file('ca.crt'),
    'kubelet-client-certificate': file('server.crt'),
    'kubelet-client-key': file('server.key'),
    'kubelet-preferred-address-types': 'InternalDNS,InternalIP',
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-account-key-file': file('sa.key'),
    'service-account-signing-key-file': file('sa.key'),
    'service-cluster-ip-range': '10.96.0.0/12',
    'authorization-mode': 'Node,RBAC',
    'allow-privileged': 'true',
    'enable-bootstrap-token-auth': 'true',
    'enable-admission-plugins': 'NodeRestriction,OwnerReferencesPermissionEnforcement',
    // There is no kube-proxy either: webhooks behind a service are found by its endpoints.
    'enable-aggregator-routing': 'true',
    // No controller makes the service accounts in a control plane that is the API server alone.
    'disable-admission-plugins': 'ServiceAccount',
    ...flags,
  };
}

/** In the one form that all flags take. */
export function newSigningKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'sec1', format: 'pem' }).toString();
}

async function startOnce(flags: Record<string, string>, { program, authority }: UpstreamApiServerOptions): Promise<UpstreamApiServer> {
  const admin = await authority.issue({ commonName: 'admin', organizations: ['system:masters'], usages: ['client'] });
  const [port] = await freePorts(1);
  const url = `https://127.0.0.1:${port}`;
  const startedAt = systemClock.now();
  let readyAfter = 0;
  const server = startProgram(program, { ...flags, 'secure-port': `${port}` });
  const client = new Client({ server: url, tls: { ca: authority.cert, ...admin }, userAgent: 'test' });
  let controllers: RunningComponent | undefined;
  const stop = async () => {
    await controllers?.stop();
    client.close();
    await server.stop();
  };
  try {
    const get = async (path: string) => readText((await client.send({ method: 'GET', path })).body);
    const isReady = async () => server.hasEnded() || ((await get('/readyz')) && (await get('/api/v1/namespaces/default')));
    await eventually('the real API server is ready', isReady, { within: startsWithin, story: server.story });
    if (server.hasEnded()) throw new Error(`the real API server ended at once:\n${server.story()}`);
    readyAfter = systemClock.now() - startedAt;
    controllers = await gatherRoles(client);
    const hasRules = async () => ((await client.get(ClusterRoles, { name: 'view' })).rules ?? []).length > 0;
    await eventually('the role `view` has its rules', hasRules, { within: startsWithin });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, pid: server.pid, readyAfter, complaints: server.complaints, stop };
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
