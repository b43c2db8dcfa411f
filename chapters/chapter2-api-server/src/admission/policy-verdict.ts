// What a policy says of a write: pure, given everything that its expressions may speak of.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/validating/validator.go

import { attempt, computeMessage, ExpressionFailure, type Values } from '../expressions.ts';
import type { Policy } from '../kinds/policies.ts';
import { areMet } from './match-conditions.ts';

export interface Denial {
  message: string;
  reason: string;
  /** Which of the policy's validations it is; the first, where all of them failed. */
  index: number;
  /** It counts whatever a binding's actions are. */
  isFinal?: boolean;
}

export interface Verdict {
  denials: Denial[];
  /** For the audit log. */
  annotations: [key: string, value: string][];
}

const longestAnnotation = 10 * 1024;

/** What cannot be evaluated denies (Fail), or does not count (Ignore). */
export function verdictOf(policy: Policy, given: Values): Verdict {
  const { matchConditions = [], validations = [], auditAnnotations = [], variables = [] } = policy.spec;
  const met = areMet(matchConditions, { ...given, namespaceObject: null });
  if (met instanceof ExpressionFailure) return failed(policy, met.message);
  if (!met) return { denials: [], annotations: [] };
  const values = { ...given, variables: lazily(variables, given) };
  const annotations: Verdict['annotations'] = [];
  const denials = validations.flatMap((validation, index): Denial[] => {
    const answer = attempt(validation.expression, values);
    if (answer instanceof ExpressionFailure) return failed(policy, answer.message, { index }).denials;
    return answer === true ? [] : [{ message: messageOf(validation, values), reason: validation.reason ?? 'Invalid', index }];
  });
  for (const { key, valueExpression } of auditAnnotations) {
    const answer = attempt(valueExpression, values);
    if (answer instanceof ExpressionFailure) denials.push(...failed(policy, answer.message, { isFinal: true }).denials);
    else if (typeof answer === 'string' && answer.trim()) annotations.push([key, answer.trim().slice(0, longestAnnotation)]);
  }
  return { denials, annotations };
}

/** Of a policy that could not be asked. */
export function failed({ spec: { failurePolicy } }: Policy, message: string, more: Partial<Denial> = {}): Verdict {
  return { denials: failurePolicy === 'Ignore' ? [] : [{ message, reason: 'Invalid', index: 0, ...more }], annotations: [] };
}

/** Each is evaluated when the first expression asks for it, and once. */
function lazily(variables: NonNullable<Policy['spec']['variables']>, given: Values): Values {
  const lazy: Values = {};
  const values = { ...given, variables: lazy };
  for (const { name, expression } of variables) {
    const get = () => {
      const value = attempt(expression, values);
      if (value instanceof ExpressionFailure) throw new ExpressionFailure(`composited variable "${name}" fails to evaluate: ${value.why}`);
      Object.defineProperty(lazy, name, { value });
      return value;
    };
    Object.defineProperty(lazy, name, { get, configurable: true, enumerable: true });
  }
  return lazy;
}

type Validation = NonNullable<Policy['spec']['validations']>[number];

/** What its author says, if that can be shown. */
function messageOf({ expression, message, messageExpression }: Validation, values: Values): string {
  return computeMessage(messageExpression, values) || message?.trim() || `failed expression: ${expression.trim()}`;
}
