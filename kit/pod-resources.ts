// What a pod needs as a whole. Containers run together, so they add up; init containers run one after the other and before them, so the
// largest counts; a sidecar (an init container that is started again whenever it ends) runs beside all that come after it.
// Kubernetes: staging/src/k8s.io/component-helpers/resource/helpers.go, PodRequests and PodLimits

import type { PodSpec } from './api.ts';
import { largest, plus, type ResourceList } from './resource-list.ts';

/** @param what which of the containers' lists */
export function podResources({ containers = [], initContainers = [], overhead = {} }: PodSpec, what: 'requests' | 'limits'): ResourceList {
  let sidecars: ResourceList = {};
  let initially: ResourceList = {};
  for (const { restartPolicy, resources } of initContainers) {
    const own = resources?.[what] ?? {};
    if (restartPolicy === 'Always') sidecars = plus(sidecars, own);
    initially = largest(initially, restartPolicy === 'Always' ? sidecars : plus(sidecars, own));
  }
  const together = containers.reduce<ResourceList>((sum, { resources }) => plus(sum, resources?.[what] ?? {}), sidecars);
  return plus(largest(together, initially), what === 'requests' ? overhead : {});
}
