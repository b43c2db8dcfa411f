// What a pod asks of its node. Requests are what counts for a scheduler: not limits, and not what the containers really use.
// Kubernetes: staging/src/k8s.io/component-helpers/resource/helpers.go (PodRequests)

import type { Container, Pod } from '#kit/api';
import { type ExactResources, inWholeNumbers, larger, parseResources, plus, type Resources } from './resources.ts';

const nothing: Resources = Object.freeze({});
const known = new WeakMap<Pod, Resources>();

/** The pod's requests in whole numbers. Pods in a cache never change, so each is worked out once. */
export function requestsOf(pod: Pod): Resources {
  if (!requestsAnything(pod)) return nothing;
  const requests = known.get(pod) ?? inWholeNumbers(podRequests(pod));
  known.set(pod, requests);
  return requests;
}

/** A pod without any request needs no more than a place on a node. */
export function requestsAnything(pod: Pod): boolean {
  const { containers = [], initContainers = [], overhead } = pod.spec ?? {};
  return overhead !== undefined || [...containers, ...initContainers].some(({ resources }) => resources?.requests !== undefined);
}

/**
 * What a node must have free for the pod, exactly:
 * - its containers run side by side: their requests add up;
 * - its sidecars (init containers with `restartPolicy: Always`) start one after the other and then stay: they add up with the containers;
 * - its other init containers run one at a time before the containers: while one runs, it and the sidecars started before it
 *   are all there is. The pod needs the most that is ever needed at once, resource by resource;
 * - `spec.overhead`, what the sandbox itself costs, comes on top.
 *
 * @exercise 4.2 Add up what the pod's containers, sidecars and overhead request; never less than an init container needs while it runs
 */
export function podRequests({ spec }: Pod): ExactResources {
  const { containers = [], initContainers = [], overhead } = spec ?? {};
  let together: ExactResources = {};
  for (const container of containers) together = plus(together, containerRequests(container));

  let sidecars: ExactResources = {};
  let initializing: ExactResources = {};
  for (const container of initContainers) {
    const withSidecars = plus(sidecars, containerRequests(container));
    initializing = larger(initializing, withSidecars);
    if (isSidecar(container)) sidecars = withSidecars;
  }
  return plus(larger(plus(together, sidecars), initializing), parseResources(overhead));
}

export function containerRequests(container: Container): ExactResources {
  return parseResources(container.resources?.requests);
}

export function isSidecar(initContainer: Container): boolean {
  return initContainer.restartPolicy === 'Always';
}
