// A shorthand for the rules of the built-in roles: one line a rule.

import type { PolicyRule } from 'kubernetes-types/rbac/v1';

export const read = 'get list watch';
export const write = 'create delete deletecollection patch update';
export const readAndWrite = `${read} ${write}`;

const words = (text: string) => text.split(' ');

/** Each argument is words separated by blanks; the group `core` is the one without a name. */
export function may(verbs: string, groups: string, resources: string, names = ''): PolicyRule {
  return {
    verbs: words(verbs),
    apiGroups: words(groups).map((group) => (group === 'core' ? '' : group)),
    resources: words(resources),
    ...(names ? { resourceNames: words(names) } : {}),
  };
}

export function mayVisit(paths: string): PolicyRule {
  return { verbs: ['get'], nonResourceURLs: words(paths) };
}

/** Whoever does something tells of it. */
export const writeEvents = may('create patch update', 'core events.k8s.io', 'events');

/** By the role's name. */
export type Roles = Record<string, PolicyRule[]>;
