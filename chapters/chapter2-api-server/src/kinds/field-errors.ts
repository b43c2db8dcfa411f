// What can be wrong with a field, in the API's own words. People search the web for these sentences: they are kept exactly.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/util/validation/field/errors.go

import type { StatusCause } from 'kubernetes-types/meta/v1';
import { equalJson } from '../json.ts';

const quoted = (value: unknown) => JSON.stringify(value);

/** A sentence's second half: nothing when there is nothing to add. */
const because = (detail: string) => (detail ? `: ${detail}` : '');

export function required(field: string, detail = ''): StatusCause {
  return { reason: 'FieldValueRequired', message: `Required value${because(detail)}`, field };
}

export function invalidValue(field: string, value: unknown, detail: string): StatusCause {
  return { reason: 'FieldValueInvalid', message: `Invalid value: ${quoted(value)}${because(detail)}`, field };
}

export function unsupportedValue(field: string, value: unknown, supported: readonly string[]): StatusCause {
  const message = `Unsupported value: ${quoted(value)}: supported values: ${supported.map(quoted).join(', ')}`;
  return { reason: 'FieldValueNotSupported', message, field };
}

export function tooLong(field: string, limitInBytes: number): StatusCause {
  return { reason: 'FieldValueTooLong', message: `Too long: may not be more than ${limitInBytes} bytes`, field };
}

/** Fields of a map are items, too. */
export function tooMany(field: string, actual: number, most: number): StatusCause {
  return { reason: 'FieldValueTooMany', message: `Too many: ${actual}: must have at most ${most} items`, field };
}

export function wrongType(field: string, actual: string, expected: string): StatusCause {
  const message = `Invalid value: ${quoted(actual)}: ${field} in body must be of type ${expected}: ${quoted(actual)}`;
  return { reason: 'FieldValueTypeInvalid', message, field };
}

export function duplicateValue(field: string, value: unknown): StatusCause {
  return { reason: 'FieldValueDuplicate', message: `Duplicate value: ${quoted(value)}`, field };
}

export function unknownValue(field: string, value: unknown): StatusCause {
  return { reason: 'FieldValueNotFound', message: `Not found: ${quoted(value)}`, field };
}

export function forbiddenField(field: string, detail: string): StatusCause {
  return { reason: 'FieldValueForbidden', message: `Forbidden${because(detail)}`, field };
}

export const isImmutable = 'field is immutable';

/** One cause when the field changed. */
export function immutable(field: string, value: unknown, old: unknown): StatusCause[] {
  return equalJson(value, old) ? [] : [invalidValue(field, value, isImmutable)];
}
