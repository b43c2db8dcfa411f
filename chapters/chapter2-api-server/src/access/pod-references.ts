// Which objects of its namespace a pod uses: its kubelet needs those, and no others. Pure.
// Kubernetes: pkg/api/v1/pod/util.go, VisitPodSecretNames and its like

import type { Pod } from '#kit/api';

export interface PodReferences {
  secrets: Set<string>;
  configmaps: Set<string>;
  persistentvolumeclaims: Set<string>;
  serviceaccounts: Set<string>;
}

export function referencesOf({ spec }: Pod): PodReferences {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  const sources = containers.flatMap(({ env = [], envFrom = [] }) => [...env.map(({ valueFrom }) => valueFrom), ...envFrom]);
  const volumes = spec?.volumes ?? [];
  const projected = volumes.flatMap((volume) => volume.projected?.sources ?? []);
  const named = (...names: (string | undefined)[]) => new Set(names.filter((name) => name !== undefined));
  const secretOf = (source: (typeof sources)[number]) =>
    source && ('secretKeyRef' in source ? source.secretKeyRef?.name : 'secretRef' in source ? source.secretRef?.name : undefined);
  const configMapOf = (source: (typeof sources)[number]) =>
    source &&
    ('configMapKeyRef' in source ? source.configMapKeyRef?.name : 'configMapRef' in source ? source.configMapRef?.name : undefined);
  return {
    secrets: named(
      ...(spec?.imagePullSecrets ?? []).map(({ name }) => name),
      ...sources.map(secretOf),
      ...volumes.map(({ secret }) => secret?.secretName),
      ...projected.map(({ secret }) => secret?.name),
    ),
    configmaps: named(
      ...sources.map(configMapOf),
      ...volumes.map(({ configMap }) => configMap?.name),
      ...projected.map(({ configMap }) => configMap?.name),
    ),
    persistentvolumeclaims: named(...volumes.map(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName)),
    serviceaccounts: named(spec?.serviceAccountName),
  };
}
