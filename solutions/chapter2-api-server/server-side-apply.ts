// Server-side apply: an author sends what they want of an object, and nothing else, each time the whole of it. The server merges it
// into what is there, takes away what this author wanted before and wants no more, and says no if it would change what belongs
// to another one.
// Kubernetes: sigs.k8s.io/structured-merge-diff, merge/update.go and typed/merge.go

import type { StatusCause } from 'kubernetes-types/meta/v1';
import { applyConflict } from './errors.ts';
import { changesBetween, type FieldManager, isSameManager, type Owner, readOwners, withoutFields, writeOwners } from './field-managers.ts';
import { elementsOf, type FieldPath, type FieldSet, fieldsOf, inWords, parentsOf, union, without } from './field-set.ts';
import { isObject } from './json.ts';
import { builtInShape, type Shape } from './list-types.ts';
import type { ApiObject } from './object.ts';

export interface ApplyOptions {
  manager: FieldManager;
  /** Take what belongs to others. */
  force: boolean;
  /** RFC 3339: now. */
  time: string;
  /** Of the objects; absent: of a built-in kind. */
  shape?: Shape;
}

/**
 * The object that is there after `config` was applied to `live`. What the manager owned, doesn't want any more, and nobody else
 * owns is removed. Throws Conflict (`conflictsOf`, `applyConflict`) when a field of another manager would change, unless it is
 * forced; then that manager loses it. Afterwards the manager owns just what `config` has. When all that changes nothing, `live` itself.
 *
 * @exercise 2.6 Merge, remove what was given up, look for conflicts, and write down the owners
 */
export function applied(live: ApiObject, config: ApiObject, { manager, force, time, shape }: ApplyOptions): ApiObject {
  const owners = readOwners(live.metadata.managedFields);
  const mine = owners.find((owner) => isSameManager(owner, manager));
  const others = owners.filter((owner) => owner !== mine);
  const wanted = new Set(fieldsOf(config, shape).keys());
  const next = removed(merged(live, config, shape), givenUp(mine?.fields ?? new Set(), wanted, others), shape);
  const changes = changesBetween(live, next, shape);
  const conflicts = conflictsOf(others, changes.changed);
  if (conflicts.length > 0 && !force) throw applyConflict(conflicts);
  const isSame = changes.changed.size === 0 && changes.removed.size === 0;
  if (isSame && mine && without(wanted, mine.fields).size === 0 && mine.fields.size === wanted.size) return live;
  const left = withoutFields(others, changes.changed, changes.removed);
  return withOwners(next, wanted.size > 0 ? [...left, { ...manager, time, fields: wanted }] : left);
}

/** The object that comes to be when `config` is applied where there is none. */
export function appliedToNothing(config: ApiObject, { manager, time, shape }: ApplyOptions): ApiObject {
  const fields = new Set(fieldsOf(config, shape).keys());
  return withOwners(config, fields.size > 0 ? [{ ...manager, time, fields }] : []);
}

/**
 * `config` over `live`: maps that are not atomic field by field, lists whose items can be told apart (`shape.itemsOf`) item by item, see
 * `mergedLists`; all else as `config` has it. The shape of a field is `shape.of(name)`, that of an item its list's.
 *
 * @exercise 2.6 Take the field of the config, merged with that of the live object where both are maps or lists of items
 */
export function merged<T>(live: T, config: unknown, shape = builtInShape): T {
  if (isObject(live) && isObject(config) && !shape.isAtomic) {
    const fields = Object.entries(config).map(([name, value]) => [name, merged(live[name], value, shape.of(name))]);
    return { ...live, ...Object.fromEntries(fields) };
  }
  if (!Array.isArray(live) || !Array.isArray(config)) return config as T;
  const there = shape.itemsOf(live);
  const applied = shape.itemsOf(config);
  return (there && applied ? mergedLists(there, applied, (one, other) => merged(one, other, shape)) : config) as T;
}

/** The items of both: those of the config in the config's order; an item that only the live list has stays behind the one it was behind. */
function mergedLists(
  live: Map<string, unknown>,
  config: Map<string, unknown>,
  merge: (live: unknown, config: unknown) => unknown,
): unknown[] {
  const items: unknown[] = [];
  const done = new Set<string>();
  const take = (element: string) => {
    if (done.has(element)) return;
    done.add(element);
    items.push(live.has(element) ? merge(live.get(element), config.get(element)) : config.get(element));
  };
  const wanted = [...config.keys()];
  for (const [element, item] of live) {
    if (!config.has(element)) items.push(item);
    else for (const before of wanted.slice(0, wanted.indexOf(element) + 1)) take(before);
  }
  for (const element of wanted) take(element);
  return items;
}

/**
 * What the manager owned and wants no more, except what others own, and except items in which others own something.
 *
 * @exercise 2.6 Leave out of the manager's fields those that it wants, and those that others need
 */
export function givenUp(mine: FieldSet, wanted: FieldSet, others: Owner[]): Set<FieldPath> {
  const theirs = union(...others.map(({ fields }) => fields));
  return without(mine, wanted, theirs, union(...[...theirs].map(parentsOf)));
}

/** The object without these fields; what has nothing left in it goes, too. */
function removed(object: ApiObject, paths: FieldSet, shape = builtInShape): ApiObject {
  return [...paths].reduce((rest, path) => withoutPath(rest, elementsOf(path), shape) as ApiObject, object);
}

/** undefined when nothing is left. */
function withoutPath(value: unknown, [element = '', ...inner]: string[], shape: Shape): unknown {
  if (Array.isArray(value)) {
    const items = shape.itemsOf(value);
    if (!items) return value;
    const rest = [...items].flatMap(([at, item]) =>
      at !== element ? [item] : inner.length === 0 ? [] : [withoutPath(item, inner, shape)],
    );
    return rest.length > 0 ? rest : undefined;
  }
  const name = element.slice(2);
  if (!isObject(value) || !(name in value)) return value;
  const { [name]: taken, ...rest } = value;
  const left = inner.length === 0 ? undefined : withoutPath(taken, inner, shape.of(name));
  if (left !== undefined) return { ...value, [name]: left };
  return Object.keys(rest).length > 0 ? rest : undefined;
}

/**
 * The fields that change and belong to others: for each, a cause with the reason `FieldManagerConflict`, the field in words (`inWords`),
 * and the message `conflict with "<manager>"`, to which a manager that updates adds ` using <apiVersion>` and one that
 * writes through a subresource ` with subresource "<subresource>"` before that.
 *
 * @exercise 2.6 Find the fields of each other owner among the changed ones
 */
export function conflictsOf(others: Owner[], changed: FieldSet): StatusCause[] {
  return others.flatMap(({ name, operation, apiVersion, subresource, fields }) => {
    const through = subresource ? ` with subresource "${subresource}"` : '';
    const message = `conflict with "${name}"${through}${operation === 'Update' ? ` using ${apiVersion}` : ''}`;
    const contested = [...fields].filter((path) => changed.has(path)).sort();
    return contested.map((path) => ({ reason: 'FieldManagerConflict', message, field: inWords(path) }));
  });
}

function withOwners(object: ApiObject, owners: Owner[]): ApiObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata: owners.length > 0 ? { ...metadata, managedFields: writeOwners(owners) } : metadata };
}
