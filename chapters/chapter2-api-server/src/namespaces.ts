// The life of a namespace, as far as the API server has a say in it: one that is deleted stays until the namespace controller (chapter 3)
// has emptied it and says so through /finalize. What is not created in one, and which are not deleted: admission/namespace-lifecycle.ts.
// Kubernetes: pkg/registry/core/namespace/strategy.go

import type { ApiObject, Target } from './object.ts';
import { findResource, type ResourceDefinition } from './resources.ts';

const namespaces = findResource('', 'v1', 'namespaces') as ResourceDefinition;
/** The cluster cannot work without these. */
export const eternalNamespaces = ['default', 'kube-system', 'kube-public'];
export const initialNamespaces = [...eternalNamespaces, 'kube-node-lease'];

export function isNamespaces(resource: ResourceDefinition): boolean {
  return resource === namespaces;
}

export function namespaceTarget(name: string): Target {
  return { resource: namespaces, namespace: undefined, name };
}

/** What a new namespace has: the finalizer that lets the namespace controller empty it first, a phase, and its name as a label. */
export function newNamespace(namespace: ApiObject): ApiObject {
  const { metadata, spec } = namespace as ApiObject & { spec?: { finalizers?: string[] } };
  const labels = { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name ?? '' };
  const finalizers = [...new Set([...(spec?.finalizers ?? []), 'kubernetes'])];
  return { ...namespace, metadata: { ...metadata, labels }, spec: { ...spec, finalizers }, status: { phase: 'Active' } };
}

/** What PUT `/finalize` leads to: the namespace controller takes its finalizer off, and with the last one the namespace goes. */
export function finalizersUpdated(old: ApiObject, wanted: ApiObject): ApiObject {
  const finalizers = (wanted.spec as { finalizers?: string[] } | undefined)?.finalizers ?? [];
  return { ...old, spec: { ...(old.spec as object | undefined), finalizers } };
}
