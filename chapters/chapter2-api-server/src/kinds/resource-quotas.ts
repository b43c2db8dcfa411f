// ResourceQuotas: how much the objects of a namespace may have together.
// Kubernetes: pkg/apis/core/validation/validation.go, ValidateResourceQuota

import type { ResourceQuota } from 'kubernetes-types/core/v1';
import { validateQuantities } from './container-validation.ts';
import { immutable } from './field-errors.ts';
import type { KindStrategy } from './strategy.ts';

export const resourceQuotas: KindStrategy<ResourceQuota> = {
  /** `pods: 10` is as good as `pods: "10"`, and is kept as that. */
  setDefaults({ spec }) {
    if (spec?.hard) spec.hard = Object.fromEntries(Object.entries(spec.hard).map(([name, amount]) => [name, String(amount)]));
  },

  validate: ({ spec }, old) => [
    ...validateQuantities(spec?.hard ?? {}, 'spec.hard').causes,
    ...(old ? immutable('spec.scopes', spec?.scopes ?? [], old.spec?.scopes ?? []) : []),
  ],
};
