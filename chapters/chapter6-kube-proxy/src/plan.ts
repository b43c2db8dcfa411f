// The plan: every Service port with the endpoints behind it. It depends on Services and EndpointSlices alone, is the same
// for the same input in any order, and knows nothing of iptables. All rules follow from it.

import type { EndpointSlice, Service } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { type Endpoint, endpointsOf, serviceNameLabel, usableEndpoints } from './endpoints.ts';
import { type ServicePort, servicePortsOf } from './service-ports.ts';

export interface ServicePortPlan extends ServicePort {
  /** Where connections go. Empty: they are refused. */
  endpoints: Endpoint[];
  /** Where connections from outside go when externalTrafficLocal: the choice among this node's own endpoints. */
  localEndpoints: Endpoint[];
}

/**
 * Every Service port of the cluster with its endpoints, sorted by name.
 *
 * @param nodeName the node that the plan is for
 */
export function planServicePorts(services: Service[], slices: EndpointSlice[], nodeName: string): ServicePortPlan[] {
  throw new NotImplemented('6.1', 'Plan all Service ports: each with its usable endpoints, and its usable endpoints on this node');
}

/** `namespace/service` → its slices. */
function groupByService(slices: EndpointSlice[]): Map<string, EndpointSlice[]> {
  const groups = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const service = `${slice.metadata?.namespace}/${slice.metadata?.labels?.[serviceNameLabel]}`;
    const group = groups.get(service);
    if (group) group.push(slice);
    else groups.set(service, [slice]);
  }
  return groups;
}
