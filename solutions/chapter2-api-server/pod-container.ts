// Which container of a pod a request means when it may leave the name out.

import type { Pod } from '#kit/api';
import { badRequest } from './errors.ts';

/**
 * The one that is named, or the only one there is.
 * Kubernetes: pkg/registry/core/pod/strategy.go, validateContainer
 */
export function chooseContainer({ metadata, spec }: Pod, wanted: string | undefined): string {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ name }) => name);
  const [only = ''] = spec?.containers.map(({ name }) => name) ?? [];
  if (wanted !== undefined) {
    if (containers.includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${metadata?.name}`);
  }
  if (spec?.containers.length === 1) return only;
  throw badRequest(`a container name must be specified for pod ${metadata?.name}, choose one of: [${containers.join(' ')}]`);
}
