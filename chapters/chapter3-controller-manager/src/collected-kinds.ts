// The kinds whose objects own others, or are owned. Those that are built in are known; your own come and go with their definitions.
// Kubernetes: pkg/controller/garbagecollector/graph_builder.go, syncMonitors; there discovery is asked every 30 seconds

import {
  ConfigMaps,
  type CustomResourceDefinition,
  CustomResourceDefinitions,
  Deployments,
  EndpointSlices,
  Endpoints,
  groupOf,
  type KubernetesObject,
  type OwnerReference,
  Pods,
  ReplicaSets,
  ReplicationControllers,
  type Resource,
  Secrets,
  ServiceAccounts,
  Services,
} from '#kit/api';
import type { ChangeHandler } from './informer.ts';
import type { Informers } from './informers.ts';

const builtIn: Resource<KubernetesObject>[] = [
  Pods,
  ReplicaSets,
  ReplicationControllers,
  Deployments,
  Services,
  Endpoints,
  EndpointSlices,
  ConfigMaps,
  Secrets,
  ServiceAccounts,
];

export class CollectedKinds {
  readonly #informers: Informers;
  readonly #handler: ChangeHandler<KubernetesObject>;
  /** By the name of the definition. */
  readonly #custom = new Map<string, Resource<KubernetesObject>>();
  /** Nothing of these is left: the server answers so when it is asked. */
  readonly #gone = new Map<string, Resource<KubernetesObject>>();

  /** The handler hears of all objects of all kinds. */
  constructor(informers: Informers, handler: ChangeHandler<KubernetesObject>) {
    this.#informers = informers;
    this.#handler = handler;
    for (const resource of builtIn) informers.for(resource).onChange(handler);
    const follow = (definition: CustomResourceDefinition) => this.#follow(definition);
    informers.for(CustomResourceDefinitions).onChange({
      added: follow,
      updated: follow,
      deleted: ({ metadata }) => this.#forget(metadata?.name ?? ''),
    });
  }

  all(): Resource<KubernetesObject>[] {
    return [...builtIn, ...this.#custom.values()];
  }

  /** The owner's kind, whatever version of it the reference names; undefined for one that is not collected. */
  of({ apiVersion, kind }: OwnerReference): Resource<KubernetesObject> | undefined {
    const isThis = (candidate: Resource<KubernetesObject>) =>
      candidate.kind === kind && groupOf(candidate.apiVersion) === groupOf(apiVersion);
    return [...this.all(), ...this.#gone.values()].find(isThis);
  }

  #follow(definition: CustomResourceDefinition): void {
    const name = definition.metadata?.name ?? '';
    const known = this.#custom.get(name);
    const resource = servedResource(definition);
    if (!resource || resource.apiVersion === known?.apiVersion) return;
    this.#forget(name);
    this.#gone.delete(name);
    this.#custom.set(name, resource);
    this.#informers.for(resource).onChange(this.#handler);
    this.#informers.startLate(resource);
  }

  #forget(name: string): void {
    const resource = this.#custom.get(name);
    if (!resource) return;
    this.#custom.delete(name);
    this.#gone.set(name, resource);
    const last = this.#informers.for(resource).list();
    void this.#informers.forget(resource);
    // The definition goes after its objects; but who tells of the last ones may not have come to it.
    for (const object of last) this.#handler.deleted?.(object);
  }
}

/** undefined before the kind is served. */
function servedResource({ spec, status }: CustomResourceDefinition): Resource<KubernetesObject> | undefined {
  const isEstablished = status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True');
  const served = spec.versions.filter((version) => version.served);
  const version = served.find(({ storage }) => storage) ?? served[0];
  if (!isEstablished || !version || !status?.acceptedNames) return undefined;
  const { kind, plural } = status.acceptedNames;
  return { apiVersion: `${spec.group}/${version.name}`, kind, plural, namespaced: spec.scope === 'Namespaced' };
}
