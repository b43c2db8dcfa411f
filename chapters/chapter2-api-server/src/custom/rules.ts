// Rules: what must be true of a value beyond its schema, in CEL. A rule stands in the schema of the value that it speaks of, at any depth.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go

import type { StatusCause } from 'kubernetes-types/meta/v1';
import { attempt, computeMessage, ExpressionFailure, mentions, optional, type Values } from '../expressions.ts';
import { equalJson, isObject } from '../json.ts';
import { duplicateValue, forbiddenField, invalidValue, required } from '../kinds/field-errors.ts';
import { celValueOf, withMetadata } from './rule-types.ts';
import { fieldIn, type Rule, type Schema, schemaOfField, schemaOfItems } from './schema.ts';

/** A value, and what it was; `old` is undefined where there was none, or nobody can say which one it was. */
interface Place {
  value: unknown;
  old: unknown;
  /** Whether it is what it was, or is in something that is. */
  isUnchanged(): boolean;
  schema: Schema;
  path: string;
}

/** The rules that an object breaks. What an unchanged value breaks it may go on breaking: a new rule must stop nobody who changes something else. */
export function ruleProblems(value: unknown, old: unknown, schema: Schema): StatusCause[] {
  return problemsAt({ value, old, isUnchanged: () => false, schema: withMetadata(schema), path: '' });
}

function problemsAt(place: Place): StatusCause[] {
  const { value, old } = place;
  if (value === null || value === undefined) return [];
  const isUnchanged = () => place.isUnchanged() || (old !== undefined && equalJson(value, old));
  const here = { ...place, isUnchanged };
  return [
    ...brokenRules(here),
    ...(Array.isArray(value) ? value.flatMap((item, index) => problemsInItem(here, item, index)) : []),
    ...(isObject(value) ? Object.entries(value).flatMap(([field, inner]) => problemsInField(here, field, inner)) : []),
  ];
}

function problemsInItem(place: Place, value: unknown, index: number): StatusCause[] {
  const { schema, path, old } = place;
  const oldItem = Array.isArray(old) ? sameItem(old, value, schema) : undefined;
  return problemsAt({ ...place, value, old: oldItem, schema: schemaOfItems(schema), path: `${path}[${index}]` });
}

/** Only the items of a map can be told apart. */
function sameItem(
  list: unknown[],
  item: unknown,
  { 'x-kubernetes-list-type': type, 'x-kubernetes-list-map-keys': keys = [] }: Schema,
): unknown {
  if (type !== 'map' || !isObject(item)) return undefined;
  return list.find((other) => isObject(other) && keys.every((key) => equalJson(other[key], item[key])));
}

function problemsInField(place: Place, field: string, value: unknown): StatusCause[] {
  const { schema, path, old } = place;
  const inner = schemaOfField(schema, field);
  if (!inner) return [];
  const isNamed = Object.hasOwn(schema.properties ?? {}, field);
  const before = schema['x-kubernetes-map-type'] !== 'atomic' && isObject(old) && Object.hasOwn(old, field) ? old[field] : undefined;
  const at = isNamed ? fieldIn(path, field) : `${path}[${field}]`;
  return problemsAt({ ...place, value, old: before, schema: inner, path: at });
}

function brokenRules({ value, old, isUnchanged, schema: own, path }: Place): StatusCause[] {
  const rules = own['x-kubernetes-validations'] ?? [];
  if (rules.length === 0) return [];
  const schema = own['x-kubernetes-embedded-resource'] ? withMetadata(own) : own;
  const before = old === undefined || old === null ? undefined : celValueOf(old, schema);
  const values = { self: celValueOf(value, schema), oldSelf: before };
  return rules.flatMap((rule) => {
    const comparesWithOld = mentions(rule.rule, 'oldSelf');
    if (comparesWithOld && before === undefined && !rule.optionalOldSelf) return [];
    const known = rule.optionalOldSelf ? { ...values, oldSelf: optional(before) } : values;
    const answer = attempt(rule.rule, known);
    const at = { path: path || '<nil>', type: schema.type ?? '' };
    if (answer instanceof ExpressionFailure) return [invalidValue(at.path, at.type, failureOf(answer, rule))];
    return answer === true || (!comparesWithOld && isUnchanged()) ? [] : [problemOf(rule, values, at.type, path)];
  });
}

function failureOf({ why }: ExpressionFailure, rule: Rule): string {
  if (!why.startsWith('no such overload')) return `${why} evaluating rule: ${nameOf(rule)}`;
  return `'${why}': call arguments did not match a supported operator, function or macro signature for rule: ${nameOf(rule)}`;
}

function nameOf({ rule, message }: Rule): string {
  return (message || rule).trim();
}

function problemOf(rule: Rule, values: Values, type: string, path: string): StatusCause {
  const message = computeMessage(rule.messageExpression, values) || rule.message?.trim() || `failed rule: ${nameOf(rule)}`;
  const at = (rule.fieldPath ? fieldIn(path, rule.fieldPath.replace(/^\./, '')) : path) || '<nil>';
  if (rule.reason === 'FieldValueForbidden') return forbiddenField(at, message);
  if (rule.reason === 'FieldValueRequired') return required(at, message);
  return rule.reason === 'FieldValueDuplicate' ? duplicateValue(at, type) : invalidValue(at, type, message);
}
