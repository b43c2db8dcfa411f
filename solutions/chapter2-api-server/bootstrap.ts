// What every cluster has from its first moment: the namespaces that Kubernetes itself needs, and the Service `kubernetes`,
// through which pods find the API server. What is there already is left alone.
// Kubernetes: pkg/controlplane/controller/systemnamespaces, pkg/controlplane/controller/kubernetesservice

import type { EndpointsObject, Namespace, Service } from '#kit/api';
import { isAlreadyExists } from '#kit/status';
import { initialNamespaces } from './namespaces.ts';
import type { ApiObject } from './object.ts';
import type { Registry } from './registry.ts';
import { findResource, type ResourceDefinition } from './resources.ts';

export interface BootstrapOptions {
  registry: Registry;
  serviceClusterIpRange: string;
  /** Where this server listens. */
  url: string;
}

export async function bootstrap({ registry, serviceClusterIpRange, url }: BootstrapOptions): Promise<void> {
  for (const name of initialNamespaces) {
    await ensure(registry, 'namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } satisfies Namespace);
  }
  const { hostname, port } = new URL(url);
  const metadata = { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } };
  await ensure(registry, 'services', {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: {
      type: 'ClusterIP',
      clusterIP: firstAddress(serviceClusterIpRange),
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: Number(port) }],
    },
  } satisfies Service);
  // The address of the server itself, not of pods: nobody else writes these endpoints.
  const { name, namespace } = metadata;
  await ensure(registry, 'endpoints', {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name, namespace, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: hostname.replace(/^\[|\]$/g, '') }], ports: [{ name: 'https', protocol: 'TCP', port: Number(port) }] }],
  } satisfies EndpointsObject);
}

async function ensure(registry: Registry, plural: string, object: object): Promise<void> {
  const resource = findResource('', 'v1', plural) as ResourceDefinition;
  const wanted = object as ApiObject;
  const namespace = wanted.metadata.namespace;
  try {
    await registry.create({ resource, namespace }, wanted);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    if (plural === 'endpoints')
      await registry.update({ resource, namespace, name: wanted.metadata.name ?? '' }, () => structuredClone(wanted));
  }
}

/** `10.96.0.1` of `10.96.0.0/12` */
function firstAddress(cidr: string): string {
  const octets = (cidr.split('/')[0] ?? '').split('.').map(Number);
  return [...octets.slice(0, 3), (octets[3] ?? 0) + 1].join('.');
}
