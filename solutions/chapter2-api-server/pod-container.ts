// Which container of a pod a request means when it may leave the name out.

import type { Pod } from '#kit/api';
import { badRequest } from './errors.ts';

/**
 * The container that is named, be it an init container, one of the pod's containers, or an ephemeral one; when none is named, the pod's
 * only container. Throws `badRequest`:
 *
 *     container sidecar is not valid for pod web
 *     a container name must be specified for pod web, choose one of: [init app sidecar]
 *
 * The second one is for a pod with several containers (init and ephemeral ones don't count), and names all there are: init containers,
 * containers, ephemeral containers.
 * Kubernetes: pkg/registry/core/pod/strategy.go, validateContainer
 *
 * @exercise 2.12 Choose the container that a request means, or say which there are
 */
export function chooseContainer({ metadata, spec }: Pod, wanted: string | undefined): string {
  const containers = spec?.containers ?? [];
  const names = [...(spec?.initContainers ?? []), ...containers, ...(spec?.ephemeralContainers ?? [])].map(({ name }) => name);
  if (wanted !== undefined) {
    if (names.includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${metadata?.name}`);
  }
  const [only] = containers;
  if (only && containers.length === 1) return only.name;
  throw badRequest(`a container name must be specified for pod ${metadata?.name}, choose one of: [${names.join(' ')}]`);
}
