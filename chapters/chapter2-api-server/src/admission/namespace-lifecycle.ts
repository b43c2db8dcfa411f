// Nothing is created in a namespace that is missing or ending, and some namespaces never end.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go

import { NotImplemented } from '#kit/not-implemented';
import type { ApiError } from '#kit/status';
import { forbidden, notFound } from '../errors.ts';
import { keyOf } from '../keys.ts';
import { eternalNamespaces, isNamespaces, namespaceTarget } from '../namespaces.ts';
import type { Target } from '../object.ts';
import type { Storage } from '../storage.ts';
import type { AdmissionPlugin } from './admission.ts';

export function namespaceLifecycle(storage: Storage): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    async admit({ target, object, old, subresource }) {
      if (subresource !== '') return;
      if (!object) refuseDeletion(target);
      else if (!old) await admitCreation(storage, target);
    },
  };
}

function refuseDeletion({ resource, name }: Target): void {
  if (isNamespaces(resource) && eternalNamespaces.includes(name)) throw forbidden(resource, name, 'this namespace may not be deleted');
}

async function admitCreation(storage: Storage, target: Target): Promise<void> {
  const { namespace } = target;
  // The eternal ones are there, and do not end: there is nothing to ask.
  if (!namespace || eternalNamespaces.includes(namespace)) return;
  const { resource, name } = namespaceTarget(namespace);
  const found = await storage.get(keyOf(namespaceTarget(namespace)));
  if (!found) throw notFound(resource, name);
  if (found.metadata.deletionTimestamp) throw terminating(target);
}

/**
 * 403 Forbidden: `pods "web" is forbidden: unable to create new content in namespace shop because it is being terminated`. Its one cause, reason
 * NamespaceTerminating for the field `metadata.namespace`, has the message `namespace shop is being terminated`. By this reason
 * controllers know that there is no use in trying again.
 */
export function terminating({ resource, namespace, name }: Target): ApiError {
  throw new NotImplemented('2.7', 'Make the Status that says that a namespace takes nothing new');
}
