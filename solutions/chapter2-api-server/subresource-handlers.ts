// What lies below an object: `…/status`, `…/scale`, `…/binding`, `…/log`. Each is a way to do one thing to an object, and no
// more than that: who may write a status may not write the spec.

import { requestToken } from './access/token-request.ts';
import type { ApiResources } from './api-resources.ts';
import { bind } from './binding.ts';
import { approvalUpdated } from './certificate-requests.ts';
import { methodNotAllowed, unknownPath } from './errors.ts';
import { evict } from './eviction.ts';
import { ephemeralContainersUpdated } from './kinds/ephemeral-containers.ts';
import { finalizersUpdated } from './namespaces.ts';
import type { Target } from './object.ts';
import { handleObject } from './object-handlers.ts';
import { statusUpdated } from './object-meta.ts';
import { streamLog } from './pod-logs.ts';
import { forwardPorts, openStream } from './pod-streams.ts';
import { proxy } from './proxy/proxy.ts';
import { handleScale } from './scale.ts';
import type { Answer, ApiRequest } from './server.ts';
import type { Door } from './write-options.ts';

const statusDoor: Door = { subresource: 'status', combine: statusUpdated };
const approvalDoor: Door = { subresource: 'approval', combine: approvalUpdated };
const debugDoor: Door = { subresource: 'ephemeralcontainers', combine: ephemeralContainersUpdated };

type SubresourceHandler = (target: Target, request: ApiRequest, api: ApiResources) => Promise<Answer | undefined>;

const handlers: Record<string, SubresourceHandler> = {
  'GET status': handleObject,
  'PUT status': (target, request, api) => handleObject(target, request, api, statusDoor),
  'PATCH status': (target, request, api) => handleObject(target, request, api, statusDoor),
  'GET approval': handleObject,
  'PUT approval': (target, request, api) => handleObject(target, request, api, approvalDoor),
  'PATCH approval': (target, request, api) => handleObject(target, request, api, approvalDoor),
  'GET ephemeralcontainers': handleObject,
  'PUT ephemeralcontainers': (target, request, api) => handleObject(target, request, api, debugDoor),
  'PATCH ephemeralcontainers': (target, request, api) => handleObject(target, request, api, debugDoor),
  'PUT finalize': (target, request, api) => handleObject(target, request, api, { subresource: 'finalize', combine: finalizersUpdated }),
  'GET scale': handleScale,
  'PUT scale': handleScale,
  'PATCH scale': handleScale,
  'POST binding': bind,
  'POST eviction': evict,
  'POST token': requestToken,
  'GET log': streamLog,
  'GET portforward': forwardPorts,
  'POST portforward': forwardPorts,
  'GET exec': (target, request, api) => openStream('exec', target, request, api),
  'POST exec': (target, request, api) => openStream('exec', target, request, api),
  'GET attach': (target, request, api) => openStream('attach', target, request, api),
  'POST attach': (target, request, api) => openStream('attach', target, request, api),
};

export async function handleSubresource(
  target: Target,
  subresource: string,
  request: ApiRequest,
  api: ApiResources,
): Promise<Answer | undefined> {
  if (!target.resource.subresources.includes(subresource)) throw unknownPath();
  const handler = subresource === 'proxy' ? proxy : handlers[`${request.method} ${subresource}`];
  if (!handler) throw methodNotAllowed();
  return handler(target, request, api);
}
