// Defaults: a schema says what a field is when its author says nothing. They are filled in when an object is written, and once more when
// it is read: it may be older than the default.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting/algorithm.go, prune.go

import { isObject, type JsonObject } from '../json.ts';
import { type Schema, schemaOfField, schemaOfItems } from './schema.ts';

/**
 * Fills in the defaults, at every depth, in `value` itself. A field that is absent gets a copy of its default, and then the defaults
 * within that; an object that is absent and has no default stays absent, whatever is in its schema. A null where the schema
 * does not say `nullable` counts as absent: the default takes its place, and without one the field goes.
 *
 * @exercise 2.11 Give each field that is absent, or null for no reason, its default, then go into the fields
 */
export function fillDefaults(value: unknown, schema: Schema): void {
  if (Array.isArray(value)) for (const item of value) fillDefaults(item, schemaOfItems(schema));
  if (!isObject(value)) return;
  for (const [field, inner] of Object.entries(schema.properties ?? {})) {
    if (inner.default !== undefined && isAbsent(value, field, inner)) value[field] = structuredClone(inner.default);
  }
  for (const field of Object.keys(value)) {
    const inner = schemaOfField(schema, field);
    if (!inner) continue;
    if (isAbsent(value, field, inner) && !inner['x-kubernetes-preserve-unknown-fields']) delete value[field];
    else fillDefaults(value[field], inner);
  }
}

/** @solution */
function isAbsent(object: JsonObject, field: string, { nullable }: Schema): boolean {
  return !Object.hasOwn(object, field) || (object[field] === null && !nullable);
}
