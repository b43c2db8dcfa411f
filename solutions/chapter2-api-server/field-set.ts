// Which fields an object has: the fields that somebody can own. A field is a path, and a path is written as managedFields writes
// it: `f:replicas` is a field, `k:{"name":"echo"}` the item of a list that its keys tell apart, `v:"x"` the item of a set. What is
// owned whole or not at all (a text or number, an atomic list or map, or nothing at all) is one field.
// Kubernetes: sigs.k8s.io/structured-merge-diff, fieldpath/set.go and typed/tofieldset.go

import { isObject, type JsonObject } from './json.ts';
import { builtInShape, type Shape } from './list-types.ts';
import type { ApiObject } from './object.ts';

/** A path's elements, the outermost first, each on a line of its own: JSON has no line breaks. */
export type FieldPath = string;
export type FieldSet = ReadonlySet<FieldPath>;

/** As managedFields holds a set: elements within elements; `.` where an element is itself a member and has others below it. */
export interface FieldsV1 {
  [element: string]: FieldsV1;
}

/** These say which object it is, and are nobody's. */
const identity = ['name', 'namespace', 'uid', 'resourceVersion', 'generation', 'creationTimestamp', 'selfLink', 'managedFields'];

export function pathTo(parent: FieldPath, element: string): FieldPath {
  return parent === '' ? element : `${parent}\n${element}`;
}

export function elementsOf(path: FieldPath): string[] {
  return path.split('\n');
}

/** The object without what nobody can own. */
function ownable({ apiVersion, kind, metadata, ...rest }: Partial<ApiObject>): JsonObject {
  const owned = Object.entries(metadata ?? {}).filter(([field]) => !identity.includes(field));
  return owned.length > 0 ? { metadata: Object.fromEntries(owned), ...rest } : rest;
}

/**
 * All fields of an object, and the value of each. An item of a keyed list or of a set is a field by itself, without a value; the
 * fields of a keyed item come behind it.
 */
export function fieldsOf(object: Partial<ApiObject>, shape = builtInShape): Map<FieldPath, unknown> {
  const fields = new Map<FieldPath, unknown>();
  const root = ownable(object);
  if (Object.keys(root).length > 0) addFields(fields, root, '', shape);
  return fields;
}

/**
 * Adds the fields at and below `value`, which stands at `path`. A map that is neither atomic (`shape.isAtomic`) nor empty has its own
 * fields (`f:<name>`); a list whose items can be told apart (`shape.itemsOf`) has them, and, for those that are objects, what is in
 * them. All else is one field. The shape of a field is `shape.of(name)`, that of an item its list's.
 *
 * @exercise 2.6 Add the value itself, or go into it
 */
function addFields(fields: Map<FieldPath, unknown>, value: unknown, path: FieldPath, shape: Shape): void {
  if (isObject(value) && !shape.isAtomic && Object.keys(value).length > 0) {
    for (const [name, inner] of Object.entries(value)) addFields(fields, inner, pathTo(path, `f:${name}`), shape.of(name));
    return;
  }
  const items = Array.isArray(value) && value.length > 0 ? shape.itemsOf(value) : undefined;
  if (!items) {
    fields.set(path, value);
    return;
  }
  for (const [element, item] of items) {
    const at = pathTo(path, element);
    fields.set(at, undefined);
    if (isObject(item)) addFields(fields, item, at, shape);
  }
}

/** @exercise 2.6 Put each path's elements within each other, with a dot where a member has others below it */
export function toFieldsV1(set: FieldSet): FieldsV1 {
  const root: FieldsV1 = {};
  const members = new Set<FieldsV1>();
  // Sorted, a path comes before those below it.
  for (const path of [...set].sort()) {
    let at = root;
    for (const element of elementsOf(path)) {
      if (members.has(at)) at['.'] = {};
      at = at[element] ??= {};
    }
    members.add(at);
  }
  return root;
}

export function fromFieldsV1(fields: FieldsV1): Set<FieldPath> {
  const set = new Set<FieldPath>();
  const read = (at: FieldsV1, path: FieldPath) => {
    const elements = Object.entries(at);
    if (elements.length === 0 && path !== '') set.add(path);
    for (const [element, below] of elements) {
      if (element === '.') set.add(path);
      else read(below, pathTo(path, element));
    }
  };
  read(fields, '');
  return set;
}

/** The paths around this one. */
export function parentsOf(path: FieldPath): FieldPath[] {
  const elements = elementsOf(path);
  return elements.slice(1).map((_, index) => elements.slice(0, index + 1).join('\n'));
}

/** `.spec.template.spec.containers[name="echo"].image` */
export function inWords(path: FieldPath): string {
  const words = elementsOf(path).map((element) => {
    const text = element.slice(2);
    if (element.startsWith('f:')) return `.${text}`;
    if (element.startsWith('v:')) return `[=${text}]`;
    const keys = Object.entries(JSON.parse(text) as object).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
    return `[${keys.join(',')}]`;
  });
  return words.join('');
}

export function union(...sets: Iterable<FieldPath>[]): Set<FieldPath> {
  return new Set(sets.flatMap((set) => [...set]));
}

export function without(set: FieldSet, ...others: ReadonlySet<FieldPath>[]): Set<FieldPath> {
  return new Set([...set].filter((path) => !others.some((other) => other.has(path))));
}
