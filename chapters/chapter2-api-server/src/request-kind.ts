// What sort of request this is, before anybody looks whether it can be answered: whether it changes something, whether it goes on for long,
// and under which labels it is counted. Never throws: also nonsense is counted.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/metrics/metrics.go, pkg/server/config.go (LongRunningFunc)

import { resources } from './resources.ts';

export type RequestKind = 'readOnly' | 'mutating' | 'longRunning';

export interface RequestLabels {
  /** `GET`, `LIST`, `WATCH`, `POST`, `PUT`, `PATCH`, `APPLY`, `DELETE`, `DELETECOLLECTION`, `CONNECT` */
  verb: string;
  group: string;
  version: string;
  resource: string;
  /** Of something that is no resource: its path. */
  subresource: string;
  scope: '' | 'resource' | 'namespace' | 'cluster';
  component: 'apiserver' | '';
  dry_run: string;
}

const connecting = new Set(['attach', 'exec', 'portforward', 'proxy']);
const longRunning = new Set([...connecting, 'log']);
const namespaceSubresources = ['status', 'finalize'];
/** Only these paths are labels: what clients make up is not. */
const knownPaths = new Set(['/healthz', '/livez', '/readyz', '/metrics', '/version', '/api', '/apis', '/openapi/v2', '/openapi/v3']);
const known = new Set(resources.map(({ group, plural }) => `${group}/${plural}`));

interface Asked {
  method: string;
  path: string;
  query: URLSearchParams;
  contentType?: string | undefined;
}

export function requestKind({ method, path, query }: Asked): RequestKind {
  const isWatch = query.has('watch') && !['false', '0'].includes(query.get('watch') ?? '');
  if (method === 'GET' && isWatch && isBelowApi(path)) return 'longRunning';
  if (longRunning.has(placeOf(path)?.subresource ?? '')) return 'longRunning';
  return method === 'GET' || method === 'HEAD' ? 'readOnly' : 'mutating';
}

export function requestLabels(asked: Asked): RequestLabels {
  const { method, path, query, contentType } = asked;
  const place = placeOf(path);
  const dry_run = query.get('dryRun') ?? '';
  const nothing = { group: '', version: '', resource: '', scope: '', component: '' } as const;
  if (!place) return { verb: method, ...nothing, subresource: knownPaths.has(path) ? path : '', dry_run };
  const { group, version, namespace, name, subresource } = place;
  // A kind of somebody's own is as good as any; whether it is there, the answer's code says.
  const resource = known.has(`${group}/${place.resource}`) || group.includes('.') ? place.resource : '';
  const verb = verbOf(asked, name, subresource, contentType);
  const scope = name || method === 'POST' ? 'resource' : namespace ? 'namespace' : 'cluster';
  return { verb, group, version, resource, subresource, scope, component: 'apiserver', dry_run };
}

function verbOf(asked: Asked, name: string, subresource: string, contentType = ''): string {
  const { method } = asked;
  if (connecting.has(subresource)) return 'CONNECT';
  if (method === 'GET' && requestKind(asked) === 'longRunning' && subresource === '') return 'WATCH';
  if (method === 'PATCH' && contentType.startsWith('application/apply-patch')) return 'APPLY';
  if (name !== '') return method;
  return { GET: 'LIST', DELETE: 'DELETECOLLECTION' }[method] ?? method;
}

function isBelowApi(path: string): boolean {
  return path.startsWith('/api/') || path.startsWith('/apis/');
}

interface Place {
  group: string;
  version: string;
  namespace: string;
  resource: string;
  name: string;
  subresource: string;
}

function placeOf(path: string): Place | undefined {
  const [root, ...segments] = path.split('/').filter(Boolean);
  const group = root === 'apis' ? (segments.shift() ?? '') : '';
  const version = segments.shift() ?? '';
  if ((root !== 'api' && root !== 'apis') || segments.length === 0) return undefined;
  const isInNamespace = segments[0] === 'namespaces' && segments.length > 2 && !namespaceSubresources.includes(segments[2] ?? '');
  const namespace = isInNamespace ? (segments[1] ?? '') : '';
  const [resource = '', name = '', subresource = ''] = isInNamespace ? segments.slice(2) : segments;
  return { group, version, namespace, resource, name, subresource };
}
