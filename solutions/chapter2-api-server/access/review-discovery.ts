// The reviews (reviews.ts) in discovery: kinds that can be created and nothing else, for nothing of them is kept.

import type { APIResourceList } from 'kubernetes-types/meta/v1';
import type { APIGroupDiscoveryList } from '../discovery.ts';
import type { ResourceDefinition } from '../resources.ts';

const verbs = ['create'];

function review(group: string, kind: string, namespaced = false): ResourceDefinition {
  const singular = kind.toLowerCase();
  const nothing = { shortNames: [], categories: [], subresources: [] };
  return { group, version: 'v1', kind, plural: `${singular}s`, singular, namespaced, ...nothing };
}

export const reviewResources: ResourceDefinition[] = [
  review('authentication.k8s.io', 'SelfSubjectReview'),
  review('authentication.k8s.io', 'TokenReview'),
  review('authorization.k8s.io', 'LocalSubjectAccessReview', true),
  review('authorization.k8s.io', 'SelfSubjectAccessReview'),
  review('authorization.k8s.io', 'SelfSubjectRulesReview'),
  review('authorization.k8s.io', 'SubjectAccessReview'),
];

const groups = new Set(reviewResources.map(({ group }) => group));

/** Says of the reviews that they can only be created. */
export function withReviewVerbs<T extends object>(document: T): T {
  if ('groupVersion' in document) return ofGroupVersion(document as unknown as APIResourceList) as unknown as T;
  if ('items' in document) return ofAllGroups(document as unknown as APIGroupDiscoveryList) as unknown as T;
  return document;
}

function ofGroupVersion(list: APIResourceList): APIResourceList {
  if (!groups.has(list.groupVersion.split('/')[0] ?? '')) return list;
  return { ...list, resources: list.resources.map((resource) => ({ ...resource, verbs })) };
}

function ofAllGroups(list: APIGroupDiscoveryList): APIGroupDiscoveryList {
  const items = list.items.map((item) => {
    if (!groups.has(item.metadata.name ?? '')) return item;
    const versions = item.versions.map((version) => ({
      ...version,
      resources: version.resources.map((resource) => ({ ...resource, verbs })),
    }));
    return { ...item, versions };
  });
  return { ...list, items };
}
