// What every cluster has from its first moment: the namespaces and priority classes that Kubernetes itself needs,
// the Service `kubernetes`, through which pods find the API server, and what other servers must know of this one.
// Kubernetes: pkg/controlplane/controller/systemnamespaces, kubernetesservice, clusterauthenticationtrust and legacytokentracking,
// pkg/registry/scheduling/rest/storage_scheduling.go

import type { Clock } from '#kit/clock';
import { isNotFound } from '#kit/status';
import { dateOf } from './access/legacy-tokens.ts';
import { equalJson } from './json.ts';
import { keyOf } from './keys.ts';
import { systemPriorities } from './kinds/other-defaults.ts';
import { initialNamespaces } from './namespaces.ts';
import type { ApiObject } from './object.ts';
import type { Registry } from './registry.ts';
import { apiVersionOf, findResource, type ResourceDefinition } from './resources.ts';

const priorityClasses = {
  'system-cluster-critical': 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  'system-node-critical': 'Used for system critical pods that must not be moved from their current node.',
};

interface Wanted {
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  spec?: object;
  data?: Record<string, string>;
  [field: string]: unknown;
}

export interface BootstrapOptions {
  registry: Registry;
  serviceClusterIpRange: string;
  /** Of client certificates; PEM. */
  clientCa: string;
  /** Where pods reach this server. */
  address: string;
  port: number;
  clock: Clock;
}

export async function bootstrap({ registry, serviceClusterIpRange, clientCa, address, port, clock }: BootstrapOptions): Promise<void> {
  await Promise.all(initialNamespaces.map((name) => ensure(registry, '', 'namespaces', { metadata: { name } })));
  const classes = Object.entries(priorityClasses);
  await Promise.all(
    classes.map(([name, description]) =>
      ensure(registry, 'scheduling.k8s.io', 'priorityclasses', { metadata: { name }, value: systemPriorities.get(name), description }),
    ),
  );
  const name = 'kubernetes';
  const namespace = 'default';
  const https = { name: 'https', protocol: 'TCP' };
  // The server's own address, no pod's: no controller writes where this Service leads.
  const labels = { 'endpointslice.kubernetes.io/skip-mirror': 'true' };
  await Promise.all([
    // Controller manager, scheduler and extension servers trust the clients that this server trusts.
    ensure(registry, '', 'configmaps', {
      metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
      data: { 'client-ca-file': clientCa },
    }),
    // Since when it is noted which tokens in Secrets are used. Who cleans up must know: what was not used before may have been.
    ensureSince(registry, dateOf(clock)),
    ensure(registry, '', 'services', {
      metadata: { name, namespace, labels: { component: 'apiserver', provider: 'kubernetes' } },
      spec: { type: 'ClusterIP', clusterIP: firstAddress(serviceClusterIpRange), ports: [{ ...https, port: 443, targetPort: port }] },
    }),
    ensure(registry, '', 'endpoints', {
      metadata: { name, namespace, labels },
      subsets: [{ addresses: [{ ip: address }], ports: [{ ...https, port }] }],
    }),
    ensure(registry, 'discovery.k8s.io', 'endpointslices', {
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: address.includes(':') ? 'IPv6' : 'IPv4',
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [{ ...https, port }],
    }),
  ]);
}

/** The day stays as it is once it is written. */
async function ensureSince(registry: Registry, today: string): Promise<void> {
  const metadata = { name: 'kube-apiserver-legacy-service-account-token-tracking', namespace: 'kube-system' };
  const resource = findResource('', 'v1', 'configmaps') as ResourceDefinition;
  const present = await registry.storage.get(keyOf({ resource, ...metadata }));
  const { since = '' } = (present?.data ?? {}) as { since?: string };
  if (Number.isNaN(Date.parse(since))) await ensure(registry, '', 'configmaps', { metadata, data: { since: today } });
}

/** Creates the object, or sets those of its fields that are given: a server that starts again may serve at another port. */
async function ensure(registry: Registry, group: string, plural: string, wanted: Wanted): Promise<void> {
  const resource = findResource(group, 'v1', plural) as ResourceDefinition;
  const { name, namespace } = wanted.metadata;
  const target = { resource, namespace, name };
  const { metadata: _, ...fields } = wanted;
  const change = (current: ApiObject) =>
    ({ ...current, ...fields, ...(fields.spec ? { spec: { ...(current.spec as object), ...fields.spec } } : {}) }) as ApiObject;
  try {
    const present = await registry.get(target);
    if (!equalJson(change(present), present)) await registry.update(target, change);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await registry.create(target, { apiVersion: apiVersionOf(resource), kind: resource.kind, ...wanted } as ApiObject);
  }
}

/** `10.96.0.1` of `10.96.0.0/12` */
function firstAddress(cidr: string): string {
  const octets = (cidr.split('/')[0] ?? '').split('.').map(Number);
  return [...octets.slice(0, 3), (octets[3] ?? 0) + 1].join('.');
}
