// Are these the fields of that kind? A value of the wrong type is always refused: nothing that reads the object could make
// sense of it. A field that does not exist (`replica: 3`) is refused if the client asks for that (`?fieldValidation=Strict`, as
// kubectl does), else dropped: an older server can so read what a newer client writes.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/create.go, fieldValidation

import { badRequest } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';
import type { ResourceDefinition } from './resources.ts';
import { nameOfReference, type OpenApiSchema, schemaNameOf, schemas } from './schemas.ts';

const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity';

/** The request's `fieldValidation`. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

export function fieldValidationOf(query: URLSearchParams): FieldValidation {
  const value = query.get('fieldValidation') || 'Warn';
  if (value === 'Ignore' || value === 'Warn' || value === 'Strict') return value;
  throw badRequest(`fieldValidation: Unsupported value: "${value}": supported values: "Ignore", "Strict", "Warn"`);
}

/**
 * The object itself, without the fields that its kind has not. Throws BadRequest when a value has the wrong type, and (Strict)
 * when there is such a field.
 */
export function checkFields<T extends object>(object: T, resource: ResourceDefinition, validation: FieldValidation): T {
  const schema = schemas[schemaNameOf(resource)];
  if (!schema) return object;
  const problems: Problems = { wrongType: [], unknown: [] };
  check(object, schema, '', problems);
  const refuse = (why: string) => {
    const { kind, version } = resource;
    return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`);
  };
  if (problems.wrongType.length > 0) throw refuse(problems.wrongType.join(', '));
  if (validation === 'Strict' && problems.unknown.length > 0) {
    throw refuse(`strict decoding error: ${problems.unknown.map(({ path }) => `unknown field "${path}"`).join(', ')}`);
  }
  for (const { owner, field } of problems.unknown) delete owner[field];
  return object;
}

/** The same for what is sent, but is no object of a resource. `schemaName` as schemas refer to each other, `kind` for the message. */
export function checkTypes<T extends object>(value: T, schemaName: string, kind: string): T {
  const problems: Problems = { wrongType: [], unknown: [] };
  check(value, schemas[schemaName] ?? {}, '', problems);
  if (problems.wrongType.length > 0) throw badRequest(`${kind} cannot be handled: ${problems.wrongType.join(', ')}`);
  return value;
}

interface Problems {
  wrongType: string[];
  unknown: { path: string; owner: JsonObject; field: string }[];
}

function check(value: unknown, schema: OpenApiSchema, path: string, problems: Problems): void {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  if (reference) {
    const name = nameOfReference(reference);
    if (name === quantity && typeof value === 'number') return;
    check(value, schemas[name] ?? {}, path, problems);
    return;
  }
  const expected = expectationOf(schema, value);
  if (expected) problems.wrongType.push(`${path} must be ${expected}, not ${inWords(value)}`);
  else if (Array.isArray(value)) checkList(value, schema.items ?? {}, path, problems);
  else if (isObject(value)) checkObject(value, schema, path, problems);
}

function checkList(list: unknown[], items: OpenApiSchema, path: string, problems: Problems): void {
  for (const [index, item] of list.entries()) {
    if (item === null && isTyped(items)) list[index] = emptyOf(items);
    else check(item, items, `${path}[${index}]`, problems);
  }
}

function checkObject(object: JsonObject, schema: OpenApiSchema, path: string, problems: Problems): void {
  const { properties, additionalProperties } = schema;
  for (const [field, value] of Object.entries(object)) {
    const at = path ? `${path}.${field}` : field;
    const known = properties ? Object.hasOwn(properties, field) && properties[field] : (additionalProperties ?? {});
    if (!known) problems.unknown.push({ path: at, owner: object, field });
    // Clients written in Go send null for what they left empty: it is as good as absent. In a map, it is an empty value.
    else if (value !== null || !isTyped(known)) check(value, known, at, problems);
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
      return typeof value === 'string' ? undefined : 'a string';
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
