// Requests that somebody might send who means no good, or does not know what they do: half right, half wrong, the same for the same seed.
// Paths, queries, headers and bodies are put together from what the API knows, from what looks like it, and from nonsense.

import { type ResourceDefinition, resources } from '#api-server/resources';
import type { Random } from '#kit/clock';
import type { HttpRequest } from '#kit/transport';
import type { Delivery } from './deliver.ts';
import { randomObject, randomPatch } from './random-object.ts';
import { randomProtobuf } from './random-protobuf.ts';

const names = [
  'a',
  'b',
  'web-1',
  'default',
  'kubernetes',
  'A_b',
  '..',
  '%2e%2e',
  '%zz',
  'constructor',
  '__proto__',
  'x'.repeat(300),
  '\u00e9',
];
const namespaces = ['default', 'kube-system', 'nowhere', '', 'Web', '%00'];
const subresources = [
  'status',
  'scale',
  'log',
  'exec',
  'attach',
  'portforward',
  'binding',
  'eviction',
  'token',
  'finalize',
  'approval',
  'proxy',
];
const numbers = ['0', '1', '2', '7', '-1', '1e3', '99999999999999999999', 'NaN', '0x10', ''];
const texts = ['', 'a', 'true', 'false', 'All', 'constructor', '\u0000', '\ud83d\ude00', 'a,b', 'x'.repeat(5000)];
const selectors = [
  'a=b',
  'a!=b',
  'a in (b,c)',
  'a notin ()',
  '!a',
  'a',
  '',
  ',',
  'a==b==c',
  '(((',
  'a in (',
  'metadata.name=a',
  'spec.nodeName!=',
  'x=y',
];
const token = (content: string) => Buffer.from(content).toString('base64url');
const continues = [
  '',
  'x',
  token('{}'),
  token('{"v":"meta.k8s.io/v1","rv":1,"start":"a"}'),
  token('{"v":"meta.k8s.io/v1","rv":-1,"start":"\\u0000"}'),
];

const parameters: Record<string, string[]> = {
  labelSelector: selectors,
  fieldSelector: selectors,
  limit: numbers,
  continue: continues,
  resourceVersion: numbers,
  resourceVersionMatch: ['Exact', 'NotOlderThan', 'x'],
  watch: ['true', '1', 'false', 'x'],
  timeoutSeconds: numbers,
  timeout: ['1s', '0', '5', '1h1h', '-1s'],
  allowWatchBookmarks: ['true', 'x'],
  sendInitialEvents: ['true', 'false', 'x'],
  dryRun: ['All', 'x'],
  fieldManager: texts,
  fieldValidation: ['Strict', 'Warn', 'Ignore', 'x'],
  force: ['true', 'x'],
  propagationPolicy: ['Foreground', 'Background', 'Orphan', 'x'],
  gracePeriodSeconds: numbers,
  includeObject: ['None', 'Metadata', 'Object', 'x'],
  tailLines: numbers,
  container: names,
  command: texts,
  ' ': texts,
};

const accepts = [
  'application/json',
  '*/*',
  'application/yaml',
  'application/json;as=Table;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
  'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  'application/json;as=Sandwich;v=v7;g=x',
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/vnd.kubernetes.protobuf',
  'application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io, application/json',
  'application/cbor',
  'application/cbor-seq, application/json;q=0.1',
  ';;;=,',
];
const bodyTypes = [
  'application/json',
  'application/json',
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
  'application/cbor',
  'text/x',
];
/** What asks for another protocol, fully or not. */
const upgrades: Record<string, string>[] = [
  { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' },
  { connection: 'Upgrade', upgrade: 'websocket' },
  { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'v4.channel.k8s.io' },
  { connection: 'Upgrade', upgrade: 'h2c' },
];
const patchTypes = [
  'json-patch+json',
  'merge-patch+json',
  'strategic-merge-patch+json',
  'apply-patch+yaml',
  'apply-patch+yaml',
  'apply-patch+cbor',
  'x',
];
const paths = [
  '/',
  '/api',
  '/apis',
  '/version',
  '/openapi/v2',
  '/openapi/v3',
  '/healthz',
  '/livez/x',
  '/metrics',
  '//',
  '/api/v1//',
  '/apis/%2F',
  '/x/y/z',
];
const garbage = [
  '',
  '{',
  '[]',
  'null',
  '7',
  '"x"',
  '{"metadata":7}',
  'a: &a [*a]',
  '{"__proto__":{"a":1}}',
  'k8s\0\x0a\x05',
  '\ufeff{}',
  '['.repeat(2000),
];

/** Mostly as it should be. */
const deliveries: Delivery['how'][] = [
  'in chunks',
  'in chunks',
  'chunks break off',
  'chunks without sense',
  'claims more',
  'claims less',
  'claims nonsense',
];

/** Now and then, a body is not simply sent: undefined is the usual way. */
export function randomDelivery({ body }: HttpRequest, random: Random): Delivery | undefined {
  if (body === undefined || random() > 0.1) return undefined;
  return { how: deliveries[Math.floor(random() * deliveries.length)] as Delivery['how'], share: random() };
}

/** What may not be written here: a webhook that nobody answers would refuse all that comes after. */
const writable = ({ group }: ResourceDefinition) => group !== 'admissionregistration.k8s.io';

export function randomRequest(random: Random): HttpRequest {
  const one = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const chance = (probability: number) => random() < probability;

  const resource = one(resources);
  const isNamed = chance(0.6);
  const usual = isNamed ? ['GET', 'PUT', 'PATCH', 'PATCH', 'DELETE'] : ['GET', 'POST', 'POST', 'POST', 'DELETE'];
  const method = writable(resource) ? one(chance(0.95) ? usual : ['HEAD', 'OPTIONS', 'POST', 'PATCH']) : 'GET';
  const headers: Record<string, string> = {};
  if (chance(0.5)) headers.accept = one(accepts);
  if (chance(0.02)) Object.assign(headers, one(upgrades));
  if (chance(0.05)) headers['impersonate-user'] = one(['jane', 'system:serviceaccount:default:a', '', 'system:node:a']);
  if (chance(0.03))
    headers.authorization = one(['Bearer x', 'Bearer', 'Basic eDp5', 'Bearer a.b.c', `Bearer ${token('{}')}.${token('{}')}.x`]);
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || chance(0.05)) return { method, path: pathOf(), headers };
  if (chance(0.1)) return { method, path: pathOf(), headers: { ...headers, 'content-type': one(bodyTypes) }, body: one(garbage) };
  if (method === 'PATCH') {
    const type = one(patchTypes);
    const body = JSON.stringify(randomPatch(resource, type, random));
    let path = pathOf();
    // An apply has a manager, or it would be refused before anybody looked into it.
    if (type.startsWith('apply') && !path.includes('?')) path += `?fieldManager=${one(['a', 'b'])}&force=${one(['true', 'false'])}`;
    return { method, path, headers: { ...headers, 'content-type': `application/${type}` }, body };
  }
  const object = method === 'DELETE' ? randomOptions() : randomObject(resource, one(names.slice(0, 3)), random);
  const type = one(bodyTypes);
  const isBinary = type.endsWith('protobuf') && method !== 'DELETE' && chance(0.9);
  const body = isBinary ? randomProtobuf(resource, object, random) : JSON.stringify(object);
  return { method, path: pathOf(), headers: { ...headers, 'content-type': type }, body };

  function pathOf(): string {
    if (chance(0.05)) return `${encodeURI(one(paths)).replaceAll('%25', '%')}${queryOf()}`;
    const { group, version, plural, namespaced, subresources: own } = resource;
    const steps = [group === '' ? '/api' : `/apis/${group}`, chance(0.02) ? one(texts) : version];
    if (chance(0.98) ? namespaced : !namespaced) steps.push('namespaces', one(chance(0.9) ? namespaces.slice(0, 2) : namespaces));
    steps.push(plural);
    if (isNamed) steps.push(one(chance(0.95) ? names.slice(0, 3) : names));
    if (isNamed && chance(0.15)) steps.push(one(chance(0.7) && own.length > 0 ? own : subresources));
    return `${steps.map((step) => (/^\/api|%/.test(step) ? step : encodeURIComponent(step))).join('/')}${queryOf()}`;
  }

  function queryOf(): string {
    const query = new URLSearchParams();
    while (chance(0.35)) {
      const name = one(Object.keys(parameters));
      query.append(name, one(parameters[name] ?? texts));
    }
    return query.size > 0 ? `?${query}` : '';
  }

  function randomOptions(): object {
    const options = { gracePeriodSeconds: one([0, 1, -1, 'x']), propagationPolicy: one(['Background', 'Foreground', 'x']) };
    return { ...(chance(0.5) ? options : {}), ...(chance(0.2) ? { preconditions: { uid: one(texts) } } : {}), kind: 'DeleteOptions' };
  }
}
