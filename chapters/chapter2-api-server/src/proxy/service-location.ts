// One of the pods behind a service, for a request of the API server's own: chosen by chance, as kube-proxy would.
// Kubernetes: pkg/registry/core/service/storage/storage.go, ResourceLocation; staging/src/k8s.io/kube-aggregator/pkg/apiserver/resolvers.go,
// NewEndpointServiceResolver

import type { Endpoints } from 'kubernetes-types/core/v1';
import type { Pod, Service } from '#kit/api';
import type { Random } from '#kit/clock';
import { notFound, unavailable } from '../errors.ts';
import { keyOf } from '../keys.ts';
import type { Location } from '../pod-network.ts';
import { findResource, type ResourceDefinition } from '../resources.ts';
import type { Storage } from '../storage.ts';
import { candidates, endpointPortName, isAllowed } from './locations.ts';
import type { ProxyName } from './proxy-name.ts';

const resource = (plural: string) => findResource('', 'v1', plural) as ResourceDefinition;
const [pods, endpoints, services] = [resource('pods'), resource('endpoints'), resource('services')];

/** `port` is a number or a name. Rejects with NotFound, and with ServiceUnavailable where nobody can answer. */
export async function serviceLocation(
  namespace: string | undefined,
  { scheme, name, port }: ProxyName,
  { storage, random }: { storage: Storage; random: Random },
): Promise<Location> {
  const read = (resource: ResourceDefinition, name: string) => storage.get(keyOf({ resource, namespace, name }));
  const mustRead = async (resource: ResourceDefinition) => {
    const object = await read(resource, name);
    if (!object) throw notFound(resource, name);
    return object;
  };
  const isNumber = /^\d+$/.test(port);
  const portName = isNumber ? endpointPortName((await mustRead(services)) as Service, port) : port;
  const all = candidates((await mustRead(endpoints)) as Endpoints, portName);
  const first = Math.floor(random() * all.length);
  for (const { ip, port, nodeName, podName } of [...all.slice(first), ...all.slice(0, first)]) {
    const pod = (await read(pods, podName)) as Pod | undefined;
    const isPods = pod?.status?.podIP === ip || pod?.status?.podIPs?.some((one) => one.ip === ip);
    if (isPods && isAllowed(ip)) return { scheme, host: ip, port, nodeName };
  }
  throw unavailable(`no endpoints available for service "${name}"`);
}
