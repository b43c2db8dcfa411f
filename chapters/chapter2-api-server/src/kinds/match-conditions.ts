// Match conditions: what must be true of a write, beyond rules and selectors, for a webhook to be asked. Each has a name and an expression.
// Kubernetes: pkg/apis/admissionregistration/validation/validation.go, validateMatchConditions

import type { MatchCondition } from 'kubernetes-types/admissionregistration/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import { aboutWrites } from '../admission/admission-request.ts';
import type { Language } from '../expressions.ts';
import { duplicateValue, invalidValue, required, tooMany } from './field-errors.ts';
import { validateLabelKey } from './name-rules.ts';

const most = 64;

export function validateMatchConditions(conditions: MatchCondition[], field: string, language = aboutWrites): StatusCause[] {
  const names = conditions.map(({ name }) => name);
  return [
    ...(conditions.length > most ? [tooMany(field, conditions.length, most)] : []),
    ...conditions.flatMap(({ name, expression }, index) => [
      ...validateExpression(expression, `${field}[${index}].expression`, language, 'bool'),
      ...(name ? validateLabelKey(`${field}[${index}].name`, name) : [required(`${field}[${index}].name`)]),
      ...(name && names.indexOf(name) < index ? [duplicateValue(`${field}[${index}].name`, name)] : []),
    ]),
  ];
}

/** @param types of which it must be one, in CEL's words */
export function validateExpression(expression: string, field: string, language: Language, ...types: string[]): StatusCause[] {
  if (!expression?.trim()) return [required(field)];
  const why = language.whyNot(expression, ...types);
  return why ? [invalidValue(field, expression, why)] : [];
}
