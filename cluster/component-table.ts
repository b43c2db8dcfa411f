// The components as commands: each one's flags (named like the real component's where it has them) and how it starts from them.
// Modules are loaded when a component is started: a process holds one component and no other.

import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import type { AuthorizationMode, PodConnections } from '#api-server';
import { etcdFlags, etcdOptions } from '#cluster/etcd-flags';
import { type Flag, type FlagValues, listenAddress, split, UsageError, wholeNumber } from '#cluster/flags';
import { addresses } from '#cluster/layout';
import { Client } from '#kit/client';
import type { ComponentContext, RunningComponent } from '#kit/component';
import { readKubeconfig } from '#kit/kubeconfig';
import type { Logger } from '#kit/log';

export interface ComponentCommand {
  flags: Record<string, Flag>;
  /** Loads its modules: what takes longest about a start, and needs no flags yet. */
  load(): Promise<unknown>;
  start(values: Record<string, string | boolean>, context: ComponentContext): Promise<RunningComponent>;
}

function command<T extends Record<string, Flag>>(
  flags: T,
  load: () => Promise<unknown>,
  start: (values: FlagValues<T>, context: ComponentContext) => Promise<RunningComponent>,
): ComponentCommand {
  return { flags, load, start: (values, context) => start(values as FlagValues<T>, context) };
}

const kubeconfig = { description: 'the kubeconfig that says where the API server is and who this component is' };
const healthz = { description: 'HOST:PORT of /healthz and /metrics; port 0 takes a free one', default: '127.0.0.1:0' };
const read = (path: string) => readFileSync(path, 'utf8');

function clientFrom(path: string, component: string): Client {
  return new Client(readKubeconfig(path, component));
}

async function nodeShell(container: string) {
  const [{ default: Docker }, { openNodeShell }] = await Promise.all([import('dockerode'), import('#kit/node/shell')]);
  const docker = new Docker();
  return { docker, shell: await openNodeShell(docker, container) };
}

export const componentTable: Record<string, ComponentCommand> = {
  etcd: command(
    etcdFlags,
    () => import('#etcd'),
    async (flags, context) => {
      const { startEtcd } = await import('#etcd');
      return startEtcd({ ...etcdOptions(flags), ...context });
    },
  ),

  'kube-apiserver': command(
    {
      'etcd-servers': { description: 'URLs of etcd, separated by commas' },
      'etcd-cafile': { description: "the CA of etcd's certificate", default: '' },
      'etcd-certfile': { description: 'client certificate for etcd', default: '' },
      'etcd-keyfile': { description: "that certificate's key", default: '' },
      'bind-address': { description: 'address to serve on', default: '127.0.0.1' },
      'advertise-address': { description: 'the address that pods reach it by; absent: the one it serves on', default: '' },
      'secure-port': { description: 'HTTPS port; 0 takes a free one', default: '6443' },
      'tls-cert-file': { description: 'serving certificate' },
      'tls-private-key-file': { description: "that certificate's key" },
      'client-ca-file': { description: 'the CA of client certificates' },
      'kubelet-certificate-authority': { description: "the CA of the kubelets' certificates", default: '' },
      'kubelet-client-certificate': { description: 'client certificate for kubelets', default: '' },
      'kubelet-client-key': { description: "that certificate's key", default: '' },
      'kubelet-preferred-address-types': {
        description: 'which of a node’s addresses to use, best first',
        default: 'InternalDNS,InternalIP',
      },
      'pod-connections': {
        description: 'how a pod is reached that a proxy is asked for: direct, or by way of its node (kubelets)',
        default: 'kubelets',
      },
      'service-cluster-ip-range': { description: "CIDR of the Services' cluster IPs", default: addresses.serviceClusterIpRange },
      'service-account-issuer': {
        description: 'who signs service account tokens',
        default: `https://kubernetes.default.svc.${addresses.clusterDomain}`,
      },
      'service-account-signing-key-file': { description: 'the key they are signed with; absent: a new one at each start', default: '' },
      'enable-admission-plugins': {
        description: 'plugins that are asked about writes though they are not by default: OwnerReferencesPermissionEnforcement',
        default: '',
      },
      'disable-admission-plugins': {
        description: 'plugins that are not asked about writes, separated by commas: ServiceAccount, …',
        default: '',
      },
      'max-requests-inflight': { description: 'how many requests that change nothing are answered at once', default: '400' },
      'max-mutating-requests-inflight': { description: 'the same of those that change something', default: '200' },
      'request-timeout': { description: 'seconds that a request may take', default: '60' },
      'event-ttl': { description: 'seconds that an event stays after its last change', default: '3600' },
      'etcd-compaction-interval': {
        description: 'seconds between two times that etcd is told to forget what is older than the last one; 0: never',
        default: '300',
      },
      'audit-policy-file': { description: 'what of requests is written into the audit log; absent: nothing', default: '' },
      'audit-log-path': { description: 'the audit log; - is the standard output', default: '-' },
      'authorization-mode': { description: 'Node,RBAC, or AlwaysAllow: whoever has a certificate may do everything', default: 'Node,RBAC' },
    },
    () => import('#api-server'),
    async (flags, context) => {
      const { startApiServer } = await import('#api-server');
      const etcdTls = flags['etcd-cafile'] && {
        ca: read(flags['etcd-cafile']),
        ...(flags['etcd-certfile'] ? { cert: read(flags['etcd-certfile']), key: read(flags['etcd-keyfile']) } : {}),
      };
      const kubeletTls = flags['kubelet-certificate-authority'] && {
        ca: read(flags['kubelet-certificate-authority']),
        cert: read(flags['kubelet-client-certificate']),
        key: read(flags['kubelet-client-key']),
      };
      return startApiServer({
        etcdServers: split(flags['etcd-servers']),
        listen: { host: flags['bind-address'], port: Number(flags['secure-port']) },
        ...(flags['advertise-address'] ? { advertiseAddress: flags['advertise-address'] } : {}),
        tls: { cert: read(flags['tls-cert-file']), key: read(flags['tls-private-key-file']), clientCa: read(flags['client-ca-file']) },
        kubeletPreferredAddressTypes: split(flags['kubelet-preferred-address-types']),
        podConnections: podConnections(flags['pod-connections']),
        serviceClusterIpRange: flags['service-cluster-ip-range'],
        serviceAccountTokens: {
          issuer: flags['service-account-issuer'],
          ...(flags['service-account-signing-key-file'] ? { signingKey: read(flags['service-account-signing-key-file']) } : {}),
        },
        enableAdmissionPlugins: split(flags['enable-admission-plugins']),
        disableAdmissionPlugins: split(flags['disable-admission-plugins']),
        maxRequestsInFlight: wholeNumber('max-requests-inflight', flags['max-requests-inflight'], { min: 1, max: 100_000 }),
        maxMutatingRequestsInFlight: wholeNumber('max-mutating-requests-inflight', flags['max-mutating-requests-inflight'], {
          min: 1,
          max: 100_000,
        }),
        requestTimeoutMs: wholeNumber('request-timeout', flags['request-timeout'], { min: 1, max: 86_400 }) * 1000,
        eventTtlSeconds: wholeNumber('event-ttl', flags['event-ttl'], { min: 1, max: 1_000_000 }),
        compactionIntervalMs: wholeNumber('etcd-compaction-interval', flags['etcd-compaction-interval'], { min: 0, max: 1_000_000 }) * 1000,
        ...(flags['audit-policy-file'] ? { audit: await auditLog(flags['audit-policy-file'], flags['audit-log-path'], context.log) } : {}),
        authorizationMode: authorizationMode(flags['authorization-mode']),
        ...(etcdTls ? { etcdTls } : {}),
        ...(kubeletTls ? { kubeletTls } : {}),
        ...context,
      });
    },
  ),

  'kube-controller-manager': command(
    {
      kubeconfig,
      'healthz-bind-address': healthz,
      controllers: { description: 'which controllers to run, separated by commas; * for all', default: '*' },
      'root-ca-file': { description: 'the CA that every namespace is told of, so that pods trust the API server', default: '' },
      'service-account-private-key-file': {
        description: 'the key that tokens in Secrets are signed with; absent: there are none',
        default: '',
      },
      'cluster-signing-cert-file': { description: 'the CA that signs approved certificate requests; absent: nobody does', default: '' },
      'cluster-signing-key-file': { description: "that CA's key", default: '' },
      'cluster-signing-duration': { description: 'seconds that a signed certificate is good for, at most', default: '31536000' },
    },
    () => import('#controller-manager'),
    async (flags, context) => {
      const { startControllerManager } = await import('#controller-manager');
      return startControllerManager({
        client: clientFrom(flags.kubeconfig, 'kube-controller-manager'),
        listen: listenAddress(flags['healthz-bind-address']),
        ...(flags.controllers === '*' ? {} : { controllers: split(flags.controllers) }),
        ...(flags['root-ca-file'] ? { rootCa: read(flags['root-ca-file']) } : {}),
        ...(flags['service-account-private-key-file'] ? { tokenKey: read(flags['service-account-private-key-file']) } : {}),
        ...clusterSigning(flags),
        ...context,
      });
    },
  ),

  'kube-scheduler': command(
    { kubeconfig, 'healthz-bind-address': healthz },
    () => import('#scheduler'),
    async (flags, context) => {
      const { startScheduler } = await import('#scheduler');
      const client = clientFrom(flags.kubeconfig, 'kube-scheduler');
      return startScheduler({ client, listen: listenAddress(flags['healthz-bind-address']), ...context });
    },
  ),

  kubelet: command(
    {
      kubeconfig,
      'hostname-override': { description: "the node's name" },
      'node-ip': { description: "the node's address" },
      'pod-cidr': { description: "the node's share of the pods' addresses: 10.244.1.0/24" },
      address: { description: 'address to serve the node API on', default: '127.0.0.1' },
      port: { description: 'port of the node API; 0 takes a free one', default: '10250' },
      'tls-cert-file': { description: 'serving certificate' },
      'tls-private-key-file': { description: "that certificate's key" },
      'client-ca-file': { description: 'the CA of client certificates' },
      'cluster-dns': { description: "the pods' name server", default: addresses.clusterDns },
      'cluster-domain': { description: 'the domain that Services live in', default: addresses.clusterDomain },
      'container-runtime': { description: 'docker, or hollow: one that only pretends', default: 'docker' },
      'node-container': { description: 'the container that is the node (runtime docker)', default: '' },
      'root-dir': { description: 'the folder of the pods’ volumes; absent: none can be mounted (runtime docker)', default: '' },
      cluster: { description: "the cluster's name, a label on every container it makes", default: 'kubekata' },
    },
    () => Promise.all([import('#kubelet'), import('#kubelet/docker-runtime'), import('dockerode')]),
    async (flags, context) => {
      const { startKubelet } = await import('#kubelet');
      return startKubelet({
        client: clientFrom(flags.kubeconfig, 'kubelet'),
        nodeName: flags['hostname-override'],
        nodeIp: flags['node-ip'],
        podCidr: flags['pod-cidr'],
        runtime: await containerRuntime(flags, context),
        listen: { host: flags.address, port: Number(flags.port) },
        tls: { cert: read(flags['tls-cert-file']), key: read(flags['tls-private-key-file']), clientCa: read(flags['client-ca-file']) },
        clusterDns: flags['cluster-dns'],
        clusterDomain: flags['cluster-domain'],
        ...(flags['root-dir'] ? { disk: await kubeletDisk(flags['root-dir']) } : {}),
        ...context,
      });
    },
  ),

  'kube-proxy': command(
    {
      kubeconfig,
      'hostname-override': { description: "the node's name" },
      'node-container': { description: 'the container that is the node' },
      'cluster-cidr': { description: 'the addresses of all pods', default: addresses.clusterCidr },
      'service-cluster-ip-range': { description: "CIDR of the Services' cluster IPs", default: addresses.serviceClusterIpRange },
      'healthz-bind-address': healthz,
    },
    () => Promise.all([import('#kube-proxy'), import('dockerode')]),
    async (flags, context) => {
      const { startKubeProxy } = await import('#kube-proxy');
      const { shell } = await nodeShell(flags['node-container']);
      return startKubeProxy({
        client: clientFrom(flags.kubeconfig, 'kube-proxy'),
        nodeName: flags['hostname-override'],
        shell,
        clusterCidr: flags['cluster-cidr'],
        serviceClusterIpRange: flags['service-cluster-ip-range'],
        listen: listenAddress(flags['healthz-bind-address']),
        ...context,
      });
    },
  ),

  dns: command(
    {
      kubeconfig,
      listen: { description: 'HOST:PORT, UDP and TCP; port 0 takes a free one', default: '127.0.0.1:0' },
      'cluster-domain': { description: 'the domain that Services live in', default: addresses.clusterDomain },
      upstreams: { description: 'name servers for everything else, separated by commas', default: '' },
    },
    () => import('#kube-proxy/dns'),
    async (flags, context) => {
      const { startDns } = await import('#kube-proxy/dns');
      const client = clientFrom(flags.kubeconfig, 'dns');
      return startDns({
        client,
        clusterDomain: flags['cluster-domain'],
        listen: listenAddress(flags.listen),
        upstreams: split(flags.upstreams),
        ...context,
      });
    },
  ),
};

async function auditLog(policyFile: string, path: string, log: Logger) {
  const { readPolicy } = await import('#api-server/audit/policy');
  const policy = readPolicy(read(policyFile));
  const output = path === '-' ? process.stdout : createWriteStream(path, { flags: 'a', mode: 0o600 });
  if (output !== process.stdout) {
    await once(output, 'open').catch(({ message }: Error) => {
      throw new UsageError(`--audit-log-path cannot be written: ${message}`);
    });
    output.on('error', (error) => log.error('the audit log cannot be written any more', { error }));
  }
  return { policy, write: (line: string) => void output.write(`${line}\n`) };
}

function clusterSigning(flags: Record<string, string>) {
  const { 'cluster-signing-cert-file': cert = '', 'cluster-signing-key-file': key = '', 'cluster-signing-duration': duration = '' } = flags;
  if (Boolean(cert) !== Boolean(key)) throw new UsageError('--cluster-signing-cert-file and --cluster-signing-key-file need each other');
  const durationMs = wholeNumber('cluster-signing-duration', duration, { min: 600, max: 1_000_000_000 }) * 1000;
  return cert ? { signing: { authority: { cert: read(cert), key: read(key) }, durationMs } } : {};
}

function authorizationMode(value: string | undefined): AuthorizationMode {
  if (value === 'Node,RBAC' || value === 'AlwaysAllow') return value;
  throw new UsageError(`--authorization-mode is "${value}": it must be Node,RBAC or AlwaysAllow`);
}

function podConnections(value: string | undefined): PodConnections {
  if (value === 'direct' || value === 'kubelets') return value;
  throw new UsageError(`--pod-connections is "${value}": it must be direct or kubelets`);
}

async function kubeletDisk(rootDirectory: string) {
  const [{ default: Docker }, { removeFolder }] = await Promise.all([import('dockerode'), import('#kit/node/remove-folder')]);
  const docker = new Docker();
  return { rootDirectory, removeFolder: (folder: string) => removeFolder(folder, docker) };
}

async function containerRuntime(flags: Record<string, string>, { clock, log }: ComponentContext) {
  const kind = flags['container-runtime'];
  if (kind === 'hollow') {
    const { HollowRuntime } = await import('#kubelet/hollow-runtime');
    return new HollowRuntime({ podCidr: flags['pod-cidr'] ?? '', clock });
  }
  if (kind !== 'docker') throw new UsageError(`--container-runtime is "${kind}": it must be docker or hollow`);
  const [{ DockerRuntime }, { PodNetwork }, { ensureImage }, { clusterLabel, nodeLabel }] = await Promise.all([
    import('#kubelet/docker-runtime'),
    import('#kit/node/pod-network'),
    import('#kit/node/images'),
    import('#kit/node/node-container'),
  ]);
  const { docker, shell } = await nodeShell(flags['node-container'] ?? '');
  return new DockerRuntime({
    docker,
    labels: { [clusterLabel]: flags.cluster ?? '', [nodeLabel]: flags['hostname-override'] ?? '' },
    network: new PodNetwork(shell, flags['pod-cidr'] ?? ''),
    nodeContainer: flags['node-container'] ?? '',
    ...(flags['root-dir'] ? { rootDirectory: flags['root-dir'] } : {}),
    ensureImage: (name) => ensureImage(docker, name),
    clock,
    log,
  });
}
