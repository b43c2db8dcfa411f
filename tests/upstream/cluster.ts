// A cluster for the tests of the real components: our etcd and API server (or the real one, where KATA_UPSTREAM_API_SERVER names it), the
// real controller manager and scheduler where they are named and ours where not, and our kubelets on nodes that only pretend.

import { appendFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KubernetesObject, keyOf, Namespaces, Nodes, type Pod, Pods, type Resource, ServiceAccounts } from '#kit/api';
import type { RunningComponent } from '#kit/component';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { type Kubectl, kubectlFor } from '#kit/testing/kubectl';
import type { UpstreamProgram } from '#kit/testing/upstream-program';
import type { Truthy } from '#kit/testing/wait';
import { HollowRuntime, startKubelet } from '#kubelet';
import { startUpstreamControllerManager, startUpstreamScheduler, upstreamControllerManager, upstreamScheduler } from './programs.ts';

export interface UpstreamClusterOptions {
  /** How many; two by default. */
  nodes?: number;
}

interface TestNode {
  runtime: HollowRuntime;
  kubelet: RunningComponent;
}

/** Every plugin that is on by default, and the one that asks whether a controller may make others wait. */
const strict = { disableAdmissionPlugins: [], enableAdmissionPlugins: ['OwnerReferencesPermissionEnforcement'] };

/** Components of a whole cluster on a small machine take their time. */
const within = 60_000;

export class UpstreamCluster {
  readonly plane: TestControlPlane;
  /** As a cluster admin. */
  readonly kubectl: Kubectl;
  readonly managers: UpstreamProgram[] = [];
  readonly schedulers: UpstreamProgram[] = [];
  readonly #folder: string;
  readonly #nodes = new Map<string, TestNode>();
  readonly #ours: RunningComponent[] = [];

  private constructor(plane: TestControlPlane, kubectl: Kubectl, folder: string) {
    this.plane = plane;
    this.kubectl = kubectl;
    this.#folder = folder;
  }

  static async start({ nodes = 2 }: UpstreamClusterOptions = {}): Promise<UpstreamCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'kubekata-upstream-'));
    const plane = await startTestControlPlane({ apiServer: strict });
    const cluster = new UpstreamCluster(plane, await kubectlFor(plane), folder);
    try {
      await cluster.startControllerManager();
      await cluster.startScheduler();
      for (let number = 1; number <= nodes; number++) await cluster.startNode(number);
      await cluster.eventually('every node is ready and open', async () => {
        const { items } = await plane.client.list(Nodes);
        return items.length === nodes && items.every(({ spec, status }) => !spec?.taints && isReady(status?.conditions));
      });
      await cluster.until(ServiceAccounts, { metadata: { name: 'default', namespace: 'default' } }, Boolean);
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get client() {
    return this.plane.client;
  }

  /** One more; they elect whose word counts. */
  async startControllerManager(): Promise<void> {
    const { client, context, ca: rootCa, signingKey: tokenKey } = this.plane;
    const folder = join(this.#folder, `manager-${this.managers.length}`);
    if (upstreamControllerManager) {
      this.managers.push(await startUpstreamControllerManager(upstreamControllerManager, this.plane, folder));
    } else {
      const { startControllerManager } = await import('#controller-manager');
      this.#ours.push(await startControllerManager({ client, listen: loopback, rootCa, tokenKey, ...context }));
    }
  }

  /** One more; they elect whose word counts. */
  async startScheduler(): Promise<void> {
    const { client, context } = this.plane;
    const folder = join(this.#folder, `scheduler-${this.schedulers.length}`);
    if (upstreamScheduler) {
      this.schedulers.push(await startUpstreamScheduler(upstreamScheduler, this.plane, folder));
    } else {
      const { startScheduler } = await import('#scheduler');
      this.#ours.push(await startScheduler({ client, listen: loopback, ...context }));
    }
  }

  /** `node-<number>`: 8 CPUs, 16 GiB. */
  async startNode(number: number): Promise<void> {
    const { context, issue, ca } = this.plane;
    const name = `node-${number}`;
    const podCidr = `10.${244 + (number >> 8)}.${number & 255}.0/24`;
    const runtime = new HollowRuntime({ podCidr, clock: context.clock });
    const kubelet = await startKubelet({
      client: await this.plane.clientFor(`system:node:${name}`, ['system:nodes']),
      nodeName: name,
      nodeIp: `172.30.${number >> 8}.${number & 255}`,
      podCidr,
      runtime,
      listen: loopback,
      tls: { ...(await issue(`system:node:${name}`, ['system:nodes'])), clientCa: ca },
      clusterDns: '10.96.0.10',
      clusterDomain: 'cluster.local',
      ...context,
    });
    this.#nodes.set(name, { runtime, kubelet });
  }

  /** Its kubelet is heard no more. */
  async stopKubelet(name: string): Promise<void> {
    await this.#nodes.get(name)?.kubelet.stop();
    this.#nodes.delete(name);
  }

  /** Lets a pod's containers end, as if their processes had. */
  finish({ metadata, spec }: Pod, exitCode = 0): void {
    const runtime = this.#nodes.get(spec?.nodeName ?? '')?.runtime;
    for (const { id } of runtime?.pod(metadata?.uid ?? '').containers ?? []) runtime?.exit(id, exitCode);
  }

  /** A namespace of its own, with the service account that pods are given. */
  async namespace(name: string): Promise<string> {
    await this.client.create(Namespaces, { metadata: { name } });
    await this.until(ServiceAccounts, { metadata: { name: 'default', namespace: name } }, Boolean);
    return name;
  }

  /** The pods with this label `app`, those that end included. */
  async pods(namespace: string, app: string): Promise<Pod[]> {
    return (await this.client.list(Pods, { namespace, labelSelector: `app=${app}` })).items;
  }

  /** Waits until the object is there, and as the check wants it. */
  async until<T extends KubernetesObject>(resource: Resource<T>, object: T, is: (object: T) => unknown): Promise<T> {
    const { name = '', namespace } = object.metadata ?? {};
    const check = async () => {
      const present = await this.client.get(resource, { name, namespace });
      return (await is(present)) ? present : undefined;
    };
    return (await this.eventually(`the ${resource.kind} ${keyOf(object)} is as it should be: ${is}`, check)) as T;
  }

  eventually<T>(what: string, check: () => T | Promise<T>): Promise<Truthy<T>> {
    return this.plane.eventually(what, check, { within, story: () => this.#story() });
  }

  /** What the real components complained of, each once. */
  complaints(): string[] {
    return [...new Set([...this.managers, ...this.schedulers].flatMap((program) => program.complaints()))];
  }

  /** Of those the ones that a server is to blame for, or might be. */
  faults(): string[] {
    return this.complaints().filter((line) => isFault.test(line) && !expected.some((known) => known.test(line)));
  }

  /** With KATA_UPSTREAM_COMPLAINTS, the complaints are appended to that file. */
  async stop(): Promise<void> {
    if (process.env.KATA_UPSTREAM_COMPLAINTS)
      appendFileSync(process.env.KATA_UPSTREAM_COMPLAINTS, `${this.complaints().join('\n')}\n=====\n`);
    await Promise.all([...this.managers, ...this.schedulers].map((program) => program.stop()));
    await Promise.all([...this.#nodes.values()].map(({ kubelet }) => kubelet.stop()));
    for (const component of this.#ours) await component.stop();
    await this.kubectl.dispose();
    await this.plane.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #story(): string {
    return `${this.plane.story()}\n\nWhat the real components complained of:\n${this.complaints().slice(-20).join('\n')}`;
  }
}

const isFault =
  /unknown field|watch|Failed to list|could not find the requested resource|unsupported media type|not acceptable|internal error|forbidden|unexpected|unrecognized|decode|unmarshal|EOF|reset/i;

/** What they say in a whole cluster of the real ones, too. */
const expected = [
  // They try to list by watching first; where their role lets them only list, they fall back.
  /watchlist request.* is forbidden: .* cannot watch resource/,
  // There is no metrics server.
  /unable to fetch metrics from resource metrics API/,
  // Somebody tells the last of a namespace that goes.
  /unable to create new content in namespace \S+ because it is being terminated/,
];

const loopback = { host: '127.0.0.1', port: 0 };

function isReady(conditions: { type: string; status: string }[] = []): boolean {
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}
