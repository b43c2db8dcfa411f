// Where something serves that a proxy's path names: from a pod, or a service and its endpoints, to an address.
// Kubernetes: pkg/registry/core/pod/strategy.go and pkg/registry/core/service/storage/storage.go, ResourceLocation

import { BlockList, isIP } from 'node:net';
import type { Endpoints } from 'kubernetes-types/core/v1';
import type { Pod, Service } from '#kit/api';
import { badRequest, unavailable } from '../errors.ts';
import type { Location } from '../pod-network.ts';
import type { ProxyName } from './proxy-name.ts';

/**
 * A pod serves at its `status.podIP`, at the port that is asked for; when none is, at the first port of the first container that names any
 * (`containerPort`); when none does, at the scheme's own (`defaultPorts`). A pod without an address, or with one that is nobody else's
 * business (`isAllowed`): badRequest('address not allowed').
 *
 * @exercise 2.12 Say where a pod serves
 */
export function podLocation({ spec, status }: Pod, { scheme, port }: ProxyName): Location {
  const host = status?.podIP ?? '';
  if (!isAllowed(host)) throw badRequest('address not allowed');
  const [first] = spec?.containers.flatMap(({ ports = [] }) => ports) ?? [];
  return { scheme, host, port: port ? portNumber(port) : (first?.containerPort ?? defaultPorts[scheme]), nodeName: spec?.nodeName };
}

export const defaultPorts = { http: 80, https: 443 };

// However an address is written: to a BlockList `::ffff:127.0.0.1` is 127.0.0.1. Kubernetes refuses what Go's IsGlobalUnicast refuses.
const nobodyElses = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 32],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['255.255.255.255', 32],
] as const) {
  nobodyElses.addSubnet(net, prefix, 'ipv4');
}
for (const [net, prefix] of [
  ['::', 128],
  ['::1', 128],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  nobodyElses.addSubnet(net, prefix, 'ipv6');

/** Neither the API server's own machine, nor what only a neighbour could reach, nor several at once. */
export function isAllowed(host: string): boolean {
  const version = isIP(host);
  return version !== 0 && !nobodyElses.check(host, version === 4 ? 'ipv4' : 'ipv6');
}

export function portNumber(port: string): number {
  const number = Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65535) throw badRequest(`invalid port ${JSON.stringify(port)}`);
  return number;
}

/**
 * A service's port under the name that its endpoints have it by: endpoints know the pods' ports, and not the service's. A number is one of
 * `spec.ports[].port`; its name is '' when the service does not name it. What is no number is the name. Throws `unavailable` for a number
 * that the service doesn't have.
 */
export function endpointPortName({ metadata, spec }: Service, port: string): string {
  if (!/^\d+$/.test(port)) return port;
  const found = spec?.ports?.find((one) => one.port === Number(port));
  if (!found) throw unavailable(`no service port ${port} found for service "${metadata?.name}"`);
  return found.name ?? '';
}

export interface Candidate {
  ip: string;
  port: number;
  nodeName: string | undefined;
  /** The pod that it should be. */
  podName: string;
}

/**
 * All that could answer: of each subset that has a port of this name, its ready addresses with that port. An unnamed port has the name ''.
 * Only pods count: an address whose `targetRef` is no Pod could be anything that somebody has written there, and the API server would go
 * there for them.
 *
 * @exercise 2.12 List the endpoints that a service's request may go to
 */
export function candidates({ subsets = [] }: Endpoints, portName: string): Candidate[] {
  return subsets.flatMap(({ addresses = [], ports = [] }) => {
    const found = ports.find(({ name = '' }) => name === portName);
    const pods = found ? addresses.filter(({ targetRef }) => targetRef?.kind === 'Pod') : [];
    return pods.map(({ ip, nodeName, targetRef }) => ({ ip, port: found?.port ?? 0, nodeName, podName: targetRef?.name ?? '' }));
  });
}
