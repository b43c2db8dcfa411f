// What a request wants to do, in the words that permissions are written in: a verb and a resource, or a verb and a path. It is read off
// the URL alone, before anybody looks whether such a resource is there.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go

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
 *
 * @exercise 2.10 Turn method, path and query into a verb on a resource, or a verb on a path
 */
export function actionOf(method: string, path: string, query: URLSearchParams): Action {
  const [root, ...segments] = path.split('/').filter(Boolean).map(decode);
  const group = root === 'apis' ? segments.shift() : '';
  const version = segments.shift();
  if ((root !== 'api' && root !== 'apis') || group === undefined || version === undefined || segments.length === 0) {
    return { verb: method.toLowerCase(), path };
  }
  const inNamespace = segments[0] === 'namespaces' && segments.length > 1;
  const namespace = inNamespace ? (segments[1] ?? '') : '';
  const isOfNamespaceItself = segments.length === 2 || namespaceSubresources.includes(segments[2] ?? '');
  const rest = inNamespace && !isOfNamespaceItself ? segments.slice(2) : segments;
  const [resource = '', named = '', subresource = ''] = rest;
  const fieldSelector = query.get('fieldSelector') ?? '';
  const verb = verbOf(method, named, query);
  const isRead = verb === 'list' || verb === 'watch';
  const name = named || (isRead && demanded(fieldSelector, 'metadata.name')) || '';
  return { verb, group, version, resource, subresource, namespace, name, fieldSelector };
}

/** @solution */
function verbOf(method: string, name: string, query: URLSearchParams): string {
  const verb = verbs[method] ?? '';
  if (verb === 'get' && flagParameter(query, 'watch')) return 'watch';
  if (name !== '') return verb;
  return verb === 'get' ? 'list' : verb === 'delete' ? 'deletecollection' : verb;
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
 *
 * @exercise 2.10 Say who cannot do what, and where
 */
export function describeRefusal(userName: string, action: Action): string {
  const who = `User ${JSON.stringify(userName)} cannot ${action.verb}`;
  if (isPathAction(action)) return `${who} path ${JSON.stringify(action.path)}`;
  const { group, resource, subresource, namespace } = action;
  const what = subresource ? `${resource}/${subresource}` : resource;
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope';
  return `${who} resource ${JSON.stringify(what)} in API group ${JSON.stringify(group)} ${where}`;
}
