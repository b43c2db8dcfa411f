// A control plane for tests: etcd and the API server in this process, over real sockets with real TLS, on free ports, in a
// folder of their own. Which etcd and API server that is, yours or the reference's, is up to the `#…` names as everywhere.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiServerOptions, startApiServer } from '#api-server';
import { startEtcd } from '#etcd';
import { Client } from '#kit/client';
import { systemClock, systemRandom } from '#kit/clock';
import type { ComponentContext, RunningComponent } from '#kit/component';
import { createLogger, stderrSink } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import { createCertificateAuthority, type KeyPair } from '#kit/pki';
import { Complaints } from '#kit/testing/complaints';
import { Timeline } from '#kit/testing/timeline';
import { newSigningKey, startUpstreamApiServer, upstreamApiServer } from '#kit/testing/upstream-api-server';
import { isUpstream, startUpstreamEtcd } from '#kit/testing/upstream-etcd';
import { eventually, type Truthy, type WaitOptions } from '#kit/testing/wait';

const loopback = { host: '127.0.0.1', port: 0 };
const hosts = ['127.0.0.1', 'localhost'];

export interface TestControlPlane {
  /** A cluster admin's client. */
  readonly client: Client;
  readonly serverUrl: string;
  /** The cluster's CA, PEM. */
  readonly ca: string;
  /** Its key, for who signs certificates. */
  readonly caKey: string;
  /** What service account tokens are signed with, PEM: for who signs some, too. */
  readonly signingKey: string;
  /** For components that a test starts; `KUBEKATA_LOG=info` shows what they log. */
  readonly context: ComponentContext;
  /** A certificate of the cluster's CA, good for serving on loopback and as a client. */
  issue(user: string, groups?: string[], moreHosts?: string[]): Promise<KeyPair>;
  clientFor(user: string, groups?: string[]): Promise<Client>;
  /** What happened since `beginStory`, or from the start: the timeline, and what the components complained of. */
  story(): string;
  /** Forgets what happened until now: for tests that share a control plane, before each. */
  beginStory(): void;
  /** Waits like `#kit/testing/wait`'s, and tells the story when it gives up. */
  eventually<T>(what: string, check: () => T | Promise<T>, options?: WaitOptions): Promise<Truthy<T>>;
  stop(): Promise<void>;
}

export interface TestControlPlaneOptions {
  /** What is otherwise than usual. Usual is: no plugin that needs a controller, for there is none. */
  apiServer?: Partial<ApiServerOptions>;
}

let ahead: TestControlPlane | undefined;

/** Starts the one that the next `startTestControlPlane` without options gives. */
export async function startAhead(): Promise<void> {
  ahead = await start({});
}

export async function startTestControlPlane(options?: TestControlPlaneOptions): Promise<TestControlPlane> {
  if (options) return start(options);
  const ready = ahead;
  ahead = undefined;
  return ready ?? start({});
}

async function start({ apiServer: unusual = {} }: TestControlPlaneOptions): Promise<TestControlPlane> {
  NotImplemented.forget();
  const cleanUp: (() => Promise<unknown> | unknown)[] = [];
  const stop = async () => {
    for (let step = cleanUp.pop(); step; step = cleanUp.pop()) await step();
  };
  try {
    const authority = await createCertificateAuthority('kubekata-test');
    const issue = (user: string, groups: string[] = [], moreHosts: string[] = []) =>
      authority.issue({ commonName: user, organizations: groups, hosts: [...hosts, ...moreHosts], usages: ['client', 'server'] });
    const complaints = new Complaints();
    const log = createLogger('test', (entry) => {
      complaints.sink(entry);
      if (process.env.KUBEKATA_LOG) stderrSink(entry);
    });
    const context: ComponentContext = { clock: systemClock, random: systemRandom, log };

    const dataDir = await mkdtemp(join(tmpdir(), 'kubekata-'));
    cleanUp.push(() => rm(dataDir, { recursive: true, force: true }));
    const etcd = await (isUpstream ? startUpstreamEtcd(dataDir) : startEtcd({ dataDir, listen: loopback, ...context }));
    cleanUp.push(() => etcd.stop());

    const serving = await issue('kube-apiserver');
    const signingKey = newSigningKey();
    const startOurs = (): Promise<RunningComponent> =>
      startApiServer({
        etcdServers: [etcd.url],
        listen: loopback,
        tls: { ...serving, clientCa: authority.cert },
        kubeletTls: { ...serving, ca: authority.cert },
        kubeletPreferredAddressTypes: ['InternalDNS', 'InternalIP'],
        disableAdmissionPlugins: ['ServiceAccount'],
        serviceAccountTokens: { signingKey },
        ...context,
        ...unusual,
      });
    const startReal = (program: string) => startUpstreamApiServer({ program, etcdUrl: etcd.url, authority, serving, signingKey });
    const apiServer = await (upstreamApiServer ? startReal(upstreamApiServer) : startOurs());
    cleanUp.push(() => apiServer.stop());

    const clientFor = async (user: string, groups: string[] = []) => {
      const client = new Client({ server: apiServer.url, tls: { ca: authority.cert, ...(await issue(user, groups)) }, userAgent: user });
      cleanUp.push(() => client.close());
      return client;
    };
    const client = await clientFor('admin', ['system:masters']);
    let timeline: Timeline | undefined = new Timeline(client);
    cleanUp.push(async () => {
      await timeline?.stop();
      timeline = undefined;
    });
    const story = () => {
      const complained = complaints.story();
      return `${timeline?.story() ?? ''}${complained ? `\n\nWhat the components complained of:\n${complained}` : ''}`;
    };
    const beginStory = () => {
      timeline?.begin();
      complaints.begin();
    };
    return {
      client,
      issue,
      clientFor,
      story,
      beginStory,
      stop,
      context,
      serverUrl: apiServer.url,
      ca: authority.cert,
      caKey: authority.key,
      signingKey,
      eventually: (what, check, options) => eventually(what, check, { story, ...options }),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
