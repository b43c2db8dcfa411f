// `resourceFieldRef`: a container's own requests and limits as numbers in its environment.
// Kubernetes: pkg/api/v1/resource/helpers.go, ExtractContainerResourceValue

import { availableParallelism, totalmem } from 'node:os';
import type { ResourceFieldSelector } from 'kubernetes-types/core/v1';
import type { Container, Pod } from '#kit/api';
import { parseQuantity } from '#kit/quantity';
import { ContainerProblem } from './container-problem.ts';

/** In units of the divisor (1 unless given), rounded up. A limit that is not set is all that the machine has. */
export function resourceField({ resource, containerName, divisor }: ResourceFieldSelector, pod: Pod, own: Container): string {
  const container = containerName ? pod.spec?.containers.find(({ name }) => name === containerName) : own;
  const [kind, name = ''] = resource.split('.', 2);
  if (!container || (kind !== 'limits' && kind !== 'requests')) {
    throw new ContainerProblem('CreateContainerConfigError', `unsupported container resource: ${resource}`);
  }
  const machine: Record<string, string> = { cpu: String(availableParallelism()), memory: String(totalmem()) };
  const text = container.resources?.[kind]?.[name] ?? (kind === 'limits' ? machine[name] : container.resources?.limits?.[name]) ?? '0';
  const unit = divisor === undefined || divisor === '0' ? '1' : String(divisor);
  const amount = parseQuantity(String(text));
  const step = parseQuantity(unit);
  return String((amount + step - 1n) / step);
}
