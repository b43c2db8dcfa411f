// Where objects live in etcd: `/registry/<resource>/<namespace>/<name>`. Range reads depend on it: everything of one
// resource, or of one namespace of it, is one prefix.
// Kubernetes: pkg/kubeapiserver/default_storage_factory_builder.go, with its historical names

import type { Collection, Target } from './object.ts';
import type { ResourceDefinition } from './resources.ts';

const historicalNames: Record<string, string> = {
  nodes: 'minions',
  services: 'services/specs',
  endpoints: 'services/endpoints',
};

/** Ends in `/`. */
export function prefixOfResource({ group, plural, custom }: ResourceDefinition): string {
  // Built-in kinds share one row of names; your own could be called like any of them, so their group is part of the key.
  if (custom || group === 'apiextensions.k8s.io') return `/registry/${group}/${plural}/`;
  return `/registry/${(group === '' && historicalNames[plural]) || plural}/`;
}

/** Ends in `/`. */
export function prefixOf({ resource, namespace }: Collection): string {
  return namespace ? `${prefixOfResource(resource)}${namespace}/` : prefixOfResource(resource);
}

export function keyOf({ resource, namespace, name }: Target): string {
  return `${prefixOf({ resource, namespace })}${name}`;
}
