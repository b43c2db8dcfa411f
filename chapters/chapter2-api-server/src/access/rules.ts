// One rule of a role, and what it lets through. A rule only ever allows: what no rule allows is refused. Pure.
// Kubernetes: pkg/apis/rbac/v1/evaluation_helpers.go; staging/src/k8s.io/component-helpers/auth/rbac/validation/policy_comparator.go

import type { PolicyRule } from 'kubernetes-types/rbac/v1';
import { NotImplemented } from '#kit/not-implemented';
import { type Action, isPathAction, type PathAction, type ResourceAction } from './actions.ts';

/**
 * Whether this rule, by itself, allows the action. A rule about resources says nothing about paths, and the other way round; `*`
 * stands for every verb, group, resource (subresources too) or path. `pods/log` is a resource of its own: who may read pods may not
 * read logs. A resource written as `*`, a slash and `scale` is that subresource of every
 * resource. Without resourceNames a rule counts for all names; with them it counts
 * for those only, so never for an action without a name. A path may end in `*`: `/api/*` is every path below `/api/`.
 */
export function ruleAllows(rule: PolicyRule, action: Action): boolean {
  throw new NotImplemented('2.10', 'Tell whether one rule allows an action');
}

function includes(list: string[], wanted: string): boolean {
  return list.includes('*') || list.includes(wanted);
}

/**
 * What of `wanted` the `owned` rules do not cover; empty when whoever has the `owned` rules has all of `wanted`, too. Each wanted
 * rule is taken apart into its smallest pieces (one verb, one group, one resource, one name), for what one wanted rule says may be
 * covered by several owned ones. A piece that is meant for all names is covered only by a rule for all names, a `*` only by a `*`.
 */
export function uncovered(owned: PolicyRule[], wanted: PolicyRule[]): PolicyRule[] {
  throw new NotImplemented('2.10', 'Take the wanted rules apart, and keep each piece that no owned rule covers');
}
