// The life of a namespace, as far as the API server has a say in it: nothing is created in one that is missing or ending,
// and one that is deleted stays until the namespace controller (chapter 3) has emptied it and says so through /finalize.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go

import { forbidden, notFound } from './errors.ts';
import { keyOf } from './keys.ts';
import type { ApiObject, Target } from './object.ts';
import { findResource, type ResourceDefinition } from './resources.ts';
import type { Storage } from './storage.ts';

const namespaces = findResource('', 'v1', 'namespaces') as ResourceDefinition;
/** The cluster cannot work without these. */
const eternal = ['default', 'kube-system', 'kube-public'];
export const initialNamespaces = [...eternal, 'kube-node-lease'];

export function isNamespaces(resource: ResourceDefinition): boolean {
  return resource === namespaces;
}

export function namespaceTarget(name: string): Target {
  return { resource: namespaces, namespace: undefined, name };
}

/** Throws unless something may be created here now. */
export async function admitCreation(storage: Storage, { resource, namespace, name }: Target): Promise<void> {
  // The eternal ones are there, and do not end: there is nothing to ask.
  if (!namespace || eternal.includes(namespace)) return;
  const found = await storage.get(keyOf(namespaceTarget(namespace)));
  if (!found) throw notFound(namespaces, namespace);
  if (!found.metadata.deletionTimestamp) return;
  const message = `namespace ${namespace} is being terminated`;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  throw forbidden(resource, name, why, [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }]);
}

export function admitDeletion({ resource, name }: Target): void {
  if (isNamespaces(resource) && eternal.includes(name)) throw forbidden(resource, name, 'this namespace may not be deleted');
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
