// From a Service and its pods to EndpointSlices: which pods answer, at which address and port, in which state; cut into slices
// of at most 100, of which as few as possible change when a pod does, for every node hears about each change.
// Kubernetes: pkg/controller/endpointslice/, staging/src/k8s.io/endpointslice/reconciler.go, utils.go

import { isDeepStrictEqual } from 'node:util';
import type { EndpointPort } from 'kubernetes-types/discovery/v1';
import type { Endpoint, EndpointSlice, Pod, Service, ServicePort } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { controllerReference } from './ownership.ts';
import { isReady, isTerminating } from './pods.ts';

export const maxEndpointsPerSlice = 100;
export const serviceNameLabel = 'kubernetes.io/service-name';
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by';
export const managedBy = 'endpointslice-controller.k8s.io';
const headlessLabel = 'service.kubernetes.io/headless';

/**
 * The number that a Service's port means on this pod: the port itself, `targetPort` when it is a number, or the container port that
 * has the name and the protocol; undefined when no container has one. A pod may give a name to another number than its neighbour.
 */
export function targetPortOf(pod: Pod, { port, targetPort = port, protocol = 'TCP' }: ServicePort): number | undefined {
  throw new NotImplemented('3.5', "Resolve the service port to the pod's port number, by number or by name");
}

/**
 * One pod as an endpoint; undefined when it has no address yet or has finished (phase Succeeded or Failed).
 * `serving`: the pod is ready. `terminating`: it is being deleted. `ready`: serving and not terminating; or always, when the Service
 * publishes addresses that are not ready. `hostname`: the pod's own, when its subdomain is the Service's name.
 */
export function endpointOf(pod: Pod, service: Service): Endpoint | undefined {
  throw new NotImplemented('3.5', 'Turn a pod into an endpoint with its address, its three conditions, node, host name and target');
}

/** Endpoints that answer at the same ports: only these can share a slice. */
export interface EndpointGroup {
  ports: EndpointPort[];
  endpoints: Endpoint[];
}

/**
 * The Service's endpoints, grouped by the port numbers they resolve to. A port that a pod does not have is left out for that pod. A
 * port keeps the Service's name for it (empty without one), protocol and `appProtocol`. A headless Service may have no ports at all:
 * then there is one group without ports.
 */
export function groupEndpoints(service: Service, pods: Pod[]): EndpointGroup[] {
  throw new NotImplemented('3.5', 'Turn the pods into endpoints and group them by their resolved ports');
}

export interface SlicePlan {
  create: EndpointSlice[];
  /** The present slices with other endpoints or labels; all else in them is kept. */
  update: EndpointSlice[];
  delete: EndpointSlice[];
}

/**
 * Brings the present slices to the wanted groups with few writes. For each group: an endpoint that is in a slice with the same ports stays
 * in it, in its present state; endpoints that are gone leave; new ones fill the room that is left, then new slices of at most
 * 100. A slice whose endpoints and labels (`sliceLabels`) are right is not written; one that is empty, or has ports that no group has,
 * is deleted. A Service without any endpoint has one empty slice, so that everybody can tell "none" from "not known yet".
 */
export function planSlices(service: Service, groups: EndpointGroup[], present: EndpointSlice[]): SlicePlan {
  throw new NotImplemented('3.5', 'Keep endpoints where they are, fill the gaps, then new slices; delete what is empty');
}

/** The labels of a Service's slices: the Service's own, and those that tell whose they are and that nobody else may write them. */
export function sliceLabels({ metadata, spec }: Service): Record<string, string> {
  const own = { [serviceNameLabel]: metadata?.name ?? '', [managedByLabel]: managedBy };
  return { ...metadata?.labels, ...own, ...(spec?.clusterIP === 'None' ? { [headlessLabel]: '' } : {}) };
}

/** A slice of this Service, named by the server. */
export function newSlice(service: Service, ports: EndpointPort[], endpoints: Endpoint[]): EndpointSlice {
  const { name = '', namespace = '' } = service.metadata ?? {};
  return {
    addressType: 'IPv4',
    metadata: {
      generateName: `${name}-`,
      namespace,
      labels: sliceLabels(service),
      ownerReferences: [controllerReference(service)],
    },
    ports,
    endpoints,
  };
}
