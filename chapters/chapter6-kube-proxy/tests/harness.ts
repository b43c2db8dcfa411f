// Short builders for what kube-proxy reads, and the domain's own words for what tests say about it.

import type { Endpoint, EndpointSlice, Service } from '#kit/api';

type ServiceSpec = NonNullable<Service['spec']>;

/** A Service in namespace `default` with one port, `http` 80, and a cluster IP. */
export function service(name: string, spec: Partial<ServiceSpec> = {}, namespace = 'default'): Service {
  const ports = [{ name: 'http', port: 80, protocol: 'TCP' }];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { type: 'ClusterIP', clusterIP: '10.96.0.20', ports, ...spec },
  };
}

export interface SliceOptions {
  /** Of the slice; by default `<service>-1`. */
  name?: string;
  namespace?: string;
  addressType?: 'IPv4' | 'IPv6' | 'FQDN';
  ports?: NonNullable<EndpointSlice['ports']>;
}

/** A slice of that Service whose port `http` is 8080 in the pods. An endpoint may be just its address. */
export function sliceOf(serviceName: string, endpoints: (string | Endpoint)[], options: SliceOptions = {}): EndpointSlice {
  const { name = `${serviceName}-1`, namespace = 'default', addressType = 'IPv4' } = options;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': serviceName } },
    addressType,
    ports: options.ports ?? [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: endpoints.map((endpoint) => (typeof endpoint === 'string' ? ready(endpoint) : endpoint)),
  };
}

export function ready(ip: string, nodeName = 'node-1'): Endpoint {
  return { addresses: [ip], nodeName, conditions: { ready: true, serving: true, terminating: false } };
}

/** Its readiness probe fails, or it has only just started. */
export function notReady(ip: string, nodeName = 'node-1'): Endpoint {
  return { addresses: [ip], nodeName, conditions: { ready: false, serving: false, terminating: false } };
}

/** Being stopped, but it still answers. */
export function leaving(ip: string, nodeName = 'node-1'): Endpoint {
  return { addresses: [ip], nodeName, conditions: { ready: false, serving: true, terminating: true } };
}

/** Being stopped, and it answers no more. */
export function gone(ip: string, nodeName = 'node-1'): Endpoint {
  return { addresses: [ip], nodeName, conditions: { ready: false, serving: false, terminating: true } };
}
