// Is it a schema at all? Whoever wrote it may have put a number where a list belongs. Everything that reads schemas relies on this.
// Kubernetes decodes a schema into a struct: staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1/types_jsonschema.go

import type { StatusCause } from 'kubernetes-types/meta/v1';
import { isObject } from '../json.ts';
import { wrongType } from '../kinds/field-errors.ts';

type Check = (value: unknown, path: string) => StatusCause[];

/** What stands behind each word; what a word may hold that is not here, `default` and `enum` above all, is any JSON. */
const words: Record<string, Check> = {
  ...all(['type', 'format', 'description', 'pattern', 'x-kubernetes-list-type', 'x-kubernetes-map-type'], is('string')),
  ...all(['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'maxProperties'], is('integer')),
  ...all(['minimum', 'maximum', 'multipleOf'], is('number')),
  ...all(['nullable', 'exclusiveMinimum', 'exclusiveMaximum'], is('boolean')),
  ...all(['preserve-unknown-fields', 'embedded-resource', 'int-or-string'].map(kubernetes), is('boolean')),
  ...all(['required', 'x-kubernetes-list-map-keys'], listOf(is('string'))),
  ...all(['allOf', 'anyOf', 'oneOf'], listOf(shapeProblems)),
  ...all(['items', 'not'], shapeProblems),
  enum: listOf(() => []),
  properties: mapOf(shapeProblems),
  additionalProperties: (value, path) => (typeof value === 'boolean' ? [] : shapeProblems(value, path)),
  'x-kubernetes-validations': listOf(objectOf({ ...all(ruleTexts(), is('string')), optionalOldSelf: is('boolean') })),
};

/** Values where others belong, one cause each. */
export function shapeProblems(schema: unknown, path: string): StatusCause[] {
  return objectOf(words)(schema, path);
}

function ruleTexts(): string[] {
  return ['rule', 'message', 'messageExpression', 'reason', 'fieldPath'];
}

function kubernetes(word: string): string {
  return `x-kubernetes-${word}`;
}

function all(names: string[], check: Check): Record<string, Check> {
  return Object.fromEntries(names.map((name) => [name, check]));
}

function is(type: 'array' | 'boolean' | 'integer' | 'number' | 'object' | 'string'): Check {
  return (value, path) => {
    const actual = typeOf(value);
    return actual === type || (actual === 'integer' && type === 'number') ? [] : [wrongType(path, actual, type)];
  };
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return Number.isInteger(value) ? 'integer' : typeof value;
}

function listOf(check: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value)) return is('array')(value, path);
    return value.flatMap((item, index) => check(item, `${path}[${index}]`));
  };
}

function mapOf(check: Check): Check {
  return (value, path) => {
    if (!isObject(value)) return is('object')(value, path);
    return Object.entries(value).flatMap(([key, field]) => check(field, `${path}[${key}]`));
  };
}

function objectOf(checks: Record<string, Check>): Check {
  return (value, path) => {
    if (!isObject(value)) return is('object')(value, path);
    return Object.entries(value).flatMap(([field, inner]) =>
      Object.hasOwn(checks, field) ? (checks[field]?.(inner, `${path}.${field}`) ?? []) : [],
    );
  };
}
