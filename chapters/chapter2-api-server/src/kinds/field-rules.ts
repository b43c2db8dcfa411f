// Rules for single fields, to be written as data: what may stand in a field of some type, wherever that type is used. A toleration is
// checked alike in a pod, in a Deployment's template and in a RuntimeClass. `type-rules.ts` says which field has which rules.
// Kubernetes: pkg/apis/core/validation/validation.go, and its like for each group, where the same is code

import { isIP } from 'node:net';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import { isObject, type JsonObject } from '../json.ts';
import type { ResourceDefinition } from '../resources.ts';
import { nameOfReference, type OpenApiSchema, schemaNameOf, schemas } from '../schemas.ts';
import { invalidValue, required as missing, unsupportedValue } from './field-errors.ts';
import { type NameRule, validateLabelKey, validateLabels, validateName } from './name-rules.ts';

/** What is wrong with a field's value; `owner` is the object that it is a field of. */
export type Rule = (field: string, value: unknown, owner: JsonObject) => StatusCause[];

/** By a field's name; '' is the whole object. */
export type TypeRules = Record<string, Rule | Rule[]>;

/** What is wrong with the object's fields, by the rules of their types. The status is the server's own affair. */
export function fieldProblems(object: JsonObject, resource: ResourceDefinition, rules: Record<string, TypeRules>): StatusCause[] {
  if (resource.custom) return [];
  const { status, metadata, ...fields } = object;
  return problemsOf(fields, { $ref: schemaNameOf(resource) }, '', rules);
}

function problemsOf(value: unknown, schema: OpenApiSchema, path: string, rules: Record<string, TypeRules>): StatusCause[] {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref;
  const type = reference && nameOfReference(reference);
  const { properties, additionalProperties, items = {} } = type ? (schemas[type] ?? {}) : schema;
  if (Array.isArray(value)) return value.flatMap((item, index) => problemsOf(item, items, `${path}[${index}]`, rules));
  if (!isObject(value)) return [];
  const own = Object.entries((type && rules[shortName(type)]) || {}).flatMap(([field, some]) =>
    [some].flat().flatMap((rule) => rule(inside(path, field), field === '' ? value : value[field], value)),
  );
  const inner = Object.entries(value).flatMap(([field, one]) => {
    // What a StatefulSet will claim is looked at when it claims it.
    if (field === 'volumeClaimTemplates') return [];
    const known = properties ? (Object.hasOwn(properties, field) ? properties[field] : undefined) : additionalProperties;
    return known ? problemsOf(one, known, inside(path, field), rules) : [];
  });
  return [...own, ...inner];
}

/** `core.v1.Toleration` of `io.k8s.api.core.v1.Toleration` */
function shortName(type: string): string {
  return type.split('.').slice(-3).join('.');
}

function inside(path: string, field: string): string {
  return path && field ? `${path}.${field}` : path || field;
}

/** Go does not tell absent from empty, and so nobody does. */
function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
}

export const required =
  (detail = ''): Rule =>
  (field, value) =>
    isEmpty(value) ? [missing(field, detail)] : [];

/** One of these, if it is there. */
export const oneOf =
  (...supported: string[]): Rule =>
  (field, value) =>
    isEmpty(value) || supported.includes(value as string) ? [] : [unsupportedValue(field, value, supported)];

/** One of these, and it must be there. */
export const anyOf =
  (...supported: string[]): Rule =>
  (field, value = '') =>
    supported.includes(value as string) ? [] : [unsupportedValue(field, value, supported)];

/** Whatever the rule says of each item. */
export const each =
  (rule: Rule): Rule =>
  (field, list, owner) =>
    Array.isArray(list) ? list.flatMap((item, index) => rule(`${field}[${index}]`, item, owner)) : [];

/** Invalid, with these words, when it is there and does not hold. */
export const holds =
  (why: string, test: (value: never, owner: JsonObject) => boolean): Rule =>
  (field, value, owner) =>
    value === undefined || value === null || test(value as never, owner) ? [] : [invalidValue(field, value, why)];

export const named =
  (rule: NameRule): Rule =>
  (field, value) =>
    typeof value === 'string' && value !== '' ? validateName(field, value, rule) : [];

export const between = (least: number, most: number, why = `must be between ${least} and ${most}, inclusive`): Rule =>
  holds(why, (value: unknown) => typeof value !== 'number' || (value >= least && value <= most));

export const positive = (why = 'must be greater than zero'): Rule => holds(why, (value: unknown) => typeof value !== 'number' || value > 0);

export const notNegative = between(0, Number.POSITIVE_INFINITY, 'must be greater than or equal to 0');
export const portNumber = between(1, 65_535);
export const userId = between(0, 2_147_483_647);
export const fileMode = between(0, 0o777, 'must be a number between 0 and 0777 (octal), both inclusive');

export const address = holds('must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)', (value: string) => isIP(value) !== 0);

export const addressRange = holds('must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)', (value: string) => {
  const [, ip = '', bits = ''] = /^(.+)\/(\d{1,3})$/.exec(value) ?? [];
  return isIP(ip) !== 0 && Number(bits) <= (isIP(ip) === 4 ? 32 : 128);
});

export const labels: Rule = (field, value) => (isObject(value) ? validateLabels(field, value as Record<string, string>) : []);

/** `name` or `example.com/name` */
export const qualifiedName: Rule = (field, value) => (typeof value === 'string' ? validateLabelKey(field, value) : []);

/** Exactly these fields of the object, of which one must be there. */
export const someOf =
  (complain: (field: string) => StatusCause, ...fields: string[]): Rule =>
  (field, _, owner) =>
    fields.some((name) => owner[name] !== undefined && owner[name] !== null) ? [] : [complain(field)];
