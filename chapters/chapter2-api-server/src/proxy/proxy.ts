// The proxy: whatever serves in a pod, behind a service or on a node answers under the API server's own address, for whoever may
// `get pods/proxy` and the like. The web's own verbs, headers and WebSockets pass.
// Kubernetes: pkg/registry/core/pod/rest/subresources.go (ProxyREST), pkg/registry/core/service/proxy.go,
// pkg/registry/core/node/rest/proxy.go

import type { Pod } from '#kit/api';
import type { ApiResources } from '../api-resources.ts';
import { backendError, badRequest, unavailable } from '../errors.ts';
import type { Target } from '../object.ts';
import { type Open, open, Unreachable } from '../outgoing.ts';
import { relay } from '../relay.ts';
import { findResource, type ResourceDefinition } from '../resources.ts';
import type { ApiRequest } from '../server.ts';
import { isAllowed, podLocation, portNumber } from './locations.ts';
import { type ProxyName, parseProxyName, splitProxyPath } from './proxy-name.ts';
import { serviceLocation } from './service-location.ts';

const pods = findResource('', 'v1', 'pods') as ResourceDefinition;

/** Where a proxy's request goes. */
interface Destination {
  host: string;
  port: number;
  open: Open;
}

export async function proxy(target: Target, request: ApiRequest, api: ApiResources): Promise<undefined> {
  const { path, method, message, response } = request;
  const name = parseProxyName(target.name);
  if (!name) throw badRequest(`invalid ${target.resource.singular} request ${JSON.stringify(target.name)}`);
  const { host, port, open } = await destinationOf({ ...target, name: name.name }, name, api);
  const { object: prefix, rest } = splitProxyPath(path) ?? { object: path, rest: '' };
  const search = message.url?.slice(path.length) ?? '';
  if (rest === '' && (method === 'GET' || method === 'HEAD') && !request.upgrade) {
    return void response.writeHead(301, { location: `${path}/${search}` }).end();
  }
  try {
    await relay(request, { open, path: `${rest || '/'}${search}`, proxy: { path, prefix, host: `${host}:${port}` } });
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    throw request.upgrade
      ? backendError(`error dialing backend: ${error.message}`)
      : unavailable(`error trying to reach service: ${error.message}`);
  }
}

async function destinationOf(target: Target, name: ProxyName, api: ApiResources): Promise<Destination> {
  if (target.resource.plural === 'nodes') return nodeDestination(name, api);
  const isPod = target.resource === pods;
  const location = isPod ? podLocation((await api.registry.get(target)) as Pod, name) : await serviceLocation(target.namespace, name, api);
  return { ...location, open: (outgoing) => api.podNetwork.open(location, outgoing) };
}

/** The kubelet, unless another port of its machine is asked for. */
async function nodeDestination({ scheme, name, port }: ProxyName, { nodes, podNetwork }: ApiResources): Promise<Destination> {
  const kubelet = await nodes.kubelet(name);
  if (port === '' || portNumber(port) === kubelet.port) return { ...kubelet, open: (outgoing) => open(kubelet, outgoing) };
  const location = { scheme, host: kubelet.host, port: portNumber(port) };
  if (!isAllowed(location.host)) throw badRequest('address not allowed');
  return { ...location, open: (outgoing) => podNetwork.open(location, outgoing) };
}
