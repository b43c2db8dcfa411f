// The schema of every built-in kind: which fields it has, and of what type. Generated, see generated/README.md.

import generated from './generated/schemas.json' with { type: 'json' };
import type { GroupVersionKind, ResourceDefinition } from './resources.ts';

export interface OpenApiSchema {
  description?: string;
  type?: string;
  format?: string;
  properties?: Record<string, OpenApiSchema>;
  required?: string[];
  items?: OpenApiSchema;
  additionalProperties?: OpenApiSchema;
  allOf?: OpenApiSchema[];
  $ref?: string;
  [extension: string]: unknown;
}

/** By the names that schemas refer to each other with. */
export const schemas = generated as Record<string, OpenApiSchema>;

/** `io.k8s.api.apps.v1.Deployment`; of your own kinds `com.example.v1.Widget` */
export function schemaNameOf({ group, version, kind, custom }: GroupVersionKind & Pick<ResourceDefinition, 'custom'>): string {
  if (custom) return `${group.split('.').reverse().join('.')}.${version}.${kind}`;
  return `io.k8s.api.${group === '' ? 'core' : group.split('.')[0]}.${version}.${kind}`;
}

/** `#/components/schemas/<name>` → `<name>` */
export function nameOfReference(reference: string): string {
  return reference.slice(reference.lastIndexOf('/') + 1);
}
