// Match conditions: whether what must be true of a write, for a webhook or a policy to be asked, is true.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions/matcher.go

import type { MatchCondition } from 'kubernetes-types/admissionregistration/v1';
import { attempt, ExpressionFailure, type Values } from '../expressions.ts';

/** Whether all are true. One that is false decides, whatever becomes of the others. */
export function areMet(conditions: MatchCondition[], values: Values): boolean | ExpressionFailure {
  const answers = conditions.map(({ expression }) => attempt(expression, values));
  if (answers.includes(false)) return false;
  const failures = answers.filter((answer) => answer instanceof ExpressionFailure);
  return failures.length === 0 || new ExpressionFailure(aggregate(failures.map(({ message }) => message)));
}

/** Kubernetes: staging/src/k8s.io/apimachinery/pkg/util/errors/errors.go, aggregate.Error: one as it is, several in brackets */
function aggregate(messages: string[]): string {
  return messages.length > 1 ? `[${[...new Set(messages)].join(', ')}]` : messages.join();
}
