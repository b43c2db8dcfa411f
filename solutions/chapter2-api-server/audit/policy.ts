// What is written down of a request: the first rule of the policy that fits it says how much. A policy is a file that the administrator
// writes; without a fitting rule nothing is written.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/audit/policy/checker.go; the kind Policy of audit.k8s.io/v1

import { parse } from 'yaml';
import { type Action, isPathAction, type ResourceAction } from '../access/actions.ts';
import type { User } from '../access/users.ts';

const levels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
/** Nothing; who did what when; also what they sent; also what they got. */
export type AuditLevel = (typeof levels)[number];

const stages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;
export type AuditStage = (typeof stages)[number];

/** All that is given must fit; what is not given fits everything. */
export interface AuditRule {
  level: AuditLevel;
  users?: string[];
  userGroups?: string[];
  verbs?: string[];
  /** '' is for what is in no namespace. */
  namespaces?: string[];
  resources?: { group?: string; resources?: string[]; resourceNames?: string[] }[];
  /** A `*` at the end stands for anything. */
  nonResourceURLs?: string[];
  omitStages?: AuditStage[];
}

export interface AuditPolicy {
  rules: AuditRule[];
  omitStages: AuditStage[];
}

/** Throws in words for people when the text is no policy. */
export function readPolicy(text: string): AuditPolicy {
  const { apiVersion, kind, rules, omitStages = [] } = (parse(text) ?? {}) as Partial<AuditPolicy> & { apiVersion?: string; kind?: string };
  if (apiVersion !== 'audit.k8s.io/v1' || kind !== 'Policy') throw new Error('an audit policy is a Policy of audit.k8s.io/v1');
  if (!rules?.length) throw new Error('the audit policy has no rules');
  for (const { level } of rules)
    if (!levels.includes(level)) throw new Error(`the audit policy has a rule with the level "${level}": it must be ${levels.join(', ')}`);
  for (const stage of [...omitStages, ...rules.flatMap((rule) => rule.omitStages ?? [])])
    if (!stages.includes(stage)) throw new Error(`the audit policy omits the stage "${stage}": there are ${stages.join(', ')}`);
  return { rules, omitStages };
}

export interface AuditDecision {
  level: AuditLevel;
  omitStages: AuditStage[];
}

/** A rule for some users is for nobody whose name is not known. */
export function decide({ rules, omitStages }: AuditPolicy, user: User | undefined, action: Action): AuditDecision {
  const rule = rules.find((candidate) => fits(candidate, user, action));
  return { level: rule?.level ?? 'None', omitStages: [...omitStages, ...(rule?.omitStages ?? [])] };
}

function fits(rule: AuditRule, user: User | undefined, action: Action): boolean {
  if (rule.users?.length && !(user && rule.users.includes(user.name))) return false;
  if (rule.userGroups?.length && !rule.userGroups.some((group) => user?.groups.includes(group))) return false;
  if (rule.verbs?.length && !rule.verbs.includes(action.verb)) return false;
  const isAboutResources = Boolean(rule.namespaces?.length || rule.resources?.length);
  if (isPathAction(action)) return !isAboutResources && (!rule.nonResourceURLs?.length || rule.nonResourceURLs.some(matches(action.path)));
  if (rule.nonResourceURLs?.length && !isAboutResources) return false;
  return fitsResource(rule, action);
}

const matches = (path: string) => (pattern: string) =>
  pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern || pattern === '*';

function fitsResource({ namespaces = [], resources = [] }: AuditRule, action: ResourceAction): boolean {
  if (namespaces.length > 0 && !namespaces.includes(action.namespace)) return false;
  if (resources.length === 0) return true;
  const { group, resource, subresource, name } = action;
  return resources.some((wanted) => {
    if ((wanted.group ?? '') !== group) return false;
    if (wanted.resourceNames?.length && !wanted.resourceNames.includes(name)) return false;
    if (!wanted.resources?.length) return true;
    const whole = subresource ? `${resource}/${subresource}` : resource;
    return [whole, '*', ...(subresource ? [`*/${subresource}`, `${resource}/*`] : [])].some((text) => wanted.resources?.includes(text));
  });
}
