// The config maps and secrets that a container's environment refers to, fetched when the container is made. What doesn't exist
// is left out; whether that matters, the environment decides.
// Kubernetes: pkg/kubelet/configmap, pkg/kubelet/secret (which watch them)

import { type ConfigMap, ConfigMaps, type Container, type KubernetesObject, type Pod, type Resource, type Secret, Secrets } from '#kit/api';
import type { Client } from '#kit/client';
import { isNotFound } from '#kit/status';

export interface References {
  configMaps: ReadonlyMap<string, ConfigMap>;
  secrets: ReadonlyMap<string, Secret>;
}

export async function fetchReferences(client: Client, pod: Pod, { env = [], envFrom = [] }: Container): Promise<References> {
  const { namespace } = pod.metadata ?? {};
  const configMaps = [
    ...envFrom.map(({ configMapRef }) => configMapRef?.name),
    ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name),
  ];
  const secrets = [...envFrom.map(({ secretRef }) => secretRef?.name), ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name)];
  const [foundMaps, foundSecrets] = await Promise.all([
    fetchAll(client, ConfigMaps, namespace, configMaps),
    fetchAll(client, Secrets, namespace, secrets),
  ]);
  return { configMaps: foundMaps, secrets: foundSecrets };
}

async function fetchAll<T extends KubernetesObject>(
  client: Client,
  resource: Resource<T>,
  namespace: string | undefined,
  names: (string | undefined)[],
): Promise<Map<string, T>> {
  const found = new Map<string, T>();
  const wanted = new Set(names.filter((name) => name !== undefined));
  await Promise.all(
    [...wanted].map(async (name) => {
      try {
        found.set(name, await client.get(resource, { namespace, name }));
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }),
  );
  return found;
}
