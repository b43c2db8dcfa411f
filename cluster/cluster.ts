// A whole cluster on this machine: certificates, nodes, and every component as a process of its own, in the order in which they
// need each other. `start` resolves when all nodes are Ready; `stop` leaves nothing behind.

import { type ChildProcess, spawn } from 'node:child_process';
import { getServers } from 'node:dns';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { addDnsService } from '#cluster/add-ons';
import { etcdTitles, startEtcdMembers } from '#cluster/etcd-members';
import { Gate } from '#cluster/gate';
import { createIdentities, type Identities } from '#cluster/identities';
import { addresses } from '#cluster/layout';
import { dialer } from '#cluster/machine-address';
import { type Machines, makeMachines } from '#cluster/machines';
import { hollowPlaces, type NodePlace } from '#cluster/node-places';
import { type NodePortGate, openNodePortGate } from '#cluster/node-port-gate';
import { dnsUser, grantPermissions } from '#cluster/permissions';
import { ComponentProcesses, fileNameOf, type ProcessesOptions } from '#cluster/processes';
import { sweep } from '#cluster/sweep';
import { Nodes } from '#kit/api';
import { Client } from '#kit/client';
import type { ComponentContext } from '#kit/component';
import { readKubeconfig } from '#kit/kubeconfig';
import { removeFolder } from '#kit/node/remove-folder';

export interface ClusterOptions extends Omit<ProcessesOptions, 'clock'> {
  /** How many nodes: node-1, node-2, … */
  nodes: number;
  /** One etcd, or several that agree by Raft. */
  etcdMembers: number;
  /** Absent: hollow nodes, whose containers only pretend. */
  docker?: Docker;
  /** The API server's port; 0 takes a free one. */
  port: number;
  /** Whether somebody watches, who can repair a component of theirs that nothing goes on without: then it's waited for. */
  attended: boolean;
  /** Whether everybody may do everything: for an API server that can't say no yet. */
  allowsAll: boolean;
  context: ComponentContext;
}

const loopback = '127.0.0.1';
const backupManager = 'kube-controller-manager (backup)';
const indispensableControllers = ['serviceaccount-controller', 'root-ca-certificate-publisher-controller'];
const readyWithinMs = 60_000;
/** From when everything else serves. */
const learnersNodeWithinMs = 10_000;

export class Cluster {
  readonly #options: ClusterOptions;
  readonly #processes: ComponentProcesses;
  readonly #readyNodes = new Set<string>();
  #identities!: Identities;
  #client: Client | undefined;
  #nodePorts: NodePortGate | undefined;
  /** Where pods enter to reach the API server. */
  #podsEntrance: Gate | undefined;
  #machines: Machines | undefined;
  #reaper: ChildProcess | undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#processes = new ComponentProcesses({ ...options, clock: options.context.clock });
  }

  /**
   * Resolves when every node is Ready, with nothing; or, when it is the learner's components that are in the way, as soon as all the
   * rest goes, with what does not. Rejects with what else is in the way, after a minute at most.
   */
  async start(): Promise<string[]> {
    const { attended, mine, context, layout, notice } = this.#options;
    const over = new AbortController();
    const deadline = async () => {
      await context.clock.sleep(readyWithinMs, over.signal);
      const waiting = this.#processes.waiting();
      const what = waiting.length > 0 ? `${waiting.join(', ')} did not start` : 'not every node became Ready';
      if (mine.size === 0 || !attended) throw new Error(`${what} within ${readyWithinMs / 1000} s: see ${layout.logs}`);
      notice(`${what} yet: what is yours may be in the way. The start goes on, until Ctrl-C`);
      return new Promise<never>(() => {});
    };
    try {
      await Promise.race([this.#startAll(over.signal), deadline()]);
    } finally {
      over.abort();
    }
    return [...this.#processes.waiting().map((title) => `your ${title} does not serve yet`), ...this.#nodesNotReady()];
  }

  async #startAll(over: AbortSignal): Promise<void> {
    const { layout, docker, nodes, etcdMembers, context } = this.#options;
    await Promise.all([layout.data, layout.pki].map((folder) => removeFolder(folder, docker)));
    await Promise.all([layout.data, layout.logs].map((folder) => mkdir(folder, { recursive: true })));
    if (docker) {
      await sweep(docker, layout.cluster);
      this.#reaper = startReaper(layout.cluster);
    }
    this.#processes.prepare(...etcdTitles(etcdMembers), 'kube-apiserver');
    this.#machines = docker && makeMachines(docker, layout.cluster, nodes);
    this.#identities = await createIdentities(layout.pki);
    const server = await this.#startControlPlane();
    const places: NodePlace[] = (await this.#machines?.places) ?? hollowPlaces(nodes);
    await Promise.all([
      this.#startLoops(server),
      ...places.map((place) => this.#startNode(server, place)),
      ...(this.#machines ? [this.#startNetworkServices(server, this.#machines)] : []),
    ]);
    const impatience = new AbortController();
    const ready = this.#nodesReady(AbortSignal.any([over, impatience.signal]));
    // A kubelet that is not written yet makes no node Ready, and the rest of the cluster is there to be used.
    const kubeletIsMine = this.#processes.isMine('kubelet');
    await Promise.race([ready, ...(kubeletIsMine ? [context.clock.sleep(learnersNodeWithinMs, over)] : [])]);
    impatience.abort();
  }

  /** Stops everything and removes what was made in Docker. */
  async stop(): Promise<void> {
    const { docker, layout } = this.#options;
    await this.#nodePorts?.stop();
    this.#podsEntrance?.close();
    await this.#processes.stop();
    this.#client?.close();
    // What is being made now must be there before it can be swept away.
    await Promise.allSettled([this.#machines?.places]);
    if (docker) while ((await sweep(docker, layout.cluster)) > 0);
    this.#reaper?.stdin?.end('done');
  }

  /** Starts etcd and the API server; resolves with the API server's URL. */
  async #startControlPlane(): Promise<string> {
    const { layout, port, etcdMembers } = this.#options;
    const hosts = [loopback, 'localhost'];
    const [server, etcdClient, kubeletClient] = await Promise.all([
      this.#identities.certificate('apiserver', {
        commonName: 'kube-apiserver',
        hosts: [
          ...hosts,
          'kubernetes',
          'kubernetes.default',
          'kubernetes.default.svc',
          `kubernetes.default.svc.${addresses.clusterDomain}`,
          addresses.apiServer,
        ],
        usages: ['server'],
      }),
      this.#identities.certificate('apiserver-etcd-client', { commonName: 'kube-apiserver-etcd-client', usages: ['client'] }),
      // The kubelets ask the API server whether it may. As with kubeadm, until it had groups of its own.
      this.#identities.certificate('apiserver-kubelet-client', {
        commonName: 'kube-apiserver-kubelet-client',
        organizations: ['system:masters'],
        usages: ['client'],
      }),
    ]);
    const ca = this.#identities.caFile;
    const etcdUrls = await startEtcdMembers(this.#processes, { identities: this.#identities, layout, members: etcdMembers });
    this.#prepareOthers();
    const address = await this.#machines?.address;
    const apiServer = await this.#processes.start('kube-apiserver', (url) => ({
      'etcd-servers': etcdUrls.join(','),
      'etcd-cafile': ca,
      'etcd-certfile': etcdClient.certFile,
      'etcd-keyfile': etcdClient.keyFile,
      'secure-port': url ? new URL(url).port : String(port),
      ...(address ? { 'advertise-address': address.reachedBy } : {}),
      'tls-cert-file': server.certFile,
      'tls-private-key-file': server.keyFile,
      'client-ca-file': ca,
      'kubelet-certificate-authority': ca,
      'kubelet-client-certificate': kubeletClient.certFile,
      'kubelet-client-key': kubeletClient.keyFile,
      'service-account-signing-key-file': this.#identities.signingKeyFile,
      // Tokens and who they belong to come with the same stage as permissions.
      ...(this.#options.allowsAll ? { 'authorization-mode': 'AlwaysAllow', 'disable-admission-plugins': 'ServiceAccount' } : {}),
    }));
    await apiServer.serves;
    await this.#identities.kubeconfig(layout.kubeconfig, apiServer.url, { user: 'kubernetes-admin', groups: ['system:masters'] });
    this.#client = new Client(readKubeconfig(layout.kubeconfig, 'kubekata'));
    await grantPermissions(this.#client).catch((error: Error) => {
      if (!this.#processes.isMine('kube-apiserver')) throw error;
      this.#options.notice(`your kube-apiserver does not take the cluster's roles: ${error.message}`);
    });
    return apiServer.url;
  }

  async #startLoops(server: string): Promise<void> {
    const start = async (title: string, user: string, flags: Record<string, string> = {}) => {
      const kubeconfig = await this.#kubeconfig(fileNameOf(title), server, `system:${user}`);
      await this.#processes.start(title, () => ({ kubeconfig, ...flags }));
    };
    const { caFile, caKeyFile, signingKeyFile } = this.#identities;
    const rootCa = { 'root-ca-file': caFile };
    const signing = {
      'cluster-signing-cert-file': caFile,
      'cluster-signing-key-file': caKeyFile,
      'service-account-private-key-file': signingKeyFile,
    };
    await Promise.all([
      start('kube-controller-manager', 'kube-controller-manager', { ...rootCa, ...signing }),
      start('kube-scheduler', 'kube-scheduler'),
      ...(this.#needsBackup
        ? [start(backupManager, 'kube-controller-manager', { ...rootCa, controllers: indispensableControllers.join(',') })]
        : []),
    ]);
  }

  /** Without some of the controllers no pod can be made; a controller manager that is being written must not stand in the way. */
  get #needsBackup(): boolean {
    return this.#processes.isMine('kube-controller-manager');
  }

  async #startNode(server: string, { name, ip, podCidr, container }: NodePlace): Promise<void> {
    const { layout } = this.#options;
    const [kubeconfig, proxyKubeconfig, serving] = await Promise.all([
      this.#kubeconfig(`kubelet-${name}`, server, `system:node:${name}`, ['system:nodes']),
      this.#kubeconfig(`kube-proxy-${name}`, server, 'system:kube-proxy'),
      this.#identities.certificate(`kubelet-${name}`, {
        commonName: `system:node:${name}`,
        hosts: [loopback, 'localhost', name, ip],
        usages: ['server'],
      }),
    ]);
    const kubelet = this.#processes.start(`kubelet (${name})`, (url) => ({
      kubeconfig,
      'hostname-override': name,
      'node-ip': ip,
      'pod-cidr': podCidr,
      port: url ? new URL(url).port : '0',
      'tls-cert-file': serving.certFile,
      'tls-private-key-file': serving.keyFile,
      'client-ca-file': this.#identities.caFile,
      cluster: layout.cluster,
      ...(container
        ? { 'node-container': container.id, 'root-dir': join(layout.data, `kubelet-${name}`) }
        : { 'container-runtime': 'hollow' }),
    }));
    // A hollow node has no network namespace that rules could be written into.
    const proxy =
      container &&
      this.#processes.start(`kube-proxy (${name})`, () => ({
        kubeconfig: proxyKubeconfig,
        'hostname-override': name,
        'node-container': container.id,
      }));
    await Promise.all([kubelet, proxy]);
  }

  async #startNetworkServices(server: string, { docker, network, places, address }: Machines): Promise<void> {
    const client = this.#client as Client;
    const { listen, reachedBy } = await address;
    const [first] = await places;
    const { context, notice } = this.#options;
    this.#openToPods(listen, Number(new URL(server).port));
    if (first) this.#nodePorts = await openNodePortGate(client, await dialer(docker, await network, first.container), context, notice);
    const kubeconfig = await this.#kubeconfig('dns', server, dnsUser);
    const dns = await this.#processes.start('dns', (url) => ({
      kubeconfig,
      listen: url ? new URL(url).host : `${listen}:0`,
      upstreams: getServers().join(','),
    }));
    const served = dns.serves.then(() => addDnsService(client, { host: reachedBy, port: Number(new URL(dns.url).port) }));
    if (dns.url) await served;
    else served.catch((error: Error) => notice(`the Service kube-dns can't be made: ${error.message}`));
  }

  /** The API server itself listens on loopback only; pods come by the nodes' network. */
  #openToPods(host: string, port: number): void {
    if (host === loopback) return;
    const { notice } = this.#options;
    const failed = (message: string) => notice(`pods can't reach the API server, for ${host}:${port} is not open: ${message}`);
    this.#podsEntrance = new Gate({ host, port }, () => connect(port, loopback), failed);
  }

  #kubeconfig(name: string, server: string, user: string, groups: string[] = []): Promise<string> {
    return this.#identities.kubeconfig(join(this.#options.layout.pki, `${name}.kubeconfig`), server, { user, groups });
  }

  /** What comes after etcd loads its modules while the API server starts. */
  #prepareOthers(): void {
    const { docker, nodes } = this.#options;
    const perNode = hollowPlaces(nodes).flatMap(({ name }) => [`kubelet (${name})`, ...(docker ? [`kube-proxy (${name})`] : [])]);
    const managers = ['kube-controller-manager', ...(this.#needsBackup ? [backupManager] : [])];
    this.#processes.prepare(...managers, 'kube-scheduler', ...perNode, ...(docker ? ['dns'] : []));
  }

  /** Resolves when every node's condition Ready is True, or when it is over. */
  async #nodesReady(signal: AbortSignal): Promise<void> {
    for await (const { object } of (this.#client as Client).watch(Nodes, { signal })) {
      const condition = object.status?.conditions?.find(({ type }) => type === 'Ready');
      if (condition?.status === 'True') this.#readyNodes.add(object.metadata?.name ?? '');
      if (this.#readyNodes.size === this.#options.nodes) return;
    }
  }

  #nodesNotReady(): string[] {
    return hollowPlaces(this.#options.nodes).flatMap(({ name }) => (this.#readyNodes.has(name) ? [] : [`${name} is not Ready`]));
  }

  /** Starts the learner's components of that chapter anew, since their code has changed: all of them, or those that don't serve. */
  renew(chapter: number, which: 'all' | 'down'): void {
    this.#processes.renew(chapter, which);
  }
}

function startReaper(cluster: string): ChildProcess {
  const reaper = spawn(process.execPath, ['cluster/reaper.ts', cluster], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  reaper.unref();
  return reaper;
}
