// Keeps EndpointSlices and Endpoints true to the pods that each Service selects. A Service without a selector, or of type
// ExternalName, is somebody else's: its endpoints are never touched. Two controllers, one way of waking up.
// Kubernetes: pkg/controller/endpointslice/endpointslice_controller.go, pkg/controller/endpoint/endpoints_controller.go

import { isDeepStrictEqual } from 'node:util';
import {
  type EndpointSlice,
  EndpointSlices,
  Endpoints,
  type EndpointsObject,
  type KubernetesObject,
  keyOf,
  type Pod,
  Pods,
  type Resource,
  type Service,
  Services,
  splitKey,
} from '#kit/api';
import type { Client } from '#kit/client';
import { NotImplemented } from '#kit/not-implemented';
import { isNotFound } from '#kit/status';
import type { Controller, ControllerContext } from './context.ts';
import { groupEndpoints, managedBy, managedByLabel, planSlices, serviceNameLabel } from './endpoint-slices.ts';
import { endpointsFor } from './endpoints.ts';
import { Expectations } from './expectations.ts';
import type { Informer } from './informer.ts';
import { matchesSelector } from './label-selector.ts';
import { WorkQueue } from './work-queue.ts';

abstract class ServiceController implements Controller {
  abstract readonly name: string;
  readonly workers = 5;
  readonly queue: WorkQueue;
  protected readonly client: Client;
  protected readonly services: Informer<Service>;
  readonly #pods: Informer<Pod>;

  constructor(context: ControllerContext) {
    this.queue = new WorkQueue(context);
    this.client = context.client;
    this.services = context.informers.for(Services);
    this.#pods = context.informers.for(Pods);
    const wake = (service: Service) => this.queue.add(keyOf(service));
    this.services.onChange({ added: wake, updated: wake, deleted: wake });
    this.#pods.onChange({
      added: (pod) => this.#podChanged(pod),
      updated: (pod, old) => {
        if (!isDeepStrictEqual(pod.metadata?.labels, old.metadata?.labels)) this.#podChanged(old);
        this.#podChanged(pod);
      },
      deleted: (pod) => this.#podChanged(pod),
    });
  }

  abstract reconcile(key: string): Promise<void>;

  protected podsOf({ metadata, spec }: Service): Pod[] {
    const selector = { matchLabels: spec?.selector ?? {} };
    return this.#pods.list(metadata?.namespace).filter((pod) => matchesSelector(selector, pod.metadata?.labels));
  }

  #podChanged({ metadata }: Pod): void {
    for (const service of this.services.list(metadata?.namespace)) {
      if (isOurs(service) && matchesSelector({ matchLabels: service.spec?.selector ?? {} }, metadata?.labels)) {
        this.queue.add(keyOf(service));
      }
    }
  }
}

export class EndpointSliceController extends ServiceController {
  readonly name = 'endpointslice-controller';
  readonly #slices: Informer<EndpointSlice>;
  /** Slices are named by the server, so a stale cache would have them made twice. */
  readonly #expectations: Expectations;

  constructor(context: ControllerContext) {
    super(context);
    this.#expectations = new Expectations(context.clock);
    this.#slices = context.informers.for(EndpointSlices);
    const wake = (slice: EndpointSlice) => {
      const service = serviceOf(slice);
      if (service) this.queue.add(service);
    };
    this.#slices.onChange({
      added: (slice) => {
        this.#expectations.creationObserved(serviceOf(slice) ?? '');
        wake(slice);
      },
      updated: wake,
      deleted: wake,
    });
  }

  /**
   * Makes the Service's slices what `planSlices` wants; waits while created ones have not been seen yet; leaves services alone that
   * are not ours; deletes the slices of a Service that is gone.
   */
  async reconcile(key: string): Promise<void> {
    throw new NotImplemented('3.5', "Plan the service's slices from its pods and carry the plan out");
  }

  async #create(key: string, slice: EndpointSlice): Promise<void> {
    try {
      await this.client.create(EndpointSlices, slice);
    } catch (error) {
      this.#expectations.creationObserved(key);
      throw error;
    }
  }
}

export class EndpointsController extends ServiceController {
  readonly name = 'endpoints-controller';
  readonly #endpoints: Informer<EndpointsObject>;

  constructor(context: ControllerContext) {
    super(context);
    this.#endpoints = context.informers.for(Endpoints);
    const wake = (endpoints: EndpointsObject) => this.queue.add(keyOf(endpoints));
    this.#endpoints.onChange({ deleted: wake });
  }

  /**
   * Makes the Service's Endpoints object what `endpointsFor` gives, writing only what differs; leaves services alone that are not
   * ours; deletes the object of a Service that is gone.
   */
  async reconcile(key: string): Promise<void> {
    throw new NotImplemented('3.5', "Create or update the service's Endpoints object, or delete it with the service");
  }
}

/** Whether the Service wants its endpoints found by a selector. */
function isOurs({ spec }: Service): boolean {
  return spec?.type !== 'ExternalName' && Object.keys(spec?.selector ?? {}).length > 0;
}

/** The key of the Service that the slice belongs to, if it is one of ours; other people's slices carry another manager's name. */
function serviceOf({ metadata }: EndpointSlice): string | undefined {
  const name = metadata?.labels?.[serviceNameLabel];
  return name && metadata?.labels?.[managedByLabel] === managedBy ? `${metadata.namespace}/${name}` : undefined;
}

async function deleteIfThere<T extends KubernetesObject>(client: Client, resource: Resource<T>, { metadata = {} }: T): Promise<void> {
  const { name = '', namespace } = metadata;
  try {
    await client.delete(resource, { name, namespace });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
