// Validation: does a value keep to its schema? The problems come in the words that everybody knows, each with the field it is about.
// An object is checked after pruning and defaults: what is not known is gone, and what has a default is there.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/validation, and k8s.io/kube-openapi/pkg/validation

import type { StatusCause } from 'kubernetes-types/meta/v1';
import { canonicalJson, equalJson, isObject, type JsonObject } from '../json.ts';
import { duplicateValue, invalidValue, required, tooLong, tooMany, unsupportedValue, wrongType } from '../kinds/field-errors.ts';
import { hasFormat } from './formats.ts';
import { fieldIn, type Schema, schemaOfField, schemaOfItems } from './schema.ts';

/**
 * What is wrong with a value at a path, and in it. A value of the wrong type (`isOfType`) has one problem, `wrongType`, and is not
 * looked into. null is right where the schema says `nullable`, and nothing more is asked of it. A value that is not in the
 * `enum` is an `unsupportedValue`. Then come the rules of its type (`textProblems`, …), and those of `combinationProblems`.
 *
 * @exercise 2.11 Check the type first, then all rules for a value of this type
 */
export function schemaProblems(value: unknown, schema: Schema, path = ''): StatusCause[] {
  if (value === null && schema.nullable) return [];
  if (!isOfType(value, schema)) return [wrongType(path, typeOf(value), expectedType(schema))];
  const choices = schema.enum?.map((choice) => (typeof choice === 'string' ? choice : JSON.stringify(choice)));
  const isChosen = schema.enum?.some((choice) => equalJson(choice, value)) ?? true;
  return [
    ...(isChosen ? [] : [unsupportedValue(path, value, choices ?? [])]),
    ...(typeof value === 'string' ? textProblems(value, schema, path) : []),
    ...(typeof value === 'number' ? numberProblems(value, schema, path) : []),
    ...(Array.isArray(value) ? listProblems(value, schema, path) : []),
    ...(isObject(value) ? objectProblems(value, schema, path) : []),
    ...combinationProblems(value, schema, path),
  ];
}

function textProblems(text: string, { minLength = 0, maxLength, pattern, format }: Schema, path: string): StatusCause[] {
  const length = [...text].length;
  const shouldBe = (what: string) => invalidValue(path, text, `${path} in body should ${what}`);
  return [
    ...(maxLength !== undefined && length > maxLength ? [tooLong(path, maxLength)] : []),
    ...(length < minLength ? [shouldBe(`be at least ${minLength} chars long`)] : []),
    ...(pattern !== undefined && !new RegExp(pattern, 'u').test(text) ? [shouldBe(`match '${pattern}'`)] : []),
    ...(format && !hasFormat(text, format)
      ? [invalidValue(path, text, `${path} in body must be of type ${format}: ${JSON.stringify(text)}`)]
      : []),
  ];
}

function numberProblems(number: number, schema: Schema, path: string): StatusCause[] {
  const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const shouldBe = (what: string) => invalidValue(path, number, `${path} in body should be ${what}`);
  const isMultiple = multipleOf === undefined || Number.isInteger(number / multipleOf);
  return [
    ...(isMultiple ? [] : [shouldBe(`a multiple of ${multipleOf}`)]),
    ...(exclusiveMaximum && number >= maximum ? [shouldBe(`less than ${maximum}`)] : []),
    ...(!exclusiveMaximum && number > maximum ? [shouldBe(`less than or equal to ${maximum}`)] : []),
    ...(exclusiveMinimum && number <= minimum ? [shouldBe(`greater than ${minimum}`)] : []),
    ...(!exclusiveMinimum && number < minimum ? [shouldBe(`greater than or equal to ${minimum}`)] : []),
  ];
}

/**
 * Too few items (`minItems`: the invalid value is their number, `<path> in body should have at least 1 items`), too many (`maxItems`: `tooMany`), what is
 * wrong in each item, at `<path>[<index>]`, and items that are there twice (`duplicateValue`, at the later one): in a list of type
 * `set` the same value, in one of type `map` the same values of all `x-kubernetes-list-map-keys`; the duplicate value is those keys.
 *
 * @exercise 2.11 Count the items, check each, and find those that cannot be told apart
 */
export function listProblems(list: unknown[], schema: Schema, path: string): StatusCause[] {
  const { minItems = 0, maxItems = Infinity } = schema;
  return [
    ...(list.length < minItems ? [invalidValue(path, list.length, `${path} in body should have at least ${minItems} items`)] : []),
    ...(list.length > maxItems ? [tooMany(path, list.length, maxItems)] : []),
    ...list.flatMap((item, index) => schemaProblems(item, schemaOfItems(schema), `${path}[${index}]`)),
    ...duplicates(list, schema, path),
  ];
}

/** @solution */
function duplicates(list: unknown[], schema: Schema, path: string): StatusCause[] {
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const kind = schema['x-kubernetes-list-type'] ?? 'atomic';
  if (kind === 'atomic') return [];
  const identity = (item: unknown) =>
    kind === 'map' && isObject(item) ? Object.fromEntries(keys.flatMap((key) => (key in item ? [[key, item[key]]] : []))) : item;
  const seen = new Set<string>();
  return list.flatMap((item, index) => {
    const one = identity(item);
    const text = canonicalJson(one);
    if (seen.has(text)) return [duplicateValue(`${path}[${index}]`, one)];
    seen.add(text);
    return [];
  });
}

/**
 * Fields that are `required` and not there; fewer or more fields than `minProperties` and `maxProperties` say (as with items, but there
 * should be `at least 1 properties`); and what is wrong in each field that the schema knows (`schemaOfField`).
 * In an embedded resource, apiVersion and kind are required: `Required value: must not be empty`.
 *
 * @exercise 2.11 Find the fields that are missing, count the fields, and check each
 */
export function objectProblems(object: JsonObject, schema: Schema, path: string): StatusCause[] {
  const { minProperties = 0, maxProperties = Infinity } = schema;
  const count = Object.keys(object).length;
  const missing = (schema.required ?? []).filter((field) => !Object.hasOwn(object, field));
  const unnamed = schema['x-kubernetes-embedded-resource'] ? ['apiVersion', 'kind'].filter((field) => !object[field]) : [];
  const inner = Object.entries(object).flatMap(([field, value]) => {
    const known = schemaOfField(schema, field);
    return known ? schemaProblems(value, known, fieldIn(path, field)) : [];
  });
  return [
    ...missing.map((field) => required(fieldIn(path, field))),
    ...unnamed.map((field) => required(fieldIn(path, field), 'must not be empty')),
    ...(count < minProperties ? [invalidValue(path, count, `${path} in body should have at least ${minProperties} properties`)] : []),
    ...(count > maxProperties ? [tooMany(path, count, maxProperties)] : []),
    ...inner,
  ];
}

/**
 * Whether the value fits all, any, exactly one, or none of other schemas. Where it does not, the field's value counts as invalid, shown
 * as an empty text, with one of these words, the path in quotes in front; for `allOf` come the problems found there, too:
 *
 *     "spec.place" must validate all the schemas (allOf)
 *     "spec.place" must validate all the schemas (allOf). None validated
 *     "spec.place" must validate at least one schema (anyOf)
 *     "spec.place" must validate one and only one schema (oneOf). Found none valid
 *     "spec.place" must validate one and only one schema (oneOf). Found 2 valid alternatives
 *     "spec.place" must not validate the schema (not)
 *
 * @exercise 2.11 Count in how many of the schemas nothing is wrong
 */
export function combinationProblems(value: unknown, { allOf = [], anyOf = [], oneOf = [], not }: Schema, path: string): StatusCause[] {
  const must = (words: string) => invalidValue(path, '', `${JSON.stringify(path)} must ${words}`);
  const fits = (schema: Schema) => schemaProblems(value, schema, path).length === 0;
  const inAll = allOf.flatMap((schema) => schemaProblems(value, schema, path));
  const alternatives = oneOf.filter(fits).length;
  const found = alternatives === 0 ? 'Found none valid' : `Found ${alternatives} valid alternatives`;
  return [
    ...inAll,
    ...(inAll.length > 0 ? [must(`validate all the schemas (allOf)${allOf.some(fits) ? '' : '. None validated'}`)] : []),
    ...(anyOf.length > 0 && !anyOf.some(fits) ? [must('validate at least one schema (anyOf)')] : []),
    ...(oneOf.length > 0 && alternatives !== 1 ? [must(`validate one and only one schema (oneOf). ${found}`)] : []),
    ...(not && fits(not) ? [must('not validate the schema (not)')] : []),
  ];
}

function isOfType(value: unknown, schema: Schema): boolean {
  const types = expectedType(schema).split(',');
  const type = typeOf(value);
  return types.includes('') || types.includes(type) || (type === 'integer' && types.includes('number'));
}

/** '' when the schema does not say. */
function expectedType(schema: Schema): string {
  return schema['x-kubernetes-int-or-string'] ? 'integer,string' : (schema.type ?? '');
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}
