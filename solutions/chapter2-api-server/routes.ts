// Which handler answers which path. Everything that is not about objects is found here; the rest goes to the resources.

import { isNotFound } from '#kit/status';
import { answerIssuer } from './access/issuer.ts';
import { answerReview } from './access/reviews.ts';
import type { ApiResources } from './api-resources.ts';
import { handleCollection } from './collection-handlers.ts';
import type { Definitions } from './custom/definitions.ts';
import { answerDiscovery } from './discovery.ts';
import { methodNotAllowed, unknownPath } from './errors.ts';
import { answerHealth } from './health.ts';
import type { Target } from './object.ts';
import { deleteObject, handleObject } from './object-handlers.ts';
import { answerOpenApi } from './openapi.ts';
import { splitProxyPath } from './proxy/proxy-name.ts';
import { parsePath, type ResourcePath } from './request.ts';
import type { Answer, ApiRequest, Handler } from './server.ts';
import { handleSubresource } from './subresource-handlers.ts';
import { warn } from './warnings.ts';

/** Kubernetes: staging/src/k8s.io/apimachinery/pkg/version/types.go */
const version = {
  major: '1',
  minor: '32',
  gitVersion: 'v1.32.0',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '',
  goVersion: '',
  compiler: 'node',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
};

export function createHandler(api: ApiResources): Handler {
  return async (request) =>
    (await answerAboutServer(request, api)) ??
    (await answerWithSchema(request, api.definitions)) ??
    (await answerReview(request, api)) ??
    handleResource(request, api);
}

async function answerAboutServer(request: ApiRequest, { health, metrics, tokens }: ApiResources): Promise<Answer | undefined> {
  const { path, method } = request;
  const root = path.split('/')[1] ?? '';
  if (!['', '.well-known', 'healthz', 'livez', 'metrics', 'openid', 'readyz', 'version'].includes(root)) return undefined;
  if (method !== 'GET') throw methodNotAllowed();
  if (path === '/version') return { body: version };
  if (path === '/metrics') return { body: metrics.text(), contentType: 'text/plain; version=0.0.4; charset=utf-8' };
  if (root === '') return { body: { paths } };
  return (await answerHealth(request, health)) ?? answerIssuer(path, tokens);
}

const paths = [
  ...['/.well-known/openid-configuration', '/api', '/apis', '/healthz', '/livez', '/metrics', '/openapi/v3', '/openid/v1/jwks'],
  ...['/readyz', '/version'],
];

/**
 * OpenAPI v2 is asked for in protobuf only, and only by a client that has not found a kind in v3: it is not here, either. These
 * five bytes are a document that says nothing but `swagger: "2.0"`.
 */
const emptyOpenApiV2: Answer = { body: '\n\x032.0', contentType: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf' };

/** What the server serves, for clients that know nothing of it: discovery and OpenAPI. */
async function answerWithSchema({ path, method, message }: ApiRequest, definitions: Definitions): Promise<Answer | undefined> {
  if (method !== 'GET') return undefined;
  if (path === '/openapi/v2') return emptyOpenApiV2;
  if (!/^\/(openapi\/.*|api|api\/[^/]+|apis(\/[^/]+){0,2})\/?$/.test(path)) return undefined;
  await definitions.ready();
  const resources = definitions.all();
  if (!path.startsWith('/openapi/')) return answerDiscovery(path.replace(/\/$/, ''), message.headers.accept ?? '', resources);
  const answer = answerOpenApi(path, resources);
  if (!answer) throw unknownPath();
  return answer;
}

/** Built-in kinds are always there; only where there is none it must be known which others there are. */
async function placeOf(path: string, definitions: Definitions): Promise<ResourcePath> {
  try {
    return parsePath(path);
  } catch (error) {
    if (!isNotFound(error) || !path.startsWith('/apis/')) throw error;
  }
  await definitions.ready();
  return parsePath(path, (group, version, plural) => definitions.find(group, version, plural));
}

async function handleResource(request: ApiRequest, api: ApiResources): Promise<Answer | undefined> {
  const { resource, namespace, name, subresource } = await placeOf(splitProxyPath(request.path)?.object ?? request.path, api.definitions);
  if (resource.custom?.deprecation) warn(request.response, resource.custom.deprecation);
  if (name === undefined) return handleCollection({ resource, namespace }, request, api);
  const target: Target = { resource, namespace, name };
  if (subresource !== undefined) return handleSubresource(target, subresource, request, api);
  if (request.method === 'DELETE') return deleteObject(target, request, api);
  return handleObject(target, request, api);
}
