// Services: a name and an address for whatever pods stand behind it. The address must not change while the Service lives.
// Kubernetes: pkg/apis/core/v1/defaults.go and pkg/registry/core/service/storage/alloc.go

import type { Service, ServicePort, ServiceSpec } from 'kubernetes-types/core/v1';
import { ApiError, failure } from '#kit/status';
import { invalid } from '../errors.ts';
import { findResource, type ResourceDefinition } from '../resources.ts';
import { invalidValue } from './field-errors.ts';
import { AddressRange, isNodePort, nodePortRange, pickNodePort } from './service-addresses.ts';
import { validateService } from './service-validation.ts';
import type { KindStrategy, StrategyContext } from './strategy.ts';

const resource = findResource('', 'v1', 'services') as ResourceDefinition;

export const services: KindStrategy<Service> = {
  setDefaults({ spec }) {
    if (!spec) return;
    spec.type ??= 'ClusterIP';
    spec.sessionAffinity ??= 'None';
    if (spec.sessionAffinity === 'ClientIP') spec.sessionAffinityConfig ??= { clientIP: { timeoutSeconds: 10800 } };
    for (const port of spec.ports ?? []) {
      port.protocol ??= 'TCP';
      port.targetPort ||= port.port;
    }
    if (hasClusterIp(spec)) {
      spec.internalTrafficPolicy ??= 'Cluster';
      spec.ipFamilies ??= ['IPv4'];
      spec.ipFamilyPolicy ??= 'SingleStack';
    }
    if (hasNodePorts(spec)) spec.externalTrafficPolicy ??= 'Cluster';
    if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
  },

  takesTurns: true,

  validate: validateService,

  async prepareForCreate(service, context) {
    Object.assign(service, { status: { loadBalancer: {} } });
    if (service.spec) await allocate(service, service.spec, context);
  },

  async prepareForUpdate(service, { spec: old }, context) {
    const { spec } = service;
    if (!spec || !old) return;
    keepAllocated(spec, old);
    dropWhatTheTypeHasNot(spec, old);
    await allocate(service, spec, context);
  },
};

export function hasClusterIp({ type }: ServiceSpec): boolean {
  return type !== 'ExternalName';
}

function hasNodePorts({ type }: ServiceSpec): boolean {
  return type === 'NodePort' || type === 'LoadBalancer';
}

/** An update that doesn't mention what the server gave doesn't give it back. */
function keepAllocated(spec: ServiceSpec, old: ServiceSpec): void {
  if (hasClusterIp(spec) && hasClusterIp(old) && !spec.clusterIP && old.clusterIP) {
    spec.clusterIP = old.clusterIP;
    spec.clusterIPs = old.clusterIPs ?? [old.clusterIP];
  }
  if (!hasNodePorts(spec) || !hasNodePorts(old)) return;
  const used = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort));
  for (const port of spec.ports ?? []) {
    const before = (old.ports ?? []).find((other) => other.port === port.port && other.protocol === port.protocol)?.nodePort;
    if (!port.nodePort && before && !used.has(before)) port.nodePort = before;
  }
}

/** A Service of another type gives back what only its old type had; unless the author asks for something else instead. */
function dropWhatTheTypeHasNot(spec: ServiceSpec, old: ServiceSpec): void {
  if (!hasClusterIp(spec) && hasClusterIp(old) && spec.clusterIP === old.clusterIP) {
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy'] as const) delete spec[field];
  }
  if (hasNodePorts(spec) || !hasNodePorts(old)) return;
  delete spec.externalTrafficPolicy;
  delete spec.allocateLoadBalancerNodePorts;
  const before = new Set((old.ports ?? []).map(({ nodePort }) => nodePort));
  for (const port of spec.ports ?? []) if (before.has(port.nodePort)) delete port.nodePort;
}

async function allocate(service: Service, spec: ServiceSpec, context: StrategyContext): Promise<void> {
  const others = ((await context.list(resource)) as Service[]).filter(({ metadata }) => metadata?.uid !== service.metadata?.uid);
  if (hasClusterIp(spec) && spec.clusterIP !== 'None') allocateClusterIp(service, spec, others, context);
  if (spec.clusterIP) spec.clusterIPs = [spec.clusterIP];
  if (hasNodePorts(spec)) allocateNodePorts(service, spec, others, context);
}

function allocateClusterIp(service: Service, spec: ServiceSpec, others: Service[], context: StrategyContext): void {
  const range = new AddressRange(context.serviceClusterIpRange);
  const taken = new Set(others.flatMap((other) => other.spec?.clusterIP ?? []));
  const wish = spec.clusterIP;
  if (!wish) {
    const address = range.pick(taken, context.random);
    if (!address)
      throw new ApiError(failure(500, 'InternalError', 'Internal error occurred: failed to allocate a serviceIP: range is full'));
    spec.clusterIP = address;
    return;
  }
  const refuse = (why: string) => {
    const cause = invalidValue('spec.clusterIPs', [wish], `failed to allocate IP ${wish}: ${why}`);
    return invalid(resource, service.metadata?.name ?? '', [cause]);
  };
  if (!range.contains(wish)) throw refuse(`the provided IP (${wish}) is not in the valid range. The range of valid IPs is ${range.cidr}`);
  if (taken.has(wish)) throw refuse('provided IP is already allocated');
}

function allocateNodePorts(service: Service, spec: ServiceSpec, others: Service[], { random }: StrategyContext): void {
  const ports = spec.ports ?? [];
  const taken = new Set(others.flatMap((other) => other.spec?.ports ?? []).flatMap(({ nodePort }) => nodePort ?? []));
  const refuse = (index: number, why: string) => {
    const cause = invalidValue(`spec.ports[${index}].nodePort`, ports[index]?.nodePort, why);
    return invalid(resource, service.metadata?.name ?? '', [cause]);
  };
  for (const [index, { nodePort }] of ports.entries()) {
    if (!nodePort) continue;
    if (!isNodePort(nodePort)) throw refuse(index, `provided port is not in the valid range. The range of valid ports is ${nodePortRange}`);
    if (taken.has(nodePort)) throw refuse(index, 'provided port is already allocated');
  }
  for (const { nodePort } of ports) if (nodePort) taken.add(nodePort);
  for (const port of ports) {
    if (port.nodePort || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts === false)) continue;
    port.nodePort = sharedPort(port, ports) ?? freshNodePort(taken, random);
    taken.add(port.nodePort);
  }
}

/** DNS's port 53 for TCP and for UDP: the same number on the node, too. */
function sharedPort({ port, protocol }: ServicePort, ports: ServicePort[]): number | undefined {
  return ports.find((other) => other.port === port && other.protocol !== protocol && other.nodePort)?.nodePort;
}

function freshNodePort(taken: Set<number>, random: StrategyContext['random']): number {
  const port = pickNodePort(taken, random);
  if (port) return port;
  throw new ApiError(failure(500, 'InternalError', 'Internal error occurred: failed to allocate a nodePort: range is full'));
}
