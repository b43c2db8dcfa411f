// Strategic merge patch: a merge patch that knows which lists are lists of *named* things. `containers: [{name: app, image: x}]`
// changes the image of the container `app` and leaves the others alone. Directives in the patch say what a value cannot:
//   $patch: replace | delete | merge        for the object (or list item) that it stands in
//   $deleteFromPrimitiveList/<field>        values to take out of a list of plain values
//   $setElementOrder/<field>                the order that the list's items shall have
//   $retainKeys                             the fields that stay; the others are removed
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/util/strategicpatch/patch.go

import { ApiError, failure } from '#kit/status';
import { badRequest } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';
import { listStrategy } from './merge-keys.ts';

const deletePrefix = '$deleteFromPrimitiveList/';
const orderPrefix = '$setElementOrder/';

/**
 * The object after the patch. `parent` is the field that the object stands in, `''` for a whole API object.
 * First the directives: `$patch: delete` leaves an empty object; `$patch: replace` merges the rest of the patch into an empty one;
 * `$retainKeys` takes all other fields away (`only`). Any other `$patch` is a bad request. Then every field that the patch
 * speaks of (`fieldsOf`) gets its new value (`mergeField`), or goes when that is undefined. No directive is ever stored.
 *
 * @exercise 2.5 Obey the directives, then merge field by field, into a copy
 */
export function strategicMerge(current: JsonObject, patch: JsonObject, parent = ''): JsonObject {
  const { $patch: directive = 'merge', $retainKeys: retained, ...changes } = patch;
  if (directive === 'delete') return {};
  if (directive === 'replace') return strategicMerge({}, changes, parent);
  if (directive !== 'merge') throw badRequest(`unknown patch type found: ${directive}`);
  const merged = retained === undefined ? { ...current } : only(current, retained, changes);
  for (const field of fieldsOf(changes)) {
    const value = mergeField(current[field], changes, field, parent);
    if (value === undefined) delete merged[field];
    else merged[field] = value;
  }
  return merged;
}

/** The field's value after the patch; undefined when the patch removes it. */
function mergeField(current: unknown, changes: JsonObject, field: string, parent: string): unknown {
  const change = changes[field];
  if (change === null) return undefined;
  const strategy = listStrategy(parent, field);
  const isList = Array.isArray(change) || (change === undefined && Array.isArray(current));
  if (isList && strategy !== 'atomic') {
    const items = Array.isArray(current) ? current : [];
    const listed = listChange(changes, field);
    return strategy === 'set' ? mergeSet(items, listed) : mergeItems(items, listed, strategy.mergeKey, field);
  }
  if (Array.isArray(change)) return change.map((item) => (isObject(item) ? strategicMerge({}, item, field) : item));
  if (isObject(change)) return strategicMerge(isObject(current) ? current : {}, change, field);
  return change ?? current;
}

/** What a patch says about one list. */
interface ListChange {
  items: unknown[];
  removed: unknown[];
  /** The order that the patch asks for: every item that its author knows of. */
  order: unknown[];
}

function listChange(changes: JsonObject, field: string): ListChange {
  const list = (name: string): unknown[] | undefined => {
    const value = changes[name];
    if (value === undefined || Array.isArray(value)) return value;
    throw badRequest(`${name} must be a list`);
  };
  const items = list(field) ?? [];
  return { items, removed: list(deletePrefix + field) ?? [], order: list(orderPrefix + field) ?? items };
}

/**
 * A list of plain values that counts as a set (finalizers): every value once, without those that the patch removes.
 *
 * @exercise 2.5 Unite the two lists, each value once, without the removed ones, in the order that is asked for
 */
function mergeSet(current: unknown[], { items, removed, order }: ListChange): unknown[] {
  const merged = [...new Set([...current, ...items])].filter((item) => !removed.includes(item));
  return inOrder(merged, order, current, (item) => item);
}

/**
 * A list of objects that are told apart by the field `mergeKey`. A change with the key of an item is merged into that item
 * (`strategicMerge`, with `field` as its parent); one with a new key is added; one that says `$patch: delete` takes the item away. If any
 * change says `$patch: replace`, the other changes are the whole new list. A change without the key is `unprocessable`:
 * `map: {"image":"x"} does not contain declared merge key: name`.
 *
 * @exercise 2.5 Find each change's item by its key, and change, add or remove it
 */
function mergeItems(current: unknown[], { items, order }: ListChange, mergeKey: string, field: string): unknown[] {
  const keyOf = (item: unknown): unknown => {
    const key = isObject(item) ? item[mergeKey] : undefined;
    if (key === undefined) throw unprocessable(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
    return key;
  };
  const changes = items.filter(isObject);
  if (changes.length < items.length) throw unprocessable(`${field} is a list of objects`);
  if (changes.some(({ $patch }) => $patch === 'replace')) {
    return changes.filter(({ $patch }) => $patch === undefined).map((item) => strategicMerge({}, item, field));
  }
  const merged = [...current];
  for (const change of changes) {
    const key = keyOf(change);
    const index = merged.findIndex((item) => isObject(item) && item[mergeKey] === key);
    const item = merged[index];
    if (change.$patch === 'delete') merged.splice(index, index < 0 ? 0 : 1);
    else if (isObject(item)) merged[index] = strategicMerge(item, change, field);
    else merged.push(strategicMerge({}, change, field));
  }
  return inOrder(merged, order, current, (item) => (isObject(item) ? item[mergeKey] : item));
}

/**
 * Sorts a merged list: items that the patch knows of stand in its order; the others, which somebody else added, stay in
 * their own order, each before the known items that it stood before.
 *
 * @exercise 2.5 Put the known items into the order of the patch, and leave the others where they were
 */
function inOrder(merged: unknown[], order: unknown[], current: unknown[], keyOf: (item: unknown) => unknown): unknown[] {
  const wanted = order.map(keyOf);
  const before = current.map(keyOf);
  const known = merged.filter((item) => wanted.includes(keyOf(item))).sort((a, b) => wanted.indexOf(keyOf(a)) - wanted.indexOf(keyOf(b)));
  const others = merged.filter((item) => !wanted.includes(keyOf(item)));
  const sorted: unknown[] = [];
  while (known.length > 0 && others.length > 0) {
    const otherFirst = before.indexOf(keyOf(others[0])) < before.indexOf(keyOf(known[0]));
    sorted.push((otherFirst ? others : known).shift());
  }
  return [...sorted, ...known, ...others];
}

/** `current` without the fields that `$retainKeys` does not name; the patch may set no other ones. */
function only(current: JsonObject, retained: unknown, changes: JsonObject): JsonObject {
  if (!Array.isArray(retained)) throw badRequest('$retainKeys must be a list of field names');
  const forgotten = Object.keys(changes).find((field) => !field.startsWith('$') && changes[field] !== null && !retained.includes(field));
  if (forgotten) throw badRequest(`$retainKeys must name every field that the patch sets, and ${forgotten} is missing`);
  return Object.fromEntries(Object.entries(current).filter(([field]) => retained.includes(field)));
}

/** The fields that a patch speaks of, by value or by directive. */
function fieldsOf(changes: JsonObject): Set<string> {
  return new Set(
    Object.keys(changes).map((name) => {
      const prefix = [deletePrefix, orderPrefix].find((directive) => name.startsWith(directive)) ?? '';
      return name.slice(prefix.length);
    }),
  );
}

/** The patch is well-formed, but not for this object. */
export function unprocessable(message: string): ApiError {
  return new ApiError(failure(422, 'Invalid', `the server rejected our request due to an error in our request: ${message}`));
}
