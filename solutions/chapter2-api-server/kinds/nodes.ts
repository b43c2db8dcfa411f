// Nodes: the machines, as their kubelets report them.
// Kubernetes: pkg/apis/core/v1/defaults.go and pkg/registry/core/node/strategy.go

import type { Node } from 'kubernetes-types/core/v1';
import { equalJson } from '../json.ts';
import { forbiddenField } from './field-errors.ts';
import type { KindStrategy } from './strategy.ts';

export const nodes: KindStrategy<Node> = {
  setDefaults(node) {
    const { spec, status } = node;
    if (status?.capacity) status.allocatable ??= { ...status.capacity };
    if (spec?.podCIDR) spec.podCIDRs ??= [spec.podCIDR];
  },

  validate({ spec }, old) {
    const moved = old?.spec?.podCIDRs && !equalJson(old.spec.podCIDRs, spec?.podCIDRs ?? []);
    return moved ? [forbiddenField('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid')] : [];
  },
};
