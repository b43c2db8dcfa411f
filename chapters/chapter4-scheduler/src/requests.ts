// What a pod asks of its node. Requests are what counts for a scheduler: not limits, and not what the containers really use.
// Kubernetes: staging/src/k8s.io/component-helpers/resource/helpers.go (PodRequests)

import type { Container, Pod } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
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
 */
export function podRequests({ spec }: Pod): ExactResources {
  throw new NotImplemented(
    '4.2',
    "Add up what the pod's containers, sidecars and overhead request; never less than an init container needs while it runs",
  );
}

export function containerRequests(container: Container): ExactResources {
  return parseResources(container.resources?.requests);
}

export function isSidecar(initContainer: Container): boolean {
  return initContainer.restartPolicy === 'Always';
}
