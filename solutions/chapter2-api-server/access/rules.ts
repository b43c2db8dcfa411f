// One rule of a role, and what it lets through. A rule only ever allows: what no rule allows is refused. Pure.
// Kubernetes: pkg/apis/rbac/v1/evaluation_helpers.go; staging/src/k8s.io/component-helpers/auth/rbac/validation/policy_comparator.go

import type { PolicyRule } from 'kubernetes-types/rbac/v1';
import { type Action, isPathAction, type PathAction, type ResourceAction } from './actions.ts';

/**
 * Whether this rule, by itself, allows the action. A rule about resources says nothing about paths, and the other way round; `*`
 * stands for every verb, group, resource (subresources too) or path. `pods/log` is a resource of its own: who may read pods may not
 * read logs. A resource written as `*`, a slash and `scale` is that subresource of every
 * resource. Without resourceNames a rule counts for all names; with them it counts
 * for those only, so never for an action without a name. A path may end in `*`: `/api/*` is every path below `/api/`.
 *
 * @exercise 2.10 Tell whether one rule allows an action
 */
export function ruleAllows(rule: PolicyRule, action: Action): boolean {
  if (!includes(rule.verbs, action.verb)) return false;
  return isPathAction(action) ? allowsPath(rule, action) : allowsResource(rule, action);
}

/** @solution */
function allowsResource({ apiGroups = [], resources = [], resourceNames = [] }: PolicyRule, action: ResourceAction): boolean {
  const { group, resource, subresource, name } = action;
  const combined = subresource ? `${resource}/${subresource}` : resource;
  return (
    includes(apiGroups, group) &&
    (includes(resources, combined) || (subresource !== '' && resources.includes(`*/${subresource}`))) &&
    (resourceNames.length === 0 || resourceNames.includes(name))
  );
}

/** @solution */
function allowsPath({ nonResourceURLs = [] }: PolicyRule, { path }: PathAction): boolean {
  return nonResourceURLs.some((pattern) => (pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path));
}

function includes(list: string[], wanted: string): boolean {
  return list.includes('*') || list.includes(wanted);
}

/**
 * What of `wanted` the `owned` rules do not cover; empty when whoever has the `owned` rules has all of `wanted`, too. Each wanted
 * rule is taken apart into its smallest pieces (one verb, one group, one resource, one name), for what one wanted rule says may be
 * covered by several owned ones. A piece that is meant for all names is covered only by a rule for all names, a `*` only by a `*`.
 *
 * @exercise 2.10 Take the wanted rules apart, and keep each piece that no owned rule covers
 */
export function uncovered(owned: PolicyRule[], wanted: PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(pieces).filter((piece) => !owned.some((rule) => covers(rule, piece)));
}

/** @solution */
function pieces({ verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: PolicyRule): PolicyRule[] {
  const names = resourceNames.length > 0 ? resourceNames.map((name) => [name]) : [undefined];
  return verbs.flatMap((verb) => [
    ...apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        names.map((name) => ({ verbs: [verb], apiGroups: [group], resources: [resource], ...(name ? { resourceNames: name } : {}) })),
      ),
    ),
    ...nonResourceURLs.map((url) => ({ verbs: [verb], nonResourceURLs: [url] })),
  ]);
}

/** @solution */
function covers(rule: PolicyRule, piece: PolicyRule): boolean {
  const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const [verb = '', group = '', resource = ''] = [piece.verbs[0], piece.apiGroups?.[0], piece.resources?.[0]];
  const [name, url] = [piece.resourceNames?.[0], piece.nonResourceURLs?.[0]];
  if (!includes(rule.verbs, verb)) return false;
  if (url !== undefined) return allowsPath({ verbs: [], nonResourceURLs }, { verb, path: url });
  const subresource = resource.split('/')[1];
  const hasResource = includes(resources, resource) || (subresource !== undefined && resources.includes(`*/${subresource}`));
  return includes(apiGroups, group) && hasResource && (resourceNames.length === 0 || (name !== undefined && resourceNames.includes(name)));
}
