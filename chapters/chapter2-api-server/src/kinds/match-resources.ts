// Rules and selectors: which writes a webhook or a policy is about.
// Kubernetes: pkg/apis/admissionregistration/validation/validation.go, validateMatchResources

import type { MatchResources as MatchResourcesOfPackage, NamedRuleWithOperations } from 'kubernetes-types/admissionregistration/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import { duplicateValue, invalidValue, required } from './field-errors.ts';
import { type NameRule, pathSegment, validateName } from './name-rules.ts';
import { oneOf } from './pod-validation.ts';

/** `resources`: `pods`, `pods/status`, `*`, `*`+`/*`; `scope`: `Cluster`, `Namespaced` or `*`. */
export type Rule = NamedRuleWithOperations & { resources?: string[]; scope?: string };
export type MatchResources = Omit<MatchResourcesOfPackage, 'resourceRules' | 'excludeResourceRules'> & {
  resourceRules?: Rule[];
  excludeResourceRules?: Rule[];
};

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];

export function setMatchDefaults(match: MatchResources): void {
  match.matchPolicy ??= 'Equivalent';
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= '*';
}

export function validateMatchResources(match: MatchResources, field: string): StatusCause[] {
  const { matchPolicy, resourceRules = [], excludeResourceRules = [] } = match;
  return [
    ...oneOf(`${field}.matchPolicy`, matchPolicy, ['Equivalent', 'Exact']),
    ...resourceRules.flatMap((rule, index) => validateRule(rule, `${field}.resourceRules[${index}]`)),
    ...excludeResourceRules.flatMap((rule, index) => validateRule(rule, `${field}.excludeResourceRules[${index}]`)),
  ];
}

export function validateRule(rule: Rule, field: string): StatusCause[] {
  const { resourceNames = [], scope, ...lists } = rule;
  return [
    ...each(resourceNames, `${field}.resourceNames`, pathSegment),
    ...validateWords(lists.operations, `${field}.operations`, 'operations'),
    ...(lists.operations ?? []).flatMap((operation, index) => oneOf(`${field}.operations[${index}]`, operation, operations)),
    ...validateWords(lists.apiGroups, `${field}.apiGroups`, 'API groups'),
    ...validateWords(lists.apiVersions, `${field}.apiVersions`, 'API versions'),
    ...validateResources(lists.resources, `${field}.resources`),
    ...oneOf(`${field}.scope`, scope, ['*', 'Cluster', 'Namespaced']),
  ];
}

function each(names: string[], field: string, rule: NameRule): StatusCause[] {
  return names.flatMap((name, index) => [
    ...validateName(`${field}[${index}]`, name, rule),
    ...(names.indexOf(name) < index ? [duplicateValue(`${field}[${index}]`, name)] : []),
  ]);
}

/** Who says `*` has said it all. */
function validateWords(words: string[] = [], field: string, what: string): StatusCause[] {
  if (words.length === 0) return [required(field)];
  const isMore = words.length > 1 && words.includes('*');
  return isMore ? [invalidValue(field, words, `if '*' is present, must not specify other ${what}`)] : [];
}

function validateResources(resources: string[] = [], field: string): StatusCause[] {
  if (resources.length === 0) return [required(field)];
  const isMore = resources.length > 1 && resources.includes('*/*');
  const isMixed = resources.includes('*') && resources.some((resource) => resource !== '*' && !resource.includes('/'));
  return [
    ...resources.flatMap((resource, index) => (resource ? [] : [required(`${field}[${index}]`)])),
    ...(isMore ? [invalidValue(field, resources, `if '*/*' is present, must not specify other resources`)] : []),
    ...(isMixed ? [invalidValue(field, resources, `if '*' is present, must not specify other resources without subresources`)] : []),
  ];
}
