// Who owns which fields of an object: metadata.managedFields. Whoever changes a field owns it from then on, alone. Whoever applies
// an object says with it which fields are to be theirs; several may own the same field, as long as they agree.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/util/managedfields

import type { ManagedFieldsEntry } from 'kubernetes-types/meta/v1';
import { isWritten } from '#kit/is-written';
import { type FieldPath, type FieldSet, type FieldsV1, fieldsOf, fromFieldsV1, toFieldsV1, union, without } from './field-set.ts';
import { equalJson } from './json.ts';
import { builtInShape } from './list-types.ts';
import type { ApiObject } from './object.ts';

/** Who writes, and how. The same name is another manager when it writes in another way. */
export interface FieldManager {
  name: string;
  operation: 'Apply' | 'Update';
  /** The version of the API that the fields' names are from. */
  apiVersion: string;
  /** `status`, when it writes through that door. */
  subresource?: string;
}

/** A manager, and what it owns. */
export interface Owner extends FieldManager {
  /** RFC 3339: when it last took a field. */
  time: string;
  fields: FieldSet;
}

/** What became of an object's fields. */
export interface FieldChanges {
  /** Fields that have another value than before, or are new. */
  changed: FieldSet;
  /** Fields that are not there any more. */
  removed: FieldSet;
}

/** Appliers may move to another version of the API, and stay who they are. */
export function isSameManager(one: FieldManager, other: FieldManager): boolean {
  const isSame = one.name === other.name && one.operation === other.operation && one.subresource === other.subresource;
  return isSame && (one.operation === 'Apply' || one.apiVersion === other.apiVersion);
}

/** @exercise 2.6 Compare the fields of both; what is new counts as changed */
export function changesBetween(old: Partial<ApiObject>, next: Partial<ApiObject>, shape = builtInShape): FieldChanges {
  const before = fieldsOf(old, shape);
  const after = fieldsOf(next, shape);
  const isOld = (path: FieldPath, value: unknown) => before.has(path) && equalJson(before.get(path), value);
  return {
    changed: new Set([...after].filter(([path, value]) => !isOld(path, value)).map(([path]) => path)),
    removed: new Set([...before.keys()].filter((path) => !after.has(path))),
  };
}

/**
 * Who owns what after a manager has written these changes with a create, an update or a patch: what it changed belongs to it and to
 * nobody else, what it removed to nobody. A manager without fields is none. `time` is now.
 *
 * @exercise 2.6 Give the changed fields to the manager, and take them, and the removed ones, from all others
 */
export function ownersAfterUpdate(owners: Owner[], { changed, removed }: FieldChanges, manager: FieldManager, time: string): Owner[] {
  if (changed.size === 0 && removed.size === 0) return owners;
  const mine = owners.find((owner) => isSameManager(owner, manager));
  const others = withoutFields(
    owners.filter((owner) => owner !== mine),
    changed,
    removed,
  );
  const fields = union(without(mine?.fields ?? new Set(), removed), changed);
  if (fields.size === 0) return others;
  return [...others, { ...manager, time: changed.size > 0 ? time : (mine?.time ?? time), fields }];
}

/** The owners, none of whom owns any of these; who owns nothing else is gone. */
export function withoutFields(owners: Owner[], ...lost: FieldSet[]): Owner[] {
  return owners.map((owner) => ({ ...owner, fields: without(owner.fields, ...lost) })).filter(({ fields }) => fields.size > 0);
}

/** As they stand in metadata.managedFields. Entries that no server has written are no owners. */
export function readOwners(entries: readonly ManagedFieldsEntry[] = []): Owner[] {
  return entries.flatMap(({ manager, operation, apiVersion, subresource, time, fieldsV1 }) => {
    if (!manager || !apiVersion || (operation !== 'Apply' && operation !== 'Update')) return [];
    const owner = {
      name: manager,
      operation,
      apiVersion,
      time: String(time ?? ''),
      fields: fromFieldsV1((fieldsV1 ?? {}) as FieldsV1),
    } as const;
    return [subresource ? { ...owner, subresource } : owner];
  });
}

/** Appliers first, then by time, then by name. */
export function writeOwners(owners: Owner[]): ManagedFieldsEntry[] {
  const rank = ({ operation, time, name, apiVersion, subresource = '' }: Owner) =>
    [operation, time, name, apiVersion, subresource].join(' ');
  return owners
    .toSorted((one, other) => (rank(one) < rank(other) ? -1 : 1))
    .map(({ name, operation, apiVersion, subresource, time, fields }) => ({
      manager: name,
      operation,
      apiVersion,
      ...(time ? { time } : {}),
      fieldsType: 'FieldsV1',
      fieldsV1: toFieldsV1(fields) as object,
      ...(subresource ? { subresource } : {}),
    }));
}

/**
 * The object with its managedFields, after the manager has made it from `old`. Where the author sends managedFields of their own,
 * those are the base: so clients hand ownership over, or (with an empty list) begin anew.
 */
export function trackUpdate(
  old: ApiObject | undefined,
  next: ApiObject,
  manager: FieldManager,
  time: string,
  shape = builtInShape,
): ApiObject {
  const base = old ? (next.metadata.managedFields ?? old.metadata.managedFields) : [];
  const owners = ownersAfterUpdate(readOwners(base), changesBetween(old ?? {}, next, shape), manager, time);
  const { managedFields: _, ...metadata } = next.metadata;
  return { ...next, metadata: owners.length > 0 ? { ...metadata, managedFields: writeOwners(owners) } : metadata };
}

/** While this stage is not written, objects are stored without managedFields, and all else works. */
export function canTrack(): boolean {
  const sample = { apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data: { a: '1' } };
  return isWritten(() => trackUpdate(undefined, sample, { name: 'sample', operation: 'Update', apiVersion: 'v1' }, ''));
}
