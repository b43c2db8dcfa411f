// Objects and lists in the form that the client asked for: whole, as a table, or only their metadata.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/response.go

import type { ListMeta } from '#kit/api';
import type { Clock } from '#kit/clock';
import { toServed } from './conversion.ts';
import { badRequest } from './errors.ts';
import type { Representation } from './negotiation.ts';
import type { ApiObject } from './object.ts';
import { apiVersionOf, type ResourceDefinition } from './resources.ts';
import type { Entry } from './storage.ts';
import { listText } from './stored-text.ts';
import { toTable } from './tables.ts';

const includePolicies = ['None', 'Metadata', 'Object'] as const;
type IncludeObject = (typeof includePolicies)[number];

const partialObject = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1' };

export function objectRenderer(
  resource: ResourceDefinition,
  { form }: Representation,
  query: URLSearchParams,
  clock: Clock,
): (object: ApiObject) => object {
  if (form === 'Object') return (object) => toServed(object, resource);
  if (form === 'PartialObjectMetadata') return metadataOnly;
  const includeObject = readIncludeObject(query);
  return (object) => toTable(resource, [object], { resourceVersion: object.metadata.resourceVersion ?? '' }, clock, includeObject);
}

/** What a single object is, in the form that is asked for; in a table, what its rows are about. */
export function typeShown(resource: ResourceDefinition, { form }: Representation): { kind: string; apiVersion: string } {
  return form === 'PartialObjectMetadata' ? partialObject : { kind: resource.kind, apiVersion: apiVersionOf(resource) };
}

export function listRenderer(
  resource: ResourceDefinition,
  { form, contentType }: Representation,
  query: URLSearchParams,
  clock: Clock,
): (items: Entry[], metadata: ListMeta) => object {
  const objectsOf = (items: Entry[]) => items.map(({ object }) => object);
  if (form === 'Table') {
    const includeObject = readIncludeObject(query);
    return (items, metadata) => toTable(resource, objectsOf(items), metadata, clock, includeObject);
  }
  if (form === 'PartialObjectMetadata') {
    const type = { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' };
    return (items, metadata) => ({ ...type, metadata, items: objectsOf(items).map(metadataOnly) });
  }
  const type = { kind: resource.custom?.listKind ?? `${resource.kind}List`, apiVersion: apiVersionOf(resource) };
  const isAsStored = contentType === 'application/json' && !resource.conversion;
  return (items, metadata) =>
    (isAsStored ? listText(items, type, metadata, resource) : undefined) ?? {
      ...type,
      metadata,
      items: objectsOf(items).map((item) => withoutType(toServed(item, resource))),
    };
}

function metadataOnly({ metadata }: ApiObject): object {
  return { ...partialObject, metadata };
}

/** A list says once what its items are. */
function withoutType({ kind, apiVersion, ...rest }: ApiObject): object {
  return rest;
}

function readIncludeObject(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject') || 'Metadata';
  const policy = includePolicies.find((known) => known === value);
  if (!policy) throw badRequest(`includeObject: Unsupported value: "${value}": supported values: "None", "Metadata", "Object"`);
  return policy;
}
