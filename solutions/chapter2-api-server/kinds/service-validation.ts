// What must hold in a Service.
// Kubernetes: pkg/apis/core/validation/validation.go, ValidateService

import type { Service, ServicePort, ServiceSpec } from 'kubernetes-types/core/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import { validatePort, validateProtocol } from './container-validation.ts';
import { duplicateValue, forbiddenField, invalidValue, required } from './field-errors.ts';
import { dnsLabel, dnsSubdomain, portName, requireName, validateLabels, validateName } from './name-rules.ts';
import { oneOf } from './pod-validation.ts';
import { isIpv4 } from './service-addresses.ts';

export function validateService({ spec = {} }: Service, old?: Service): StatusCause[] {
  const { type, ports = [], selector, clusterIP } = spec;
  return [
    ...validateType(spec),
    ...(ports.length === 0 && clusterIP !== 'None' && type !== 'ExternalName' ? [required('spec.ports')] : []),
    ...ports.flatMap((port, index) => validateServicePort(port, `spec.ports[${index}]`, { mustBeNamed: ports.length > 1 })),
    ...validateUniqueness(ports),
    ...validateLabels('spec.selector', selector),
    ...oneOf('spec.type', type, ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']),
    ...oneOf('spec.sessionAffinity', spec.sessionAffinity, ['ClientIP', 'None']),
    ...oneOf('spec.internalTrafficPolicy', spec.internalTrafficPolicy, ['Cluster', 'Local']),
    ...oneOf('spec.externalTrafficPolicy', spec.externalTrafficPolicy, ['Cluster', 'Local']),
    ...validateClusterIp(spec, old?.spec),
  ];
}

function validateType({ type, clusterIP, externalName }: ServiceSpec): StatusCause[] {
  if (type === 'ExternalName') return requireName('spec.externalName', externalName, dnsSubdomain);
  if (type !== 'ClusterIP' && clusterIP === 'None') {
    return [invalidValue('spec.clusterIPs[0]', clusterIP, `may not be set to 'None' for ${type} services`)];
  }
  return [];
}

function validateServicePort(
  { name, port, protocol, targetPort, nodePort }: ServicePort,
  field: string,
  { mustBeNamed }: { mustBeNamed: boolean },
) {
  return [
    ...(name ? validateName(`${field}.name`, name, dnsLabel) : mustBeNamed ? [required(`${field}.name`)] : []),
    ...validatePort(`${field}.port`, port),
    ...validateProtocol(`${field}.protocol`, protocol),
    ...(typeof targetPort === 'number' ? validatePort(`${field}.targetPort`, targetPort) : []),
    ...(typeof targetPort === 'string' ? validateName(`${field}.targetPort`, targetPort, portName) : []),
    ...(nodePort ? validatePort(`${field}.nodePort`, nodePort) : []),
  ];
}

function validateUniqueness(ports: ServicePort[]): StatusCause[] {
  const [names, numbers] = [new Set<string>(), new Set<string>()];
  return ports.flatMap(({ name, port, protocol }, index) => {
    const number = `${port}/${protocol}`;
    const causes = [
      ...(name && names.has(name) ? [duplicateValue(`spec.ports[${index}].name`, name)] : []),
      ...(numbers.has(number) ? [duplicateValue(`spec.ports[${index}]`, { port, protocol })] : []),
    ];
    if (name) names.add(name);
    numbers.add(number);
    return causes;
  });
}

/** Clients remember a cluster IP, and so do the rules on every node: it stays as long as the Service does. */
function validateClusterIp({ type, clusterIP }: ServiceSpec, old?: ServiceSpec): StatusCause[] {
  const field = 'spec.clusterIPs[0]';
  if (type === 'ExternalName') {
    return clusterIP && clusterIP !== old?.clusterIP ? [forbiddenField('spec.clusterIPs', 'may not be set for ExternalName services')] : [];
  }
  if (!clusterIP) return [];
  if (clusterIP !== 'None' && !isIpv4(clusterIP))
    return [invalidValue(field, clusterIP, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')];
  const changed = old?.clusterIP && old.type !== 'ExternalName' && old.clusterIP !== clusterIP;
  return changed ? [invalidValue(field, [clusterIP], 'may not change once set')] : [];
}
