// Nodes for the kubelet's tests: on a control plane with a runtime that pretends, and on Docker with real containers. Whatever a
// test starts is gone after it, also when it fails.

import { afterAll, afterEach, beforeAll, beforeEach, jest } from '@jest/globals';
import Docker from 'dockerode';
import { sweepAbandoned, testClusterName } from '#cluster/test-clusters';
import { Events, type KubernetesObject, Leases, type Node, Nodes, type Pod, Pods, type Resource } from '#kit/api';
import type { Client } from '#kit/client';
import { type Clock, FakeClock, systemClock } from '#kit/clock';
import type { RunningComponent } from '#kit/component';
import { silentLogger } from '#kit/log';
import { ensureImage } from '#kit/node/images';
import { clusterLabel, createNode, createNodeNetwork, type NodeContainer, type NodeNetwork, nodeLabel } from '#kit/node/node-container';
import { PodNetwork } from '#kit/node/pod-network';
import { NotImplemented } from '#kit/not-implemented';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { FakeRuntime } from '#kit/testing/fake-runtime';
import { readText, Transport } from '#kit/transport';
import { type ContainerRuntime, DockerRuntime, startKubelet } from '#kubelet';
import type { PodSurroundings } from '#kubelet/apply-plan';
import type { Happening } from '#kubelet/pod-happenings';
import type { RuntimeContainer, RuntimePod, RuntimeSandbox } from '#kubelet/runtime';

export const nodeName = 'node-1';
export const nodeIp = '172.30.0.2';
export const podCidr = '10.244.1.0/24';
/** Above what any step here takes, below what a learner is willing to wait. Docker on a busy machine takes seconds to start a container. */
const patience = { pretended: { within: 5_000 }, docker: { within: 30_000 } };
jest.setTimeout(90_000);

/** What the runtime has of a pod, for pure tests. */
export function runtimePod(pod: Pod, sandboxes: Partial<RuntimeSandbox>[], containers: Partial<RuntimeContainer>[] = []): RuntimePod {
  const { uid = '', name = '', namespace = '' } = pod.metadata ?? {};
  return {
    uid,
    name,
    namespace,
    sandboxes: sandboxes.map((sandbox) => ({ id: 'sandbox-0', attempt: 0, ip: '10.244.1.2', state: 'running', ...sandbox })),
    containers: containers.map((container) => ({
      id: `${container.name ?? 'echo'}-${container.attempt ?? 0}`,
      name: 'echo',
      attempt: 0,
      sandboxId: 'sandbox-0',
      image: 'kubekata/echo:v1',
      imageId: 'sha256:e1',
      hash: '',
      state: 'running',
      createdAt: noon,
      startedAt: noon + 1_000,
      ...container,
    })),
  };
}

/** A time for pure tests: 2026-01-01 12:00:00 UTC, in milliseconds. */
export const noon = Date.UTC(2026, 0, 1, 12);

/** What a pod meets on a node, for tests that carry out plans without a kubelet. */
export function surroundings(runtime: ContainerRuntime, clock: Clock = systemClock): PodSurroundings & { happenings: Happening[] } {
  const happenings: Happening[] = [];
  return {
    runtime,
    clock,
    happenings,
    environmentSources: async (_pod, _container, podIp) => ({
      podIp,
      hostIp: nodeIp,
      services: [],
      configMaps: new Map(),
      secrets: new Map(),
    }),
    dns: () => ({ servers: ['10.96.0.10'], searches: ['default.svc.cluster.local'], options: ['ndots:5'] }),
    report: (happening) => happenings.push(happening),
  };
}

/** A control plane and a kubelet on a pretended runtime. Each test begins without nodes and pods. */
export class KubeletCluster {
  #plane: TestControlPlane | undefined;
  #kubelet: RunningComponent | undefined;
  #clock: Clock = systemClock;
  #patience = patience.pretended;
  #runtime = new FakeRuntime({ podCidr, clock: systemClock });

  static forTheseTests(): KubeletCluster {
    const cluster = new KubeletCluster();
    beforeAll(async () => {
      cluster.#plane = await startTestControlPlane();
    });
    beforeEach(() => {
      NotImplemented.forget();
      cluster.#plane?.beginStory();
      cluster.#useClock(systemClock);
    });
    afterEach(() => cluster.clear());
    afterAll(() => cluster.#plane?.stop());
    return cluster;
  }

  get plane(): TestControlPlane {
    if (!this.#plane) throw new Error('the control plane is not started');
    return this.#plane;
  }

  get client(): Client {
    return this.plane.client;
  }

  /** The pretended runtime; a kubelet that is started again finds in it what the one before left. */
  get runtime(): FakeRuntime {
    return this.#runtime;
  }

  /** From now on kubelet and runtime go by a clock that stands still at noon until the test advances it. */
  stopTime(): FakeClock {
    const clock = new FakeClock(noon);
    this.#useClock(clock);
    return clock;
  }

  /** Starts it as node-1, unless told otherwise on the pretended runtime. */
  async startKubelet(runtime: ContainerRuntime = this.#runtime): Promise<string> {
    const { context, ca, issue, clientFor } = this.plane;
    this.#patience = runtime === this.#runtime ? patience.pretended : patience.docker;
    const user = `system:node:${nodeName}`;
    const [client, serving] = await Promise.all([clientFor(user, ['system:nodes']), issue(user, ['system:nodes'])]);
    this.#kubelet = await startKubelet({
      ...context,
      client,
      nodeName,
      nodeIp,
      podCidr,
      runtime,
      clock: this.#clock,
      listen: { host: '127.0.0.1', port: 0 },
      tls: { ...serving, clientCa: ca },
      clusterDns: '10.96.0.10',
      clusterDomain: 'cluster.local',
    });
    return this.#kubelet.url;
  }

  #useClock(clock: Clock): void {
    this.#clock = clock;
    this.#runtime = new FakeRuntime({ podCidr, clock });
  }

  /** Asks the node API as the API server would, as another user, or as somebody without a certificate. */
  async ask(
    path: string,
    { anonymous = false, user = 'kube-apiserver', groups = ['system:masters'] } = {},
  ): Promise<{ code: number; body: string }> {
    const { ca, issue } = this.plane;
    const transport = new Transport(this.#kubelet?.url ?? '', anonymous ? { ca } : { ca, ...(await issue(user, groups)) });
    try {
      const { code, body } = await transport.send({ method: 'GET', path });
      return { code, body: await readText(body) };
    } finally {
      transport.close();
    }
  }

  async stopKubelet(): Promise<void> {
    await this.#kubelet?.stop();
    this.#kubelet = undefined;
  }

  eventually<T>(what: string, check: () => T | Promise<T>) {
    return this.plane.eventually(what, check, this.#patience);
  }

  /** Waits for the node to be in the API and for `check` to hold of it. */
  node(what: string, check: (node: Node) => boolean = () => true): Promise<Node> {
    return this.eventually(`node ${nodeName} ${what}`, async () => {
      const node = await this.client.get(Nodes, { name: nodeName });
      return check(node) && node;
    });
  }

  /** Creates it, already bound to the node. */
  createPod(pod: Pod): Promise<Pod> {
    return this.client.create(Pods, { ...pod, spec: { containers: [], ...pod.spec, nodeName } });
  }

  readPod(name: string): Promise<Pod> {
    return this.client.get(Pods, { name, namespace: 'default' });
  }

  /** As another component writes them. */
  writeConditions(name: string, ...conditions: { type: string; status: string }[]): Promise<Pod> {
    const patch = { status: { conditions } };
    return this.client.patch(Pods, { name, namespace: 'default' }, 'strategic-merge', patch, { subresource: 'status' });
  }

  /** Waits until `check` holds of the pod; resolves with it. */
  pod(name: string, what: string, check: (pod: Pod) => boolean): Promise<Pod> {
    return this.eventually(`pod ${name} ${what}`, async () => {
      const pod = await this.readPod(name);
      return check(pod) && pod;
    });
  }

  running(name: string): Promise<Pod> {
    return this.pod(name, 'is Running and ready', ({ status }) => status?.phase === 'Running' && isTrue(status, 'Ready'));
  }

  /** Waits for an event about the object; resolves with its message. */
  eventAbout(name: string, reason: string): Promise<string> {
    return this.eventually(`an event ${reason} about ${name}`, async () => {
      const { items } = await this.client.list(Events);
      return items.find((event) => event.involvedObject.name === name && event.reason === reason)?.message;
    });
  }

  async deletePod(name: string, gracePeriodSeconds = 0): Promise<void> {
    await this.client.delete(Pods, { name, namespace: 'default' }, { gracePeriodSeconds });
  }

  async clear(): Promise<void> {
    await this.stopKubelet();
    if (!this.#plane) return;
    for (const resource of [Pods, Nodes, Leases, Events] as Resource<KubernetesObject>[]) {
      const { items } = await this.client.list(resource);
      await Promise.all(
        items.map(({ metadata }) =>
          this.client.delete(resource, { name: metadata?.name ?? '', namespace: metadata?.namespace }, { gracePeriodSeconds: 0 }),
        ),
      );
    }
  }
}

export function isTrue(status: { conditions?: { type: string; status: string }[] } | undefined, type: string): boolean {
  return status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}

/** 409: the engine is removing it already. */
function unlessGone(error: { statusCode?: number }): void {
  if (error.statusCode !== 404 && error.statusCode !== 409) throw error;
}

/** A real node on Docker: a container that owns a network namespace, and a runtime whose pods hang on it. */
export class DockerNode {
  readonly docker = new Docker();
  readonly #cluster = testClusterName();
  #network: NodeNetwork | undefined;
  #node: NodeContainer | undefined;
  #runtimes: DockerRuntime[] = [];

  static forTheseTests(): DockerNode {
    const node = new DockerNode();
    beforeAll(() => node.#start(), 60_000);
    afterEach(() => node.#clear());
    afterAll(() => node.#remove());
    return node;
  }

  get ip(): string {
    return this.#node?.ip ?? '';
  }

  /** A runtime that sees this node's containers; stopped after the test. */
  runtime(): DockerRuntime {
    if (!this.#node) throw new Error('the node is not started');
    const runtime = new DockerRuntime({
      docker: this.docker,
      labels: { [clusterLabel]: this.#cluster, [nodeLabel]: nodeName },
      network: new PodNetwork(this.#node.shell, podCidr),
      nodeContainer: this.#node.id,
      ensureImage: (name) => ensureImage(this.docker, name),
      clock: systemClock,
      log: silentLogger,
    });
    this.#runtimes.push(runtime);
    return runtime;
  }

  /** The pods' containers on this node, running or not. */
  async containers(...labels: string[]): Promise<Docker.ContainerInfo[]> {
    const filters = { label: [`${clusterLabel}=${this.#cluster}`, 'io.kubernetes.docker.type', ...labels] };
    return this.docker.listContainers({ all: true, filters });
  }

  async #start(): Promise<void> {
    await this.docker.ping().catch((error) => {
      const remedy = 'install Docker Engine (`npm run setup -- --yes`) or Docker Desktop, and start it';
      throw new Error(`This test runs real containers, and Docker does not answer (${error.message}): ${remedy}.`);
    });
    await sweepAbandoned(this.docker);
    await ensureImage(this.docker, 'kubekata/busybox:1');
    this.#network = await createNodeNetwork(this.docker, { cluster: this.#cluster });
    this.#node = await createNode(this.docker, { cluster: this.#cluster, name: nodeName, network: this.#network, podCidr });
  }

  async #clear(): Promise<void> {
    await Promise.all(this.#runtimes.splice(0).map((runtime) => runtime.stop()));
    for (const { Id } of await this.containers().catch(() => []))
      await this.docker.getContainer(Id).remove({ force: true, v: true }).catch(unlessGone);
  }

  async #remove(): Promise<void> {
    await this.#node?.remove();
    await this.#network?.remove();
  }
}
