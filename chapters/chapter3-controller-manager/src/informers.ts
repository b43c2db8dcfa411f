// One informer a resource, shared by all controllers: the API server serves one watch and the process keeps one copy, however
// many controllers look at it. Ask for informers and register handlers first; start() then starts every one asked for.
// Kubernetes: client-go/informers/factory.go

import type { KubernetesObject, Resource } from '#kit/api';
import type { Client } from '#kit/client';
import type { ComponentContext } from '#kit/component';
import { Informer } from './informer.ts';
import { controllerOf } from './ownership.ts';

/** Every shared informer finds objects by these. */
const indexes = {
  uid: ({ metadata }: KubernetesObject) => (metadata?.uid ? [metadata.uid] : []),
  /** The uid of each owner. */
  owner: ({ metadata }: KubernetesObject) => (metadata?.ownerReferences ?? []).map(({ uid }) => uid),
  /** The uid of the one owner that controls it. */
  controller: (object: KubernetesObject) => [controllerOf(object)?.uid ?? ''].filter(Boolean),
  /** What nobody controls, by namespace: candidates for adoption. */
  orphansIn: (object: KubernetesObject) => (controllerOf(object) ? [] : [object.metadata?.namespace ?? '']),
};

export class Informers {
  readonly #client: Client;
  readonly #context: ComponentContext;
  readonly #informers = new Map<string, Informer<KubernetesObject>>();

  constructor(client: Client, context: ComponentContext) {
    this.#client = client;
    this.#context = context;
  }

  for<T extends KubernetesObject>(resource: Resource<T>): Informer<T> {
    const name = nameOf(resource);
    const known =
      this.#informers.get(name) ?? new Informer(this.#client, resource as Resource<KubernetesObject>, this.#context, { indexes });
    this.#informers.set(name, known);
    return known as unknown as Informer<T>;
  }

  /** Resolves when every cache holds its first list. */
  async start(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.start()));
  }

  /** Starts one that was asked for when the others ran already. */
  startLate<T extends KubernetesObject>(resource: Resource<T>): void {
    // Why it could not start is in the log; those who wait for it have another way to know.
    this.for(resource)
      .start()
      .catch(() => {});
  }

  /** The next one for this resource will be another one. */
  async forget<T extends KubernetesObject>(resource: Resource<T>): Promise<void> {
    const name = nameOf(resource);
    const informer = this.#informers.get(name);
    this.#informers.delete(name);
    await informer?.stop();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.stop()));
  }
}

function nameOf({ apiVersion, plural }: Resource<KubernetesObject>): string {
  return `${apiVersion}/${plural}`;
}
