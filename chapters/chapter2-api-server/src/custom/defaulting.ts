// Defaults: a schema says what a field is when its author says nothing. They are filled in when an object is written, and once more when
// it is read: it may be older than the default.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting/algorithm.go, prune.go

import { NotImplemented } from '#kit/not-implemented';
import { isObject } from '../json.ts';
import { type Schema, schemaOfField, schemaOfItems } from './schema.ts';

/**
 * Fills in the defaults, at every depth, in `value` itself. A field that is absent gets a copy of its default, and then the defaults
 * within that; an object that is absent and has no default stays absent, whatever is in its schema. A null where the schema
 * does not say `nullable` counts as absent: the default takes its place, and without one the field goes. An item of a list that is
 * such a null gets its default, too, but without one it stays: the items behind it keep their places.
 */
export function fillDefaults(value: unknown, schema: Schema): void {
  throw new NotImplemented('2.11', 'Give each field that is absent, or null for no reason, its default, then go into the fields');
}
