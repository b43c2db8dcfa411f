// The schemas of a custom kind and of its list, as OpenAPI tells them to clients. `kubectl explain` knows a custom kind by them.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder/builder.go

import type { ResourceDefinition } from '../resources.ts';
import { type OpenApiSchema, schemaNameOf } from '../schemas.ts';

const reference = (type: string) => ({ allOf: [{ $ref: `#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.${type}` }] });
const text = { type: 'string' };

/** By name; empty for a built-in kind. */
export function componentsOf(resource: ResourceDefinition): Record<string, OpenApiSchema> {
  const { group, version, kind, custom } = resource;
  if (!custom) return {};
  const name = schemaNameOf(resource);
  const typed = (kind: string) => ({ 'x-kubernetes-group-version-kind': [{ group, version, kind }] });
  const items = { type: 'array', items: { allOf: [{ $ref: `#/components/schemas/${name}` }] } };
  const own = custom.schema as OpenApiSchema;
  const whole = {
    ...own,
    type: 'object',
    properties: { ...own.properties, apiVersion: text, kind: text, metadata: reference('ObjectMeta') },
  };
  return {
    [name]: { ...whole, ...typed(kind) },
    [`${name}List`]: {
      type: 'object',
      required: ['items'],
      properties: { apiVersion: text, kind: text, metadata: reference('ListMeta'), items },
      ...typed(custom.listKind),
    },
  };
}
