// A whole cluster on this machine: certificates, nodes, and every component as a process of its own, in the order in which they
// need each other. `start` resolves when all nodes are Ready; `stop` leaves nothing behind.

import { type ChildProcess, spawn } from 'node:child_process';
import { getServers } from 'node:dns';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { addDnsService } from '#cluster/add-ons';
import { createIdentities, type Identities } from '#cluster/identities';
import { addresses, type Layout } from '#cluster/layout';
import { dialer, machineAddress } from '#cluster/machine-address';
import { type NodePortGate, openNodePortGate } from '#cluster/node-port-gate';
import { ComponentProcess, type FlagsFor } from '#cluster/supervisor';
import { sweep } from '#cluster/sweep';
import { Nodes } from '#kit/api';
import { Client } from '#kit/client';
import type { ComponentContext } from '#kit/component';
import { readKubeconfig } from '#kit/kubeconfig';
import { connectNodes, createNode, createNodeNetwork, type NodeContainer, type NodeNetwork } from '#kit/node/node-container';

export interface ClusterOptions {
  layout: Layout;
  /** How many nodes: node-1, node-2, … */
  nodes: number;
  /** Absent: hollow nodes, whose containers only pretend. */
  docker?: Docker;
  /** The API server's port; 0 takes a free one. */
  port: number;
  /** Chapters that are taken from the learner instead of the reference. */
  mine: Set<number>;
  context: ComponentContext;
  /** A component serves: its name, where, whose. */
  ready(row: { title: string; url: string; mine: boolean }): void;
  /** A component died, or is back. */
  notice(text: string): void;
}

interface Place {
  name: string;
  podCidr: string;
  ip: string;
  container?: NodeContainer;
}

const readyWithinMs = 60_000;
const chapterOf: Record<string, number> = {
  etcd: 1,
  'kube-apiserver': 2,
  'kube-controller-manager': 3,
  'kube-scheduler': 4,
  kubelet: 5,
  'kube-proxy': 6,
  dns: 6,
};

export class Cluster {
  readonly #options: ClusterOptions;
  /** By title, in the order they were made. */
  readonly #processes = new Map<string, ComponentProcess>();
  readonly #ready = new Set<string>();
  #identities!: Identities;
  #client: Client | undefined;
  #gate: NodePortGate | undefined;
  #reaper: ChildProcess | undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** Resolves when every node is Ready. Rejects with what is in the way, after a minute at most. */
  async start(): Promise<void> {
    const { clock } = this.#options.context;
    const over = new AbortController();
    const deadline = async () => {
      await clock.sleep(readyWithinMs, over.signal);
      const waiting = [...this.#processes.keys()].filter((title) => !this.#ready.has(title));
      const what = waiting.length > 0 ? `${waiting.join(', ')} did not start` : 'not every node became Ready';
      throw new Error(`${what} within ${readyWithinMs / 1000} s: see ${this.#options.layout.logs}`);
    };
    try {
      await Promise.race([this.#startAll(over.signal), deadline()]);
    } finally {
      over.abort();
    }
  }

  async #startAll(over: AbortSignal): Promise<void> {
    const { layout, docker } = this.#options;
    await Promise.all([layout.data, layout.pki].map((folder) => rm(folder, { recursive: true, force: true })));
    await Promise.all([layout.data, layout.logs].map((folder) => mkdir(folder, { recursive: true })));
    if (docker) {
      await sweep(docker, layout.cluster);
      this.#reaper = startReaper(layout.cluster);
    }
    this.#prepare('etcd', 'kube-apiserver');
    this.#identities = await createIdentities(layout.pki);
    const machines = docker ? this.#createNodes(docker) : undefined;
    // Awaited below; this only keeps a failure there from counting as unhandled until then.
    machines?.catch(() => {});
    const server = await this.#startControlPlane();
    const { network, places } = (await machines) ?? { network: undefined, places: this.#hollowPlaces() };
    const first = places[0]?.container;
    await Promise.all([
      this.#startLoops(server),
      ...places.map((place) => this.#startNode(server, place)),
      ...(docker && network && first ? [this.#startNetworkServices(docker, server, network, first)] : []),
    ]);
    await this.#nodesReady(over);
  }

  /** Stops everything in the reverse order and removes what was made in Docker. */
  async stop(): Promise<void> {
    const { docker, layout } = this.#options;
    await this.#gate?.stop();
    await Promise.all([...this.#processes.values()].map((process) => process.stop()));
    this.#client?.close();
    if (docker) while ((await sweep(docker, layout.cluster)) > 0);
    this.#reaper?.stdin?.end('done');
  }

  /** Starts etcd and the API server; resolves with the API server's URL. */
  async #startControlPlane(): Promise<string> {
    const { layout, port } = this.#options;
    const hosts = ['127.0.0.1', 'localhost'];
    const [etcd, server, etcdClient, kubeletClient] = await Promise.all([
      this.#identities.certificate('etcd', { commonName: 'etcd', hosts, usages: ['server', 'client'] }),
      this.#identities.certificate('apiserver', {
        commonName: 'kube-apiserver',
        hosts: [
          ...hosts,
          'kubernetes',
          'kubernetes.default',
          'kubernetes.default.svc',
          `kubernetes.default.svc.${addresses.clusterDomain}`,
          '10.96.0.1',
        ],
        usages: ['server'],
      }),
      this.#identities.certificate('apiserver-etcd-client', { commonName: 'kube-apiserver-etcd-client', usages: ['client'] }),
      this.#identities.certificate('apiserver-kubelet-client', { commonName: 'kube-apiserver-kubelet-client', usages: ['client'] }),
    ]);
    const ca = this.#identities.caFile;
    const etcdProcess = await this.#run('etcd', (url) => ({
      'data-dir': join(layout.data, 'etcd'),
      'listen-client-urls': url ?? 'https://127.0.0.1:0',
      'cert-file': etcd.certFile,
      'key-file': etcd.keyFile,
      'trusted-ca-file': ca,
    }));
    this.#prepareOthers();
    const apiServer = await this.#run('kube-apiserver', (url) => ({
      'etcd-servers': etcdProcess.url,
      'etcd-cafile': ca,
      'etcd-certfile': etcdClient.certFile,
      'etcd-keyfile': etcdClient.keyFile,
      'secure-port': url ? new URL(url).port : String(port),
      'tls-cert-file': server.certFile,
      'tls-private-key-file': server.keyFile,
      'client-ca-file': ca,
      'kubelet-certificate-authority': ca,
      'kubelet-client-certificate': kubeletClient.certFile,
      'kubelet-client-key': kubeletClient.keyFile,
    }));
    await this.#identities.kubeconfig(layout.kubeconfig, apiServer.url, { user: 'kubernetes-admin', groups: ['system:masters'] });
    this.#client = new Client(readKubeconfig(layout.kubeconfig, 'kubekata'));
    return apiServer.url;
  }

  async #startLoops(server: string): Promise<void> {
    await Promise.all(
      ['kube-controller-manager', 'kube-scheduler'].map(async (component) => {
        const kubeconfig = await this.#kubeconfig(component, server, `system:${component}`);
        await this.#run(component, () => ({ kubeconfig }));
      }),
    );
  }

  async #startNode(server: string, { name, ip, podCidr, container }: Place): Promise<void> {
    const { layout } = this.#options;
    const [kubeconfig, proxyKubeconfig, serving] = await Promise.all([
      this.#kubeconfig(`kubelet-${name}`, server, `system:node:${name}`, ['system:nodes']),
      this.#kubeconfig(`kube-proxy-${name}`, server, 'system:kube-proxy'),
      this.#identities.certificate(`kubelet-${name}`, {
        commonName: `system:node:${name}`,
        hosts: ['127.0.0.1', 'localhost', name, ip],
        usages: ['server'],
      }),
    ]);
    const kubelet = this.#run(`kubelet (${name})`, (url) => ({
      kubeconfig,
      'hostname-override': name,
      'node-ip': ip,
      'pod-cidr': podCidr,
      port: url ? new URL(url).port : '0',
      'tls-cert-file': serving.certFile,
      'tls-private-key-file': serving.keyFile,
      'client-ca-file': this.#identities.caFile,
      cluster: layout.cluster,
      ...(container ? { 'node-container': container.id } : { 'container-runtime': 'hollow' }),
    }));
    // A hollow node has no network namespace that rules could be written into.
    const proxy =
      container &&
      this.#run(`kube-proxy (${name})`, () => ({
        kubeconfig: proxyKubeconfig,
        'hostname-override': name,
        'node-container': container.id,
      }));
    await Promise.all([kubelet, proxy]);
  }

  async #startNetworkServices(docker: Docker, server: string, network: NodeNetwork, node: NodeContainer): Promise<void> {
    const client = this.#client as Client;
    const { listen, reachedBy } = await machineAddress(network, node);
    const kubeconfig = await this.#kubeconfig('dns', server, 'system:dns');
    const dns = await this.#run('dns', (url) => ({
      kubeconfig,
      listen: url ? new URL(url).host : `${listen}:0`,
      upstreams: getServers().join(','),
    }));
    await addDnsService(client, { host: reachedBy, port: Number(new URL(dns.url).port) });
    this.#gate = await openNodePortGate(client, dialer(docker, network, node), this.#options.context, this.#options.notice);
  }

  async #createNodes(docker: Docker): Promise<{ network: NodeNetwork; places: Place[] }> {
    const { cluster } = this.#options.layout;
    const network = await createNodeNetwork(docker, { cluster });
    const containers = await Promise.all(
      this.#hollowPlaces().map(({ name, podCidr }) => createNode(docker, { cluster, name, network, podCidr })),
    );
    await connectNodes(containers, addresses.clusterCidr);
    const places = this.#hollowPlaces().map((place, index) => {
      const container = containers[index] as NodeContainer;
      return { ...place, container, ip: container.ip };
    });
    return { network, places };
  }

  #hollowPlaces(): Place[] {
    return Array.from({ length: this.#options.nodes }, (_, index) => ({
      name: `node-${index + 1}`,
      podCidr: `10.244.${index + 1}.0/24`,
      ip: `172.30.0.${index + 2}`,
    }));
  }

  #kubeconfig(name: string, server: string, user: string, groups: string[] = []): Promise<string> {
    return this.#identities.kubeconfig(join(this.#options.layout.pki, `${name}.kubeconfig`), server, { user, groups });
  }

  /** What comes after etcd loads its modules while the API server starts. */
  #prepareOthers(): void {
    const { docker } = this.#options;
    const perNode = this.#hollowPlaces().flatMap(({ name }) => [`kubelet (${name})`, ...(docker ? [`kube-proxy (${name})`] : [])]);
    this.#prepare('kube-controller-manager', 'kube-scheduler', ...perNode, ...(docker ? ['dns'] : []));
  }

  #prepare(...titles: string[]): void {
    const { layout, mine, context, notice } = this.#options;
    for (const title of titles) {
      const component = componentOf(title);
      const chapter = chapterOf[component] ?? 0;
      const process = new ComponentProcess({
        title,
        component,
        cluster: layout.cluster,
        logFile: join(layout.logs, `${title.replace(/ \((.*)\)/, '-$1')}.log`),
        condition: mine.has(chapter) ? `learner-${chapter}` : undefined,
        clock: context.clock,
        notice,
      });
      this.#processes.set(title, process);
    }
  }

  async #run(title: string, flags: FlagsFor): Promise<ComponentProcess> {
    const process = this.#processes.get(title);
    if (!process) throw new Error(`${title} was not prepared`);
    await process.start(flags);
    this.#ready.add(title);
    this.#options.ready({ title, url: process.url, mine: this.#options.mine.has(chapterOf[componentOf(title)] ?? 0) });
    return process;
  }

  /** Resolves when every node's condition Ready is True, or when it is over. */
  async #nodesReady(signal: AbortSignal): Promise<void> {
    const ready = new Set<string>();
    for await (const { object } of (this.#client as Client).watch(Nodes, { signal })) {
      const condition = object.status?.conditions?.find(({ type }) => type === 'Ready');
      if (condition?.status === 'True') ready.add(object.metadata?.name ?? '');
      if (ready.size === this.#options.nodes) return;
    }
  }
}

/** `kubelet (node-1)` → `kubelet` */
function componentOf(title: string): string {
  return title.replace(/ .*/, '');
}

function startReaper(cluster: string): ChildProcess {
  const reaper = spawn(process.execPath, ['cluster/reaper.ts', cluster], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  reaper.unref();
  return reaper;
}
