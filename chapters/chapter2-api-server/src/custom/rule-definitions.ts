// Are the rules of a schema in order? An expression that cannot be read, or speaks of a field that there is not, is found when the definition
// is written, and not when its first object is.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go, .../pkg/apiserver/schema/cel/compilation.go

import type { StatusCause } from 'kubernetes-types/meta/v1';
import { Language, mentions, type ObjectTypes } from '../expressions.ts';
import { isObject } from '../json.ts';
import { invalidValue, required, unsupportedValue } from '../kinds/field-errors.ts';
import { parseJsonPath } from './json-path.ts';
import { celTypeOf, withMetadata } from './rule-types.ts';
import { type Rule, type Schema, schemaOfField } from './schema.ts';

const reasons = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];

interface Place {
  schema: Schema;
  path: string;
  /** The list or object in which nobody can say which value was which one before. */
  unrelated?: string;
}

/** What is wrong with the rules of a structural schema, which stands at `path`. */
export function ruleDefinitionProblems(schema: Schema, path: string): StatusCause[] {
  return problemsAt({ schema: withMetadata(schema), path });
}

function problemsAt(place: Place): StatusCause[] {
  const { schema, path } = place;
  const { properties = {}, additionalProperties, items } = schema;
  const ofItems = schema['x-kubernetes-list-type'] === 'map' ? {} : { unrelated: path };
  const ofFields = schema['x-kubernetes-map-type'] === 'atomic' ? { unrelated: path } : {};
  return [
    ...(schema['x-kubernetes-validations'] ?? []).flatMap((rule, index) => ruleProblems(rule, index, place)),
    ...Object.entries(properties).flatMap(([field, inner]) =>
      problemsAt({ ...ofFields, ...place, schema: inner, path: `${path}.properties[${field}]` }),
    ),
    ...(isObject(additionalProperties)
      ? problemsAt({ ...ofFields, ...place, schema: additionalProperties, path: `${path}.additionalProperties` })
      : []),
    ...(items ? problemsAt({ ...ofItems, ...place, schema: items, path: `${path}.items` }) : []),
  ];
}

function ruleProblems(rule: Rule, index: number, place: Place): StatusCause[] {
  const at = `${place.path}.x-kubernetes-validations[${index}]`;
  const textual = textProblems(rule, at, place.schema);
  return textual.length > 0 ? textual : expressionProblems(rule, at, place);
}

function textProblems(
  { rule, message = '', messageExpression = '', reason, fieldPath = '' }: Rule,
  at: string,
  schema: Schema,
): StatusCause[] {
  const isBlank = (text: string) => text !== '' && text.trim() === '';
  const hasLines = (text: string) => /[\n\r]/.test(text.trim());
  return [
    ...(rule?.trim() ? messageProblems(rule, message, at) : [required(`${at}.rule`, 'rule is not specified')]),
    ...(isBlank(messageExpression) ? [required(`${at}.messageExpression`, 'messageExpression must be non-empty if specified')] : []),
    ...(reason === undefined || reasons.includes(reason) ? [] : [unsupportedValue(`${at}.reason`, reason, reasons)]),
    ...(isBlank(fieldPath) ? [invalidValue(`${at}.fieldPath`, fieldPath, 'fieldPath must be non-empty if specified')] : []),
    ...(hasLines(fieldPath) ? [invalidValue(`${at}.fieldPath`, fieldPath, 'fieldPath must not contain line breaks')] : []),
    ...(leadsSomewhere(fieldPath, schema) ? [] : [invalidValue(`${at}.fieldPath`, fieldPath, 'fieldPath must be a valid path')]),
  ];
}

function messageProblems(rule: string, message: string, at: string): StatusCause[] {
  const hasLines = (text: string) => /[\n\r]/.test(text.trim());
  if (message && !message.trim()) return [invalidValue(`${at}.message`, message, 'message must be non-empty if specified')];
  if (hasLines(message)) return [invalidValue(`${at}.message`, message, 'message must not contain line breaks')];
  const isUnnamed = hasLines(rule) && !message;
  return isUnnamed ? [required(`${at}.message`, 'message must be specified if rule contains line breaks')] : [];
}

function leadsSomewhere(path: string, schema: Schema): boolean {
  if (path === '') return true;
  const steps = parseJsonPath(path);
  return (
    steps?.reduce<Schema | undefined>((at, step) => at && ('field' in step ? schemaOfField(at, step.field) : undefined), schema) !==
    undefined
  );
}

function expressionProblems(
  { rule, messageExpression = '', optionalOldSelf }: Rule,
  at: string,
  { schema, unrelated }: Place,
): StatusCause[] {
  const types: ObjectTypes = new Map();
  const self = celTypeOf(schema['x-kubernetes-embedded-resource'] ? withMetadata(schema) : schema, types);
  const checked = new Language({ self, oldSelf: optionalOldSelf ? `optional<${self}>` : self }, types).check(rule);
  if ('why' in checked) return [invalidValue(`${at}.rule`, rule, checked.why)];
  if (checked.type !== 'bool') return [invalidValue(`${at}.rule`, rule, 'cel expression must evaluate to a bool')];
  const comparesWithOld = mentions(rule, 'oldSelf');
  const nowhere = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${unrelated}`;
  const needless = 'may not be set if oldSelf is not used in rule';
  return [
    ...(messageExpression ? messageExpressionProblems(messageExpression, new Language({ self, oldSelf: self }, types), at) : []),
    ...(comparesWithOld && unrelated !== undefined ? [invalidValue(`${at}.rule`, rule, nowhere)] : []),
    ...(optionalOldSelf !== undefined && !comparesWithOld ? [invalidValue(`${at}.optionalOldSelf`, optionalOldSelf, needless)] : []),
  ];
}

function messageExpressionProblems(expression: string, language: Language, at: string): StatusCause[] {
  const invalid = (why: string) => [invalidValue(`${at}.messageExpression`, expression, `messageExpression ${why}`)];
  const checked = language.check(expression);
  if ('why' in checked) return invalid(checked.why);
  return checked.type === 'string' ? [] : invalid('must evaluate to a string');
}
