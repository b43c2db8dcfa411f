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

export function isAtomicMap(field: string): boolean {
  return atomicMaps.has(field);
}

/**
 * The items by their elements, `k:{"name":"echo"}` or `v:"x"`; undefined for an atomic list, and for one whose items can't be told
 * apart: a key is missing, or two are the same. `around` and `field` are the names of the fields that the list is in.
 */
export function itemsOf(list: unknown[], around: string, field: string): Map<string, unknown> | undefined {
  const keys = keysOf(around, field);
  if (!keys) return undefined;
  const items = new Map(list.flatMap((item) => elementOf(item, keys) ?? []));
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

function elementOf(item: unknown, keys: string[]): [string, unknown][] | undefined {
  if (keys.length === 0) return [[`v:${JSON.stringify(item)}`, item]];
  if (!isObject(item)) return undefined;
  const values = keys.map((key) => [key, item[key] ?? keyDefaults[key]] as const);
  if (values.some(([, value]) => value === undefined)) return undefined;
  return [[`k:${JSON.stringify(Object.fromEntries(values))}`, item]];
}
