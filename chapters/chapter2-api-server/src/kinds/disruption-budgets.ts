// Disruption budgets say how many must stay, or how many may go: one of the two.
// Kubernetes: pkg/apis/policy/validation/validation.go

import type { StatusCause } from 'kubernetes-types/meta/v1';
import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1';
import { invalidValue, unsupportedValue } from './field-errors.ts';
import type { KindStrategy } from './strategy.ts';

const policies = ['AlwaysAllow', 'IfHealthyBudget'];

export const disruptionBudgets: KindStrategy<PodDisruptionBudget> = {
  async prepareForCreate(budget) {
    Object.assign(budget, { status: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 } });
  },

  validate({ spec = {} }) {
    const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec;
    const both = minAvailable !== undefined && maxUnavailable !== undefined;
    return [
      ...(both ? [invalidValue('spec', spec, 'minAvailable and maxUnavailable cannot be both set')] : []),
      ...amountProblems('spec.minAvailable', minAvailable),
      ...amountProblems('spec.maxUnavailable', maxUnavailable),
      ...(policy === undefined || policies.includes(policy) ? [] : [unsupportedValue('spec.unhealthyPodEvictionPolicy', policy, policies)]),
    ];
  },
};

function amountProblems(field: string, value: number | string | undefined): StatusCause[] {
  if (typeof value === 'string') {
    if (!/^\d+%$/.test(value)) {
      return [
        invalidValue(
          field,
          value,
          "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
        ),
      ];
    }
    return Number.parseInt(value, 10) > 100 ? [invalidValue(field, value, 'must not be greater than 100%')] : [];
  }
  return value !== undefined && value < 0 ? [invalidValue(field, value, 'must be greater than or equal to 0')] : [];
}
