// The older form of the same knowledge: one Endpoints object a Service, with all addresses in it. Real Kubernetes keeps writing it for
// clients that know no EndpointSlice; that it grows with the Service is why slices came.
// Kubernetes: pkg/controller/endpoint/endpoints_controller.go

import type { EndpointAddress, EndpointPort, EndpointSubset } from 'kubernetes-types/core/v1';
import type { Endpoint, EndpointsObject, Service } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import type { EndpointGroup } from './endpoint-slices.ts';

const headlessLabel = 'service.kubernetes.io/headless';

/**
 * The Endpoints object of a Service: one subset a group, the ready addresses apart from those that are not; each list in the
 * order of the addresses, so that nothing changes when only the order of the pods did. Pods that terminate are left out, and so is a
 * subset without addresses.
 */
export function endpointsFor(service: Service, groups: EndpointGroup[]): EndpointsObject {
  throw new NotImplemented('3.5', 'Turn the groups into subsets of ready and not-ready addresses');
}
