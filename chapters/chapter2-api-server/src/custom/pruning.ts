// Pruning: what the schema does not name is not stored. So no client can hide something in an object today that will mean something
// else tomorrow, when the kind gets a field of that name.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning/algorithm.go

import { NotImplemented } from '#kit/not-implemented';
import type { UnknownField } from '../field-validation.ts';
import { isObject } from '../json.ts';
import { fieldIn, objectFields, type Schema, schemaOfField, schemaOfItems } from './schema.ts';

/**
 * The fields in `value` that `schema` (`schemaOfField`, `schemaOfItems`) does not know, at every depth; of an unknown field, not also what is in it.
 * `path` is where the value stands; in lists it goes on as `<path>[<index>]`. Of a whole API object, `objectFields` are known: at
 * the top (the path is empty), and where the schema says `x-kubernetes-embedded-resource`.
 * Where it says `x-kubernetes-preserve-unknown-fields`, all fields are known, but those that it names are looked into.
 */
export function fieldsToPrune(value: unknown, schema: Schema, path = ''): UnknownField[] {
  throw new NotImplemented('2.11', 'Walk through value and schema side by side, and collect the fields that only the value has');
}

/** Takes the unknown fields away. Changes the object, and gives it back. */
export function pruned<T extends object>(object: T, schema: Schema): T {
  for (const { owner, field } of fieldsToPrune(object, schema)) delete owner[field];
  return object;
}
