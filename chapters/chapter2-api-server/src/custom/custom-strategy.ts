// What is special to a custom kind, made from its schema: to the generic store it is a strategy like that of any built-in kind.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/strategy.go

import type { StatusCause } from 'kubernetes-types/meta/v1';
import type { KubernetesObject } from '#kit/api';
import { ExpressionFailure } from '../expressions.ts';
import { invalidValue } from '../kinds/field-errors.ts';
import type { KindStrategy } from '../kinds/strategy.ts';
import type { ApiObject } from '../object.ts';
import { withinBudget } from '../time-budget.ts';
import { fillDefaults } from './defaulting.ts';
import { schemaOf, type Version } from './definition.ts';
import { pruned } from './pruning.ts';
import { ruleProblems } from './rules.ts';
import { isAnywhere, type Schema } from './schema.ts';
import { schemaProblems } from './validation.ts';

export function customStrategy(served: Version, stored: Version): KindStrategy {
  const schema = schemaOf(served);
  const validate = validator(schema);
  return {
    setDefaults(object) {
      const custom = object as ApiObject;
      custom.metadata.generation ??= 1;
      fillDefaults(custom, schema);
      if (served !== stored) pruned(custom, schemaOf(stored));
    },
    validate,
    validateStatus: validate,
  };
}

type Validate = (object: KubernetesObject, old?: KubernetesObject) => StatusCause[];

/** Patterns and rules are somebody's, and could take for ever. */
function validator(schema: Schema): Validate {
  const isRuled = isAnywhere(schema, (one) => one['x-kubernetes-validations'] !== undefined);
  const validate: Validate = (object, old) => {
    const problems = newProblems(schemaProblems(object, schema), () => (old ? schemaProblems(old, schema) : []));
    if (!isRuled) return problems;
    return isIncomplete(problems) ? [...problems, unchecked] : [...problems, ...ruleProblems(object, old, schema)];
  };
  if (!isRuled && !isAnywhere(schema, ({ pattern }) => pattern !== undefined)) return validate;
  return (object, old) => {
    const problems = withinBudget(() => validate(object, old));
    return problems instanceof ExpressionFailure ? [invalidValue('<nil>', 'object', problems.why)] : problems;
  };
}

/** A rule may take for granted what the schema says. */
function isIncomplete(problems: StatusCause[]): boolean {
  return problems.some(({ reason = '' }) => basic.includes(reason));
}

const basic = ['FieldValueNotSupported', 'FieldValueRequired', 'FieldValueTooLong', 'FieldValueTooMany', 'FieldValueTypeInvalid'];
const unchecked = invalidValue(
  '<nil>',
  'null',
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
);

/**
 * Without the problems that the object had before: a schema that has become stricter must not stop an author who changes something else.
 * A field that is missing is asked for every time.
 * Kubernetes: CRDValidationRatcheting, staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/validation/ratcheting.go
 */
function newProblems(problems: StatusCause[], before: () => StatusCause[]): StatusCause[] {
  if (problems.length === 0) return [];
  const known = new Set(before().map(({ field, message }) => `${field}: ${message}`));
  return problems.filter(({ field, message, reason }) => reason === 'FieldValueRequired' || !known.has(`${field}: ${message}`));
}
