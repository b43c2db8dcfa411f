// Where a Service's connections may go: the endpoints that its EndpointSlices list, and the choice among them.
// Kubernetes: pkg/proxy/endpointslicecache.go, pkg/proxy/topology.go

import { isIPv4 } from 'node:net';
import type { EndpointSlice } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { protocolOf, type ServicePort } from './service-ports.ts';

export interface Endpoint {
  ip: string;
  port: number;
  /** The node that its pod runs on. */
  nodeName: string | undefined;
  /** May be given new connections. */
  ready: boolean;
  /** Answers requests, also while it is being stopped. */
  serving: boolean;
  /** Is being stopped: soon it will be gone. */
  terminating: boolean;
}

/** Names the Service that a slice belongs to; the Service is in the slice's own namespace. */
export const serviceNameLabel = 'kubernetes.io/service-name';

/** `10.244.1.2:8080` */
export function addressOf({ ip, port }: Endpoint): string {
  return `${ip}:${port}`;
}

/**
 * The endpoints behind one port of a Service, joined from all of its slices, sorted by address.
 * - A slice's port belongs to the Service's port of the same name and protocol. Its number is where the pods really listen:
 *   a named target port is already resolved, and may differ from slice to slice. A slice's port without a number is skipped.
 * - An endpoint's addresses are interchangeable: take the first. Slices of another address type than IPv4 are skipped.
 * - A condition that is absent means: ready, serving if ready, not terminating.
 * - An address that two slices list counts once, and is ready if one of them says so.
 *
 * @param slices all EndpointSlices of the port's Service
 */
export function endpointsOf(port: ServicePort, slices: EndpointSlice[]): Endpoint[] {
  throw new NotImplemented('6.1', 'Join the endpoints of one Service port from all slices of its Service');
}

/**
 * The endpoints that new connections go to. When none is ready, those that are being stopped but still serve are better than
 * refusing everybody: so a rollout that takes the last old pod away loses no request.
 */
export function usableEndpoints(endpoints: Endpoint[]): Endpoint[] {
  throw new NotImplemented('6.1', 'Choose the ready endpoints, or else those that are terminating but still serving');
}
