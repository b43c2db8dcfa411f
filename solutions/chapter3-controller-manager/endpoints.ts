// The older form of the same knowledge: one Endpoints object a Service, with all addresses in it. Real Kubernetes keeps writing it for
// clients that know no EndpointSlice; that it grows with the Service is why slices came.
// Kubernetes: pkg/controller/endpoint/endpoints_controller.go

import type { EndpointAddress, EndpointPort, EndpointSubset } from 'kubernetes-types/core/v1';
import type { Endpoint, EndpointsObject, Service } from '#kit/api';
import type { EndpointGroup } from './endpoint-slices.ts';

const headlessLabel = 'service.kubernetes.io/headless';

/**
 * The Endpoints object of a Service: one subset a group, the ready addresses apart from those that are not; each list in the
 * order of the addresses, so that nothing changes when only the order of the pods did. Pods that terminate are left out, and so is a
 * subset without addresses.
 *
 * @exercise 3.5 Turn the groups into subsets of ready and not-ready addresses
 */
export function endpointsFor(service: Service, groups: EndpointGroup[]): EndpointsObject {
  const { name = '', namespace = '', labels } = service.metadata ?? {};
  const isHeadless = service.spec?.clusterIP === 'None';
  return {
    metadata: { name, namespace, labels: { ...labels, ...(isHeadless ? { [headlessLabel]: '' } : {}) } },
    subsets: groups.flatMap(subsetOf),
  };
}

/** @solution */
function subsetOf({ ports, endpoints }: EndpointGroup): EndpointSubset[] {
  const staying = endpoints.filter(({ conditions }) => conditions?.ready || !conditions?.terminating);
  if (staying.length === 0) return [];
  const inOrder = staying.map(addressOf).sort((a, b) => (a.address.ip < b.address.ip ? -1 : 1));
  const ready = inOrder.filter(({ isReady }) => isReady).map(({ address }) => address);
  const notReady = inOrder.filter(({ isReady }) => !isReady).map(({ address }) => address);
  return [
    {
      ...(ready.length > 0 ? { addresses: ready } : {}),
      ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
      ...(ports.length > 0 ? { ports: ports.map(portOf) } : {}),
    },
  ];
}

/** @solution */
function addressOf({ addresses, conditions, hostname, nodeName, targetRef }: Endpoint): { address: EndpointAddress; isReady: boolean } {
  const address: EndpointAddress = {
    ip: addresses[0] ?? '',
    ...(hostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    ...(targetRef ? { targetRef } : {}),
  };
  return { address, isReady: conditions?.ready === true };
}

/** @solution An unnamed port has no name here, where a slice's has an empty one. */
function portOf({ name, port = 0, protocol = 'TCP', appProtocol }: EndpointGroup['ports'][number]): EndpointPort {
  return { ...(name ? { name } : {}), port, protocol, ...(appProtocol ? { appProtocol } : {}) };
}
