// An API object as the server handles it: whatever the kind, it has a type, metadata, and fields of its own.
// Lists and maps of it are plain JSON; nothing here knows pods from services.

import type { KubernetesObject, ObjectMeta } from '#kit/api';
import type { ResourceDefinition } from './resources.ts';

/** The same fields as a client sees; here they are written, too. */
export type Metadata = { -readonly [Field in keyof ObjectMeta]: ObjectMeta[Field] };

export interface ApiObject extends KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  [field: string]: unknown;
}

/** A place in the API: a resource, in one namespace or in none. */
export interface Collection {
  resource: ResourceDefinition;
  /** undefined for cluster-scoped resources, and for "all namespaces" */
  namespace: string | undefined;
}

/** One object's place in the API. */
export interface Target extends Collection {
  name: string;
}

export function targetOf({ resource, namespace }: Collection, object: ApiObject): Target {
  return {
    resource,
    namespace: resource.namespaced ? (object.metadata.namespace ?? namespace) : undefined,
    name: object.metadata.name ?? '',
  };
}
