// Are these the fields of that kind? A value of the wrong type is always refused: nothing that reads the object could make
// sense of it. A field that does not exist (`replica: 3`) is refused if the client asks for that (`?fieldValidation=Strict`, as
// kubectl does); else it is dropped, with a warning unless the client wants none: an older server can so read what a newer client writes.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/create.go, fieldValidation

import { isWritten } from '#kit/is-written';
import { isQuantity } from '#kit/quantity';
import type { ApiError } from '#kit/status';
import type { CustomKind } from './custom/kind.ts';
import { fieldsToPrune } from './custom/pruning.ts';
import { badRequest } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';
import type { ResourceDefinition } from './resources.ts';
import { nameOfReference, type OpenApiSchema, schemaNameOf, schemas } from './schemas.ts';

const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity';

/** Kubernetes: staging/src/k8s.io/apimachinery/pkg/api/resource/quantity.go, ErrFormatWrong */
const quantityPattern = '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$';

const objectMeta: OpenApiSchema = { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' };

/** What to do about fields that a kind has not, and about those that were sent twice. */
export interface FieldValidation {
  mode: 'Ignore' | 'Warn' | 'Strict';
  warn(text: string): void;
  duplicates?: Duplicates;
  /** What to throw at an object that is refused for these; absent: BadRequest. */
  refuse?(why: string, object: object): ApiError;
}

/** What was sent twice, in words: each as a warning, all of them as the reason to refuse it. */
export interface Duplicates {
  each: string[];
  all: string;
}

export const ignoring: FieldValidation = { mode: 'Ignore', warn: () => {} };

/** A field that its object has, and its kind has not. */
export interface UnknownField {
  /** `spec.containers[0].imagePulPolicy` */
  path: string;
  owner: JsonObject;
  field: string;
}

/**
 * The object itself, without the fields that its kind has not. Throws BadRequest when a value has the wrong type, and (Strict)
 * when there is such a field.
 */
export function checkFields<T extends object>(
  object: T,
  resource: ResourceDefinition,
  { mode, warn, duplicates, ...how }: FieldValidation,
): T {
  const badly = (why: string) => {
    const { kind, version } = resource;
    return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
  };
  // What the values of a custom kind must be is the affair of its validation; its metadata is like everybody's.
  const schema = resource.custom ? { properties: { metadata: objectMeta } } : (schemas[schemaNameOf(resource)] ?? {});
  const wrong = wrongTypes(object, schema);
  if (wrong.length > 0) throw badly(wrong.join(', '));
  canFindUnknown ??= isWritten(() => unknownFields({}, {}, ''));
  const unknown = resource.custom ? unknownInCustom(object, resource.custom) : canFindUnknown ? unknownFields(object, schema, '') : [];
  const problems = unknown.map(({ path }) => `unknown field "${path}"`);
  const all = [...(duplicates?.all ? [duplicates.all] : []), ...problems];
  if (mode === 'Strict' && all.length > 0) throw (how.refuse ?? badly)(`strict decoding error: ${all.join(', ')}`, object);
  if (mode === 'Warn') [...(duplicates?.each ?? []), ...problems].forEach(warn);
  for (const { owner, field } of unknown) delete owner[field];
  return object;
}

function unknownInCustom(object: { metadata?: unknown }, { schema }: CustomKind): UnknownField[] {
  return [...fieldsToPrune(object, schema), ...(canFindUnknown ? unknownFields(object.metadata, objectMeta, 'metadata') : [])];
}

/** While stage 2.7 is not written every field is known, and all else works. */
let canFindUnknown: boolean | undefined;

/**
 * Every field in `value`, however deep, that its schema does not have. `path` is where `value` stands: '' for an object as a whole.
 * A schema may name its fields (`properties`): another field is unknown. Or it may say what each value of a map is
 * (`additionalProperties`), or what each item of a list is (`items`): any key will do, but look into the values. Where it says none of
 * these, all is known. An unknown field is reported once: nobody can say what may be in it.
 *
 * @exercise 2.7 Walk through value and schema together, and report each field that the schema has not
 */
export function unknownFields(value: unknown, schema: OpenApiSchema, path: string): UnknownField[] {
  const { properties, additionalProperties = {}, items = {} } = resolved(schema);
  if (Array.isArray(value)) return value.flatMap((item, index) => unknownFields(item, items, `${path}[${index}]`));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([field, inner]) => {
    const at = path ? `${path}.${field}` : field;
    const known = properties ? ownField(properties, field) : additionalProperties;
    return known ? unknownFields(inner, known, at) : [{ path: at, owner: value, field }];
  });
}

/** The field of that name: not what every JavaScript object has, like `constructor`. */
export function ownField<T>(fields: Record<string, T>, name: string): T | undefined {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** The schema that this one stands for, if it only refers to another one. */
export function resolved(schema: OpenApiSchema): OpenApiSchema {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  return reference ? resolved(schemas[nameOfReference(reference)] ?? {}) : schema;
}

/** The same for what is sent, but is no object of a resource. `schemaName` as schemas refer to each other, `kind` for the message. */
export function checkTypes<T extends object>(value: T, schemaName: string, kind: string): T {
  const wrong = wrongTypes(value, schemas[schemaName] ?? {});
  if (wrong.length > 0) throw badRequest(`${kind} cannot be handled: ${wrong.join(', ')}`);
  return value;
}

/** What is not what its schema says, in words. Takes away, or makes empty, what is null. */
function wrongTypes(value: unknown, schema: OpenApiSchema): string[] {
  const problems: string[] = [];
  check(value, schema, '', problems);
  return problems;
}

function check(value: unknown, schema: OpenApiSchema, path: string, problems: string[]): void {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (reference) {
    const name = nameOfReference(reference);
    if (name === quantity && (typeof value === 'number' || typeof value === 'string')) {
      if (!isQuantity(String(value))) problems.push(`quantities must match the regular expression '${quantityPattern}'`);
      return;
    }
    check(value, schemas[name] ?? {}, path, problems);
    return;
  }
  const expected = expectationOf(schema, value);
  if (expected) problems.push(`${path} must be ${expected}, not ${inWords(value)}`);
  else if (Array.isArray(value)) checkList(value, schema.items ?? {}, path, problems);
  else if (isObject(value)) checkObject(value, schema, path, problems);
}

function checkList(list: unknown[], items: OpenApiSchema, path: string, problems: string[]): void {
  for (const [index, item] of list.entries()) {
    if (item === null && isTyped(items)) list[index] = emptyOf(items);
    else check(item, items, `${path}[${index}]`, problems);
  }
}

function checkObject(object: JsonObject, { properties, additionalProperties = {} }: OpenApiSchema, path: string, problems: string[]): void {
  for (const [field, value] of Object.entries(object)) {
    const known = properties ? ownField(properties, field) : additionalProperties;
    if (!known) continue;
    // Clients written in Go send null for what they left empty: it is as good as absent. In a map, it is an empty value.
    if (value !== null || !isTyped(known)) check(value, known, path ? `${path}.${field}` : field, problems);
    else if (properties) delete object[field];
    else object[field] = emptyOf(known);
  }
}

/** What a field of free form holds is its author's own affair, null or not. */
function isTyped({ type, allOf, $ref }: OpenApiSchema): boolean {
  return type !== undefined || allOf !== undefined || $ref !== undefined;
}

/** What null means where something must be: Go's zero value. */
function emptyOf({ type, $ref, allOf }: OpenApiSchema): unknown {
  const reference = $ref ?? allOf?.[0]?.$ref;
  if (reference) return nameOfReference(reference) === quantity ? '0' : emptyOf(schemas[nameOfReference(reference)] ?? {});
  if (type === 'string') return '';
  if (type === 'integer') return 0;
  if (type === 'boolean') return false;
  return type === 'array' ? [] : {};
}

/** RFC 3339; no time at all is written so, too. */
function isTime(text: string): boolean {
  return text === '' || (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)));
}

/** Short, however long the value is. */
function inWords(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return isObject(value) ? 'an object' : JSON.stringify(value);
}

/** What the value should be; undefined when it is that, or when the schema does not say. */
function expectationOf({ type, format }: OpenApiSchema, value: unknown): string | undefined {
  if (format === 'int-or-string') return typeof value === 'string' || Number.isInteger(value) ? undefined : 'an integer or a string';
  switch (type) {
    case 'string':
      if (typeof value !== 'string') return 'a string';
      return format === 'date-time' && !isTime(value) ? 'a time, as in 2006-01-02T15:04:05Z' : undefined;
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'true or false';
    case 'integer':
      return Number.isInteger(value) ? undefined : 'an integer';
    case 'array':
      return Array.isArray(value) ? undefined : 'a list';
    case 'object':
      return isObject(value) ? undefined : 'an object';
    default:
      return undefined;
  }
}
