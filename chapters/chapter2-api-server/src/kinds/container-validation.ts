// What must hold in one container: a name, an image, ports that exist, mounts of volumes that exist, quantities that can be read.
// Kubernetes: pkg/apis/core/validation/validation.go, validateContainerCommon

import type { Container, ContainerPort, EnvVar, Probe, ResourceRequirements, VolumeMount } from 'kubernetes-types/core/v1';
import type { StatusCause } from 'kubernetes-types/meta/v1';
import { NotImplemented } from '#kit/not-implemented';
import { parseQuantity, type Quantity } from '#kit/quantity';
import { amountOf } from '#kit/resource-list';
import { forbiddenField, invalidValue, required, unknownValue, unsupportedValue } from './field-errors.ts';
import { dnsLabel, environmentName, portName, requireName, validateName } from './name-rules.ts';

const protocols = ['SCTP', 'TCP', 'UDP'];
const pullPolicies = ['Always', 'IfNotPresent', 'Never'];
const handlers = ['exec', 'httpGet', 'tcpSocket', 'grpc'] as const;

/** @param field where the container stands: `spec.containers[0]`; @param volumes the names of the pod's volumes */
export function validateContainer(container: Container, field: string, volumes: Set<string>): StatusCause[] {
  const { name, image, imagePullPolicy, ports = [], env = [], volumeMounts = [], resources = {} } = container;
  return [
    ...requireName(`${field}.name`, name, dnsLabel),
    ...(image ? [] : [required(`${field}.image`)]),
    ...(imagePullPolicy && !pullPolicies.includes(imagePullPolicy)
      ? [unsupportedValue(`${field}.imagePullPolicy`, imagePullPolicy, pullPolicies)]
      : []),
    ...ports.flatMap((port, index) => validateContainerPort(port, `${field}.ports[${index}]`)),
    ...env.flatMap((variable, index) => validateVariable(variable, `${field}.env[${index}]`)),
    ...(volumeMounts.length > 0 ? validateMounts(volumeMounts, `${field}.volumeMounts`, volumes) : []),
    ...validateResources(resources, `${field}.resources`),
    ...(['livenessProbe', 'readinessProbe', 'startupProbe'] as const).flatMap((probe) =>
      validateProbe(container[probe], `${field}.${probe}`),
    ),
  ];
}

export function validatePort(field: string, port: number): StatusCause[] {
  return Number.isInteger(port) && port >= 1 && port <= 65535 ? [] : [invalidValue(field, port, 'must be between 1 and 65535, inclusive')];
}

export function validateProtocol(field: string, protocol: string | undefined): StatusCause[] {
  return protocol === undefined || protocols.includes(protocol) ? [] : [unsupportedValue(field, protocol, protocols)];
}

function validateContainerPort({ name, containerPort, hostPort, protocol }: ContainerPort, field: string): StatusCause[] {
  return [
    ...(name ? validateName(`${field}.name`, name, portName) : []),
    ...(containerPort ? validatePort(`${field}.containerPort`, containerPort) : [required(`${field}.containerPort`)]),
    ...(hostPort ? validatePort(`${field}.hostPort`, hostPort) : []),
    ...validateProtocol(`${field}.protocol`, protocol),
  ];
}

function validateVariable({ name, value, valueFrom }: EnvVar, field: string): StatusCause[] {
  return [
    ...requireName(`${field}.name`, name, environmentName),
    ...(value && valueFrom ? [invalidValue(`${field}.valueFrom`, '', 'may not be specified when `value` is not empty')] : []),
  ];
}

/**
 * What is wrong with a container's mounts, mount by mount: `field` is where the list stands, so the first one's name is
 * `${field}[0].name`. In this order:
 *
 *     name        missing                          required
 *     name        not one of the pod's volumes     unknownValue; a missing one is that, too, and counts as ''
 *     mountPath   missing                          required
 *     mountPath   as in a mount before it          invalidValue, 'must be unique'
 */
export function validateMounts(mounts: VolumeMount[], field: string, volumes: Set<string>): StatusCause[] {
  throw new NotImplemented('2.7', 'Find everything that is wrong, not only the first, and say where');
}

function validateResources({ requests = {}, limits = {} }: ResourceRequirements, field: string): StatusCause[] {
  const unreadable = [...validateQuantities(limits, `${field}.limits`).causes, ...validateQuantities(requests, `${field}.requests`).causes];
  const canCompare = unreadable.length === 0 && Object.keys(limits).length > 0;
  return canCompare ? requestsAboveLimits({ requests, limits }, field) : unreadable;
}

/**
 * Who requests more than the limit could never use it. One cause for each such resource, at `${field}.requests`:
 * `Invalid value: "2": must be less than or equal to cpu limit of 1`. A resource that has only a request, or only a limit, is fine.
 * All amounts can be read; `amountOf` compares `1` with `1000m`.
 */
export function requestsAboveLimits({ requests = {}, limits = {} }: ResourceRequirements, field: string): StatusCause[] {
  throw new NotImplemented('2.7', 'Compare each request with its limit');
}

/** The amounts that can be read, and a cause for each that cannot. */
export function validateQuantities(list: Record<string, string>, field: string) {
  const causes: StatusCause[] = [];
  const amounts = new Map<string, Quantity>();
  for (const [name, text] of Object.entries(list)) {
    try {
      const amount = parseQuantity(String(text));
      amounts.set(name, amount);
      if (amount < 0n) causes.push(invalidValue(`${field}[${name}]`, text, 'must be greater than or equal to 0'));
    } catch (error) {
      causes.push(invalidValue(`${field}[${name}]`, text, (error as Error).message));
    }
  }
  return { causes, amounts };
}

function validateProbe(probe: Probe | undefined, field: string): StatusCause[] {
  if (!probe) return [];
  const given = handlers.filter((handler) => probe[handler]);
  if (given.length === 0) return [required(field, 'must specify a handler type')];
  return given.slice(1).map((handler) => forbiddenField(`${field}.${handler}`, 'may not specify more than 1 handler type'));
}
