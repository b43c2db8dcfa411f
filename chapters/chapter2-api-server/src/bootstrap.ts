// What every cluster has from its first moment: the namespaces that Kubernetes itself needs, and the Service `kubernetes`,
// through which pods find the API server.
// Kubernetes: pkg/controlplane/controller/systemnamespaces, pkg/controlplane/controller/kubernetesservice

import { isNotFound } from '#kit/status';
import { equalJson } from './json.ts';
import { initialNamespaces } from './namespaces.ts';
import type { ApiObject } from './object.ts';
import type { Registry } from './registry.ts';
import { apiVersionOf, findResource, type ResourceDefinition } from './resources.ts';

interface Wanted {
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  spec?: object;
  subsets?: object[];
}

export interface BootstrapOptions {
  registry: Registry;
  serviceClusterIpRange: string;
  /** Where this server listens. */
  url: string;
}

export async function bootstrap({ registry, serviceClusterIpRange, url }: BootstrapOptions): Promise<void> {
  for (const name of initialNamespaces) await ensure(registry, 'namespaces', { metadata: { name } });
  const { hostname, port } = new URL(url);
  const name = 'kubernetes';
  const namespace = 'default';
  const https = { name: 'https', protocol: 'TCP' };
  await ensure(registry, 'services', {
    metadata: { name, namespace, labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP: firstAddress(serviceClusterIpRange),
      ports: [{ ...https, port: 443, targetPort: Number(port) }],
    },
  });
  // The address of the server itself, not of pods: no controller writes these endpoints.
  await ensure(registry, 'endpoints', {
    metadata: { name, namespace, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: hostname.replace(/^\[|\]$/g, '') }], ports: [{ ...https, port: Number(port) }] }],
  });
}

/** Creates the object, or sets those of its fields that are given: a server that starts again may serve at another port. */
async function ensure(registry: Registry, plural: string, wanted: Wanted): Promise<void> {
  const resource = findResource('', 'v1', plural) as ResourceDefinition;
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
