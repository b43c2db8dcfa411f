// Discovery: how a client that knows nothing learns what this server serves. kubectl asks before anything else, to turn
// `po` into GET /api/v1/…/pods. One table (resources.ts) is told in two forms: *aggregated*, everything in one document at
// /api and /apis, and *plain*, a small document for each group and version, for clients that are older than the first form.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/discovery, and .../discovery/aggregated

import type { APIGroup, APIGroupList, APIResource, APIResourceList, APIVersions } from 'kubernetes-types/meta/v1';
import { reviewResources, withReviewVerbs } from './access/review-discovery.ts';
import { apiVersionOf, type GroupVersionKind, type ResourceDefinition } from './resources.ts';
import { subresourceOf } from './subresources.ts';

/** What any stored resource lets its clients do. */
const storedVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** The versions of the aggregated form that this server can write, best first. */
const aggregatedVersions = ['v2', 'v2beta1'] as const;
export type AggregatedVersion = (typeof aggregatedVersions)[number];

export interface APIGroupDiscoveryList {
  kind: 'APIGroupDiscoveryList';
  apiVersion: `apidiscovery.k8s.io/${AggregatedVersion}`;
  metadata: object;
  items: APIGroupDiscovery[];
}

export interface APIGroupDiscovery {
  /** The group's name; the core group has none. */
  metadata: { name?: string };
  /** Best first. */
  versions: { version: string; resources: APIResourceDiscovery[]; freshness: 'Current' }[];
}

export interface APIResourceDiscovery {
  resource: string;
  responseKind: GroupVersionKind;
  scope: 'Namespaced' | 'Cluster';
  singularResource: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  subresources?: { subresource: string; responseKind: GroupVersionKind; verbs: string[] }[];
}

/**
 * Answers a GET of `path` below /api or /apis, from the table of all `resources`, in the form that the Accept header asks for.
 * Undefined when the path is not one of discovery's (or names a group or version that is not served): a 404.
 */
export function answerDiscovery(
  path: string,
  accept: string,
  resources: ResourceDefinition[],
): { contentType: string; body: object } | undefined {
  const [root, ...names] = path.split('/').filter((segment) => segment !== '');
  if (root !== 'api' && root !== 'apis') return undefined;
  const served = [...resources, ...reviewResources].filter(({ group }) => (group === '') === (root === 'api'));
  if (names.length === 0) {
    const version = aggregatedVersionFor(accept);
    if (version) return { contentType: aggregatedContentType(version), body: withReviewVerbs(aggregatedDiscovery(served, version)) };
  }
  const body = root === 'api' ? plainCore(names, served) : plainGroups(names, served);
  return body && { contentType: 'application/json', body: withReviewVerbs(body) };
}

/**
 * The aggregated version to answer with: that of the first media type in the Accept header that asks for one of `aggregatedVersions`.
 * Plain `application/json` says less exactly what is wanted, so it counts only when there is none: undefined.
 * An Accept header, shortened: `application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json`
 *
 * @exercise 2.8 Find the form of discovery that the client likes best
 */
export function aggregatedVersionFor(accept: string): AggregatedVersion | undefined {
  for (const mediaRange of accept.split(',')) {
    const [type, ...parameters] = mediaRange.split(';').map((part) => part.trim());
    if (type !== 'application/json') continue;
    const { g, v, as } = Object.fromEntries(parameters.map((parameter) => parameter.split('='))) as Record<string, string>;
    if (g !== 'apidiscovery.k8s.io' || as !== 'APIGroupDiscoveryList') continue;
    const version = aggregatedVersions.find((known) => known === v);
    if (version) return version;
  }
  return undefined;
}

/** The client compares this with what it asked for, parameter by parameter, and falls back to the plain form if it differs. */
export function aggregatedContentType(version: AggregatedVersion): string {
  return `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
}

/**
 * Everything about the given resources in one document: groups in the order of the table, each with its versions, each
 * with its resources.
 *
 * @exercise 2.8 Tell the whole table of resources in one document
 */
export function aggregatedDiscovery(served: ResourceDefinition[], version: AggregatedVersion): APIGroupDiscoveryList {
  const items = unique(served.map(({ group }) => group)).map((group) => {
    const ofGroup = served.filter((resource) => resource.group === group);
    const versions = unique(ofGroup.map((resource) => resource.version)).map((version) => ({
      version,
      resources: ofGroup.filter((resource) => resource.version === version).map(discoverResource),
      freshness: 'Current' as const,
    }));
    return { metadata: group ? { name: group } : {}, versions };
  });
  return { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items };
}

/**
 * One resource in the aggregated form: its names, scope, verbs, and its subresources within it. `responseKind` is the kind
 * that the resource's URL answers with. Short names, categories and subresources are left out when there are none.
 *
 * @exercise 2.8 Describe one resource: its names, scope, verbs and subresources
 */
export function discoverResource(resource: ResourceDefinition): APIResourceDiscovery {
  const { group, version, kind, plural, singular, shortNames, categories, namespaced } = resource;
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: storedVerbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(resource.subresources.length > 0
      ? { subresources: resource.subresources.map((name) => ({ subresource: name, ...subresourceOf(resource, name) })) }
      : {}),
  };
}

/** `/api` and `/api/v1` */
function plainCore(names: string[], served: ResourceDefinition[]): object | undefined {
  if (names.length === 0) {
    const versions = unique(served.map(({ version }) => version));
    return { kind: 'APIVersions', versions, serverAddressByClientCIDRs: [] } satisfies APIVersions;
  }
  return names.length === 1 ? resourceList(served.filter(({ version }) => version === names[0])) : undefined;
}

/** `/apis`, `/apis/<group>` and `/apis/<group>/<version>` */
function plainGroups([name, version, ...rest]: string[], served: ResourceDefinition[]): object | undefined {
  const groups = unique(served.map(({ group }) => group)).map((group) => plainGroup(group, served));
  if (name === undefined) return { kind: 'APIGroupList', apiVersion: 'v1', groups } satisfies APIGroupList;
  const group = groups.find((candidate) => candidate.name === name);
  if (version === undefined) return group && { kind: 'APIGroup', apiVersion: 'v1', ...group };
  return rest.length > 0 ? undefined : resourceList(served.filter((resource) => resource.group === name && resource.version === version));
}

function plainGroup(name: string, served: ResourceDefinition[]): APIGroup {
  const versions = unique(served.filter(({ group }) => group === name).map(({ version }) => version)).map((version) => ({
    groupVersion: `${name}/${version}`,
    version,
  }));
  return { name, versions, ...(versions[0] ? { preferredVersion: versions[0] } : {}) };
}

/**
 * The plain form of one group and version. It is flat: `pods` and `pods/log` are two entries, side by side. An entry names
 * group and version only where its kind lives in another one (`pods/eviction` answers with policy/v1's Eviction).
 * Undefined when there are no resources: that group and version is not served.
 *
 * @exercise 2.8 List one group and version's resources and subresources, flat
 */
export function resourceList(served: ResourceDefinition[]): APIResourceList | undefined {
  const [first] = served;
  if (!first) return undefined;
  const entries = served.flatMap((resource): APIResource[] => {
    const { kind, plural, singular, shortNames, categories, namespaced } = resource;
    const own: APIResource = {
      name: plural,
      singularName: singular,
      namespaced,
      kind,
      verbs: storedVerbs,
      ...(shortNames.length > 0 ? { shortNames } : {}),
      ...(categories.length > 0 ? { categories } : {}),
    };
    const below = resource.subresources.map((name): APIResource => {
      const { responseKind, verbs } = subresourceOf(resource, name);
      const elsewhere = responseKind.group !== resource.group || responseKind.version !== resource.version;
      const { group, version } = responseKind;
      return {
        name: `${plural}/${name}`,
        singularName: '',
        namespaced,
        ...(elsewhere ? { group, version } : {}),
        kind: responseKind.kind,
        verbs,
      };
    });
    return [own, ...below];
  });
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf(first), resources: entries };
}

function unique<T>(values: T[]): T[] {
  return [...new Set(values)];
}
