// Validation: does a value keep to its schema? The problems come in the words that everybody knows, each with the field it is about.
// An object is checked after pruning and defaults: what is not known is gone, and what has a default is there.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/validation, and k8s.io/kube-openapi/pkg/validation

import type { StatusCause } from 'kubernetes-types/meta/v1';
import { NotImplemented } from '#kit/not-implemented';
import { canonicalJson, equalJson, isObject, type JsonObject } from '../json.ts';
import { duplicateValue, invalidValue, required, tooLong, tooMany, unsupportedValue, wrongType } from '../kinds/field-errors.ts';
import { hasFormat } from './formats.ts';
import { fieldIn, type Schema, schemaOfField, schemaOfItems } from './schema.ts';

/**
 * What is wrong with a value at a path, and in it. A value of the wrong type (`isOfType`) has one problem, `wrongType`, and is not
 * looked into. null is right where the schema says `nullable`, and nothing more is asked of it. A value that is not in the
 * `enum` is an `unsupportedValue`. Then come the rules of its type (`textProblems`, …), and those of `combinationProblems`.
 */
export function schemaProblems(value: unknown, schema: Schema, path = ''): StatusCause[] {
  throw new NotImplemented('2.11', 'Check the type first, then all rules for a value of this type');
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
 */
export function listProblems(list: unknown[], schema: Schema, path: string): StatusCause[] {
  throw new NotImplemented('2.11', 'Count the items, check each, and find those that cannot be told apart');
}

/**
 * Fields that are `required` and not there; fewer or more fields than `minProperties` and `maxProperties` say (as with items, but there
 * should be `at least 1 properties`); and what is wrong in each field that the schema knows (`schemaOfField`).
 * In an embedded resource, apiVersion and kind are required: `Required value: must not be empty`.
 */
export function objectProblems(object: JsonObject, schema: Schema, path: string): StatusCause[] {
  throw new NotImplemented('2.11', 'Find the fields that are missing, count the fields, and check each');
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
 */
export function combinationProblems(value: unknown, { allOf = [], anyOf = [], oneOf = [], not }: Schema, path: string): StatusCause[] {
  throw new NotImplemented('2.11', 'Count in how many of the schemas nothing is wrong');
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
