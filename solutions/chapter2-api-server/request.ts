// What a request is about: its URL taken apart.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go

import { badRequest, unknownPath } from './errors.ts';
import { type FindResource, findResource as findBuiltIn, type ResourceDefinition } from './resources.ts';

export interface ResourcePath {
  resource: ResourceDefinition;
  /** undefined for cluster-scoped resources, and for "all namespaces" */
  namespace?: string;
  /** undefined for the whole collection */
  name?: string;
  subresource?: string;
}

/**
 * Reads paths of these forms; throws `unknownPath()` for any other, and for a resource that `findResource` doesn't know:
 *
 *     /api/v1/<plural>[/<name>[/<subresource>]]                          cluster-scoped
 *     /api/v1/<plural>                                                  namespaced: all namespaces, so without a name
 *     /api/v1/namespaces/<namespace>/<plural>[/<name>[/<subresource>]]   namespaced
 *     /apis/<group>/<version>/…                                         the same, for every other group
 *
 * `/api/v1/namespaces/default/status` is the namespace's own subresource: `status` and `finalize` are no resources.
 *
 * @exercise 2.1 Take a path apart into resource, namespace, name and subresource
 */
export function parsePath(path: string, findResource: FindResource = findBuiltIn): ResourcePath {
  const [root, ...segments] = decodeSegments(path);
  const group = root === 'api' ? '' : segments.shift();
  const version = segments.shift();
  if ((root !== 'api' && root !== 'apis') || group === undefined || version === undefined) throw unknownPath();
  const isInNamespace = segments[0] === 'namespaces' && segments.length > 2 && !namespaceSubresources.includes(segments[2] ?? '');
  const namespace = isInNamespace ? segments[1] : undefined;
  const [plural = '', name, subresource, ...rest] = isInNamespace ? segments.slice(2) : segments;
  const resource = findResource(group, version, plural);
  if (!resource || rest.length > 0 || (namespace && !resource.namespaced) || (name && resource.namespaced && !namespace))
    throw unknownPath();
  return { resource, ...(namespace ? { namespace } : {}), ...(name ? { name } : {}), ...(subresource ? { subresource } : {}) };
}

const namespaceSubresources = ['status', 'finalize'];

/** A `%2F` in a name stays a part of that name, which then is no name of anything. */
function decodeSegments(path: string): string[] {
  try {
    return path.split('/').slice(1).filter(Boolean).map(decodeURIComponent);
  } catch {
    throw unknownPath();
  }
}

/** `?limit=500`; undefined when it is absent or below 0. Throws BadRequest when it is no whole number. */
export function numberParameter(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (!text) return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text) < 0 ? undefined : Number(text);
}

/** `?watch=true`, `?watch=1`, and also `?watch` alone. */
export function flagParameter(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  return text !== null && text !== 'false' && text !== '0';
}
