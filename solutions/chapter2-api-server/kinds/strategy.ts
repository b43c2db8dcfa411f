// What is special to a kind. The store behind every kind is one and the same (store.ts); a kind adds to it only what it must:
// defaults, validation, and what the server alone can give (a cluster IP, a node port).
// Kubernetes: staging/src/k8s.io/apiserver/pkg/registry/rest/create.go, RESTCreateStrategy

import type { StatusCause } from 'kubernetes-types/meta/v1';
import type { KubernetesObject } from '#kit/api';
import type { Clock, Random } from '#kit/clock';
import type { ResourceDefinition } from '../resources.ts';

export interface StrategyContext {
  clock: Clock;
  random: Random;
  /** CIDR that cluster IPs are taken from, e.g. `10.96.0.0/12` */
  serviceClusterIpRange: string;
  /** Every stored object of a resource, in all namespaces. */
  list(resource: ResourceDefinition): Promise<KubernetesObject[]>;
}

/** Each method gets a private copy of the object, which it may change. */
export interface KindStrategy<T extends KubernetesObject = KubernetesObject> {
  /** Fills in what the author left out; runs before validation, on create and on update. */
  setDefaults?(object: T): void;
  /** What is wrong with the object, one cause a field; empty when nothing is. `old` is there on update. */
  validate?(object: T, old?: T): StatusCause[];
  /** The same for an update through a subresource, which changes the status or the scale and nothing else. */
  validateStatus?(object: T, old: T): StatusCause[];
  /** The object as it is to be deleted: with the finalizers that hold it until what depends on it is gone. */
  prepareForDelete?(object: T): T;
  /** What it claims is shared by all its objects: creates and updates take turns, or two would claim the same. */
  readonly takesTurns?: true;
  /** Claims what only the server can give. Throws ApiError when there is nothing left to give. */
  prepareForCreate?(object: T, context: StrategyContext): Promise<void>;
  prepareForUpdate?(object: T, old: T, context: StrategyContext): Promise<void>;
}
