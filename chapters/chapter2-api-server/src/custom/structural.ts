// Is a schema structural? Every field must have one type, and it must be said in one place: only then can a server prune, fill in
// defaults and tell clients of the fields without guessing. What `allOf`, `anyOf`, `oneOf` and `not` say comes on top: they may
// narrow values, but name no field, type or default of their own.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/validation.go, .../pkg/apis/apiextensions/validation

import type { StatusCause } from 'kubernetes-types/meta/v1';
import { isObject } from '../json.ts';
import { forbiddenField, invalidValue, required, unsupportedValue } from '../kinds/field-errors.ts';
import { fieldsToPrune } from './pruning.ts';
import { objectFields, type Schema } from './schema.ts';
import { schemaProblems } from './validation.ts';

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
/** Words of other dialects, and what is wrong with them here. */
const unsupported: Record<string, string> = {
  $ref: '$ref is not supported',
  definitions: 'definitions is not supported',
  dependencies: 'dependencies is not supported',
  patternProperties: 'patternProperties is not supported',
  additionalItems: 'additionalItems is not supported',
  id: 'id is not supported',
};
const combinations = ['allOf', 'anyOf', 'oneOf'] as const;

/** What is wrong with the schema of a version, which stands at `path`. */
export function structuralProblems(schema: Schema, path: string): StatusCause[] {
  const atRoot = schema.type === undefined ? [required(`${path}.type`, 'must not be empty at the root')] : [];
  const isObjectType = schema.type === undefined || schema.type === 'object';
  const notAnObject = isObjectType ? [] : [invalidValue(`${path}.type`, schema.type, 'must be object at the root')];
  const anyField = schema.additionalProperties ? [forbiddenField(`${path}.additionalProperties`, 'must not be used at the root')] : [];
  return [...atRoot, ...notAnObject, ...anyField, ...metadataProblems(schema, path), ...placeProblems(schema, path, { isRoot: true })];
}

/** The metadata of all kinds is the same; a kind may only narrow what its objects can be called. */
function metadataProblems({ properties = {} }: Schema, path: string): StatusCause[] {
  const expected = { apiVersion: 'string', kind: 'string', metadata: 'object' } as const;
  const wrong = objectFields.flatMap((field) => {
    const type = expected[field as keyof typeof expected];
    const own = properties[field]?.type;
    return own === undefined || own === type ? [] : [invalidValue(`${path}.properties[${field}].type`, own, `must be ${type}`)];
  });
  const more = Object.keys(properties.metadata?.properties ?? {}).filter((field) => field !== 'name' && field !== 'generateName');
  if (more.length === 0) return wrong;
  const why = 'must not specify anything other than name and generateName, but metadata is implicitly specified';
  return [...wrong, forbiddenField(`${path}.properties[metadata]`, why)];
}

function placeProblems(schema: Schema, path: string, { isRoot = false } = {}): StatusCause[] {
  const { type, properties = {}, additionalProperties, items, pattern, default: preset } = schema;
  const isFree = schema['x-kubernetes-preserve-unknown-fields'] || schema['x-kubernetes-int-or-string'];
  const untyped = !isRoot && type === undefined && !isFree;
  return [
    ...(untyped ? [required(`${path}.type`, 'must not be empty for specified object fields')] : []),
    ...(type === undefined || types.includes(type) ? [] : [unsupportedValue(`${path}.type`, type, types)]),
    ...(type === 'array' && !items ? [required(`${path}.items`, 'must be specified')] : []),
    ...(schema.properties && additionalProperties
      ? [forbiddenField(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive')]
      : []),
    ...wordProblems(schema, path),
    ...(pattern === undefined ? [] : patternProblems(pattern, `${path}.pattern`)),
    ...(preset === undefined ? [] : defaultProblems(preset, schema, `${path}.default`)),
    ...listTypeProblems(schema, path),
    ...Object.entries(properties).flatMap(([field, inner]) => placeProblems(inner, `${path}.properties[${field}]`)),
    ...(isObject(additionalProperties) ? placeProblems(additionalProperties, `${path}.additionalProperties`) : []),
    ...(items ? placeProblems(items, `${path}.items`) : []),
    ...combinations.flatMap((word) =>
      (schema[word] ?? []).flatMap((inner, index) => narrowingProblems(inner, `${path}.${word}[${index}]`)),
    ),
    ...(schema.not ? narrowingProblems(schema.not, `${path}.not`) : []),
  ];
}

function wordProblems(schema: Schema, path: string): StatusCause[] {
  const foreign = Object.keys(schema).filter((word) => Object.hasOwn(unsupported, word));
  const { uniqueItems, 'x-kubernetes-preserve-unknown-fields': preserved } = schema as Schema & { uniqueItems?: boolean };
  const quadratic = 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic';
  return [
    ...foreign.map((word) => forbiddenField(`${path}.${word}`, unsupported[word] ?? '')),
    ...(uniqueItems ? [forbiddenField(`${path}.uniqueItems`, quadratic)] : []),
    ...(preserved === false ? [invalidValue(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined')] : []),
  ];
}

function patternProblems(pattern: string, path: string): StatusCause[] {
  try {
    new RegExp(pattern, 'u');
    return [];
  } catch (error) {
    return [invalidValue(path, pattern, `must be a valid regular expression, but isn't: ${(error as Error).message}`)];
  }
}

/** A default must be a value that an author could have written. */
function defaultProblems(preset: unknown, schema: Schema, path: string): StatusCause[] {
  const unknown = fieldsToPrune(preset, schema, path).length > 0;
  if (unknown) return [invalidValue(path, preset, 'must not have unknown fields')];
  const { default: _, ...rest } = schema;
  return schemaProblems(preset, rest).map(({ message = '', reason = '' }) => ({ reason, message, field: path }));
}

function listTypeProblems(schema: Schema, path: string): StatusCause[] {
  const { 'x-kubernetes-list-type': listType, 'x-kubernetes-list-map-keys': keys = [], items } = schema;
  const at = `${path}.x-kubernetes-list-type`;
  if (listType === undefined) return [];
  if (!['atomic', 'set', 'map'].includes(listType)) return [unsupportedValue(at, listType, ['atomic', 'set', 'map'])];
  if (schema.type !== 'array')
    return [invalidValue(`${path}.type`, schema.type ?? '', 'must be array if x-kubernetes-list-type is specified')];
  if (listType === 'set' && items?.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic') {
    const field = `${path}.items.x-kubernetes-map-type`;
    const given = items['x-kubernetes-map-type'] ?? 'null';
    return [invalidValue(field, given, 'must be atomic as item of a list with x-kubernetes-list-type=set')];
  }
  if (listType !== 'map') return [];
  const fields = items?.properties ?? {};
  const keysAt = `${path}.x-kubernetes-list-map-keys`;
  const unset = keys.filter((key) => fields[key] && fields[key].default === undefined && !items?.required?.includes(key));
  const why = 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
  return [
    ...(keys.length === 0 ? [required(keysAt, 'must not be empty if x-kubernetes-list-type is map')] : []),
    ...(items?.type === 'object'
      ? []
      : [invalidValue(`${path}.items.type`, items?.type ?? '', "must be object if parent array's x-kubernetes-list-type is map")]),
    ...(items?.type === 'object' && keys.some((key) => !fields[key])
      ? [invalidValue(keysAt, keys, 'entries must all be names of item properties')]
      : []),
    ...unset.map((key) => required(`${path}.items.properties[${key}].default`, why)),
  ];
}

/** Within allOf and its like: values may be narrowed, but nothing is defined there. */
function narrowingProblems(schema: Schema, path: string): StatusCause[] {
  const { type, default: preset, description, nullable, properties = {}, items, additionalProperties } = schema;
  const mustBe = (word: string, what: string) => forbiddenField(`${path}.${word}`, `must be ${what} to be structural`);
  return [
    ...(type === undefined || schema['x-kubernetes-int-or-string'] ? [] : [mustBe('type', 'empty')]),
    ...(preset === undefined ? [] : [mustBe('default', 'undefined')]),
    ...(description === undefined ? [] : [mustBe('description', 'empty')]),
    ...(nullable ? [mustBe('nullable', 'false')] : []),
    ...(schema['x-kubernetes-validations'] ? [mustBe('x-kubernetes-validations', 'empty')] : []),
    ...(additionalProperties === undefined ? [] : [mustBe('additionalProperties', 'undefined')]),
    ...Object.entries(properties).flatMap(([field, inner]) => narrowingProblems(inner, `${path}.properties[${field}]`)),
    ...(items ? narrowingProblems(items, `${path}.items`) : []),
    ...combinations.flatMap((word) =>
      (schema[word] ?? []).flatMap((inner, index) => narrowingProblems(inner, `${path}.${word}[${index}]`)),
    ),
    ...(schema.not ? narrowingProblems(schema.not, `${path}.not`) : []),
  ];
}
