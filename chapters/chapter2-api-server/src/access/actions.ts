// What a request wants to do, in the words that permissions are written in: a verb and a resource, or a verb and a path. It is read off
// the URL alone, before anybody looks whether such a resource is there.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go

import { NotImplemented } from '#kit/not-implemented';
import type { Target } from '../object.ts';
import { flagParameter } from '../request.ts';

export interface ResourceAction {
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`, or a word of a kind's own */
  verb: string;
  /** '' is the core group */
  group: string;
  version: string;
  /** the plural: `pods` */
  resource: string;
  /** '' when there is none, as in all that follow */
  subresource: string;
  /** '' for cluster-scoped resources, and for all namespaces */
  namespace: string;
  name: string;
  /** What a list or watch is narrowed to, as it stands in the URL. */
  fieldSelector: string;
}

/** Everything that is no resource: `/version`, `/healthz`, discovery. */
export interface PathAction {
  /** the HTTP method, in lower case */
  verb: string;
  path: string;
}

export type Action = ResourceAction | PathAction;

export function isPathAction(action: Action): action is PathAction {
  return 'path' in action;
}

const verbs: Record<string, string> = { POST: 'create', GET: 'get', HEAD: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** A namespace's own subresources: what comes after its name is no resource inside it. */
const namespaceSubresources = ['status', 'finalize'];

/**
 * What a request wants. Paths with a resource begin with `/api/<version>/` or `/apis/<group>/<version>/`, and then have
 * `[namespaces/<namespace>/]<resource>[/<name>[/<subresource>]]`; all others, also `/apis/apps/v1` itself, are PathActions.
 *
 * GET of a collection is `list`, GET with `?watch` is `watch`; where their field selector demands a `metadata.name`, that is the name.
 * DELETE of a collection is `deletecollection`. A namespace, as an object, is in the namespace of its own name:
 * `GET /api/v1/namespaces/shop` has namespace `shop` and name `shop`. Segments are decoded.
 */
export function actionOf(method: string, path: string, query: URLSearchParams): Action {
  throw new NotImplemented('2.10', 'Turn method, path and query into a verb on a resource, or a verb on a path');
}

/** The value that a field selector demands of a field: `web` of `metadata.name=web,status.phase=Running`; undefined when it demands none. */
export function demanded(selector: string, field: string): string | undefined {
  const values = selector.split(',').map((term) => /^([^=!]+)==?(.*)$/.exec(term));
  return values.find((match) => match?.[1] === field)?.[2];
}

/** What cannot be decoded is left as it is: no rule names it, and the router refuses it. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Something that is still to get its verb, on one object. */
export function actionOn({ resource, namespace = '', name }: Target): ResourceAction {
  const { group, version, plural } = resource;
  return { verb: '', group, version, resource: plural, subresource: '', namespace, name, fieldSelector: '' };
}

/**
 * The sentence that a refusal ends with:
 *
 *     User "jane" cannot list resource "pods" in API group "" in the namespace "shop"
 *     User "jane" cannot get resource "pods/log" in API group "" in the namespace "shop"
 *     User "jane" cannot create resource "namespaces" in API group "" at the cluster scope
 *     User "system:anonymous" cannot get path "/metrics"
 */
export function describeRefusal(userName: string, action: Action): string {
  throw new NotImplemented('2.10', 'Say who cannot do what, and where');
}
