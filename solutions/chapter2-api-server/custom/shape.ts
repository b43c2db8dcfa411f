// How several authors share an object of a custom kind: its schema says how the items of each list are told apart.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/util/managedfields; the schema's words: sigs.k8s.io/structured-merge-diff, schema

import { builtInShape, itemsByKeys, type Shape } from '../list-types.ts';
import { type Schema, schemaOfField } from './schema.ts';

/** Of a whole object. Metadata is like everybody's. */
export function shapeOfKind(schema: Schema): Shape {
  const shape = shapeOf(schema);
  return { ...shape, of: (field) => (field === 'metadata' ? builtInShape.of(field) : shape.of(field)) };
}

function shapeOf(schema: Schema): Shape {
  const { items = {}, 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': mapKeys = [] } = schema;
  const keys = listType === 'map' ? mapKeys : listType === 'set' ? [] : undefined;
  const defaults = Object.fromEntries(mapKeys.map((key) => [key, items.properties?.[key]?.default]));
  return {
    isAtomic: schema['x-kubernetes-map-type'] === 'atomic',
    itemsOf: (list) => itemsByKeys(list, keys, defaults),
    of: (field) => shapeOf(schemaOfField(schema.items ?? schema, field) ?? {}),
  };
}
