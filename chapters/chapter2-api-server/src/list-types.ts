// Which lists and maps several authors can share. A list is atomic, or a set, or keyed: then some fields of an item say which item
// it is. Strategic merge patches know most of that already (merge-keys.ts); here stands where apply sees it otherwise.
// Kubernetes: the tags `+listType`, `+listMapKey` and `+mapType` in staging/src/k8s.io/api/*/types.go

import { isObject } from './json.ts';
import { listStrategy } from './merge-keys.ts';

/** Two ports of the same number differ in their protocol. A patch can't tell them apart; an apply can. */
const keysOfApply: Record<string, string[]> = {
  'containers.ports': ['containerPort', 'protocol'],
  'initContainers.ports': ['containerPort', 'protocol'],
  'ephemeralContainers.ports': ['containerPort', 'protocol'],
  'spec.ports': ['port', 'protocol'],
  'spec.topologySpreadConstraints': ['topologyKey', 'whenUnsatisfiable'],
};
/** What a key means when it is left out. */
const keyDefaults: Record<string, unknown> = { protocol: 'TCP' };

/** Selectors and references: half of one means something else than the whole. */
const atomicMaps = new Set([
  'selector',
  'labelSelector',
  'namespaceSelector',
  'podSelector',
  'nodeSelector',
  'configMapKeyRef',
  'configMapRef',
  'secretKeyRef',
  'secretRef',
  'fieldRef',
  'resourceFieldRef',
  'scaleTargetRef',
  'roleRef',
  'targetRef',
  'involvedObject',
]);

/** What is known of the values at one place in an object: how several authors share them. */
export interface Shape {
  /** A map here is owned whole, or not at all. */
  readonly isAtomic: boolean;
  /**
   * The items of a list here by their elements, `k:{"name":"echo"}` or `v:"x"`; undefined for an atomic list, and for one whose items can't
   * be told apart: a key is missing, or two are the same.
   */
  itemsOf(list: unknown[]): Map<string, unknown> | undefined;
  /** Of a field: in a map here, and in each item of a list here. */
  of(field: string): Shape;
}

/** Built-in kinds: a place is known by the name of its field, and of the field around that. */
function shapeAt(around: string, field: string): Shape {
  return {
    isAtomic: atomicMaps.has(field),
    itemsOf: (list) => itemsByKeys(list, keysOf(around, field), keyDefaults),
    of: (inner) => shapeAt(field, inner),
  };
}

/** A whole object of a built-in kind. Those of your own kinds come from their schemas: custom/shape.ts. */
export const builtInShape = shapeAt('', '');

/** No keys: a set. undefined: an atomic list. `defaults` are what keys mean when they are left out. */
export function itemsByKeys(
  list: unknown[],
  keys: readonly string[] | undefined,
  defaults: Record<string, unknown>,
): Map<string, unknown> | undefined {
  if (!keys) return undefined;
  const items = new Map(list.flatMap((item) => elementOf(item, keys, defaults) ?? []));
  return items.size === list.length ? items : undefined;
}

/** Empty for a set. */
function keysOf(around: string, field: string): string[] | undefined {
  const keys = keysOfApply[`${around}.${field}`];
  if (keys) return keys;
  const strategy = listStrategy(around, field);
  if (strategy === 'atomic') return undefined;
  return strategy === 'set' ? [] : [strategy.mergeKey];
}

function elementOf(item: unknown, keys: readonly string[], defaults: Record<string, unknown>): [string, unknown][] | undefined {
  if (keys.length === 0) return [[`v:${JSON.stringify(item)}`, item]];
  if (!isObject(item)) return undefined;
  const values = keys.map((key) => [key, item[key] ?? defaults[key]] as const);
  if (values.some(([, value]) => value === undefined)) return undefined;
  return [[`k:${JSON.stringify(Object.fromEntries(values))}`, item]];
}
