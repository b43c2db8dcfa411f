// What a Service promises, port by port: "whoever connects to this address and port reaches one of my pods".
// Only Services with a virtual address of their own are here; the others need no rules.
// Kubernetes: pkg/proxy/serviceport.go

import { isIPv4 } from 'node:net';
import type { Service } from '#kit/api';

/** As iptables writes it. */
export type Protocol = 'tcp' | 'udp' | 'sctp';

export interface ServicePort {
  /** `namespace/service:port`, or `namespace/service` when the port has no name. Unique in the cluster. */
  name: string;
  /** `namespace/service` */
  service: string;
  /** The port's name, '' when it has none: what an EndpointSlice's port must be called to belong to it. */
  portName: string;
  protocol: Protocol;
  clusterIp: string;
  port: number;
  /** Open on every node, or undefined. */
  nodePort: number | undefined;
  /** Connections from outside go only to endpoints on the node that they arrived at, and keep their source address. */
  externalTrafficLocal: boolean;
  /** How long a client keeps its endpoint (ClientIP affinity), or undefined. */
  affinitySeconds: number | undefined;
}

/** Somebody else, a service mesh for example, proxies the Services that carry this label. */
const otherProxyLabel = 'service.kubernetes.io/service-proxy-name';
/** Three hours: the API's default. */
const defaultAffinitySeconds = 10_800;

/** @exercise 6.1 Name one port of a Service: `namespace/service:port`, without the colon when the port has no name */
export function servicePortName(namespace: string, service: string, portName: string): string {
  return portName === '' ? `${namespace}/${service}` : `${namespace}/${service}:${portName}`;
}

/**
 * The ports that need rules, in the Service's own order. None for a Service without a virtual address (headless, whose
 * clusterIP is `None`, or not allocated yet), for ExternalName (a DNS alias), and for one that another proxy serves.
 *
 * @exercise 6.1 List the ports of a Service that need rules
 */
export function servicePortsOf(service: Service): ServicePort[] {
  const { metadata = {}, spec = {} } = service;
  const clusterIp = spec.clusterIP ?? '';
  if (spec.type === 'ExternalName' || !isIPv4(clusterIp)) return [];
  if (metadata.labels?.[otherProxyLabel] !== undefined) return [];
  const { namespace = '', name = '' } = metadata;
  return (spec.ports ?? []).map((port) => ({
    name: servicePortName(namespace, name, port.name ?? ''),
    service: `${namespace}/${name}`,
    portName: port.name ?? '',
    protocol: protocolOf(port.protocol),
    clusterIp,
    port: port.port,
    nodePort: port.nodePort || undefined,
    externalTrafficLocal: spec.externalTrafficPolicy === 'Local',
    affinitySeconds:
      spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds) : undefined,
  }));
}

/** `TCP`, the API's default, becomes `tcp`. */
export function protocolOf(protocol: string | undefined): Protocol {
  return (protocol ?? 'TCP').toLowerCase() as Protocol;
}
