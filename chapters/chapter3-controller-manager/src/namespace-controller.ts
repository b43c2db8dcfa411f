// Empties a namespace that is being deleted, then lets it go. The finalizer `kubernetes` in its spec is what holds it until then; it is
// taken away through the subresource `finalize`, the only door to that field.
// Kubernetes: pkg/controller/namespace/deletion/namespaced_resources_deleter.go

import type { APIGroupList, APIResourceList } from 'kubernetes-types/meta/v1';
import { groupOf, type KubernetesObject, keyOf, type Namespace, Namespaces, type Resource } from '#kit/api';
import { type Client, pathOf } from '#kit/client';
import { isConflict, isNotFound } from '#kit/status';
import { readText } from '#kit/transport';
import type { Controller, ControllerContext } from './context.ts';
import type { Informer } from './informer.ts';
import { WorkQueue } from './work-queue.ts';

const finalizer = 'kubernetes';
/** What is left goes by itself, pods after their grace period; so look again soon. */
const lookAgainMs = 250;

export class NamespaceController implements Controller {
  readonly name = 'namespace-controller';
  readonly workers = 2;
  readonly queue: WorkQueue;
  readonly #client: Client;
  readonly #namespaces: Informer<Namespace>;

  constructor(context: ControllerContext) {
    this.queue = new WorkQueue(context);
    this.#client = context.client;
    this.#namespaces = context.informers.for(Namespaces);
    const look = (namespace: Namespace) => {
      if (namespace.metadata?.deletionTimestamp) this.queue.add(keyOf(namespace));
    };
    this.#namespaces.onChange({ added: look, updated: look });
  }

  async reconcile(name: string): Promise<void> {
    const namespace = this.#namespaces.get(name);
    if (!namespace?.metadata?.deletionTimestamp || !namespace.spec?.finalizers?.includes(finalizer)) return;
    const left = await Promise.all((await this.#namespacedResources()).map((resource) => this.#empty(resource, name)));
    if (left.some((count) => count > 0)) this.queue.addAfter(name, lookAgainMs);
    else await this.#finalize(namespace);
  }

  /** Deletes what is there and answers how many objects it saw: 0 means that the namespace has none of this kind. */
  async #empty(resource: Resource<KubernetesObject>, namespace: string): Promise<number> {
    const { items } = await this.#client.list(resource, { namespace });
    const staying = items.filter(({ metadata }) => !metadata?.deletionTimestamp);
    await Promise.all(
      staying.map(async ({ metadata = {} }) => {
        const { name = '', uid = '' } = metadata;
        try {
          await this.#client.delete(resource, { name, namespace }, { propagationPolicy: 'Background', preconditions: { uid } });
        } catch (error) {
          if (!isNotFound(error) && !isConflict(error)) throw error;
        }
      }),
    );
    return items.length;
  }

  async #finalize(namespace: Namespace): Promise<void> {
    const name = namespace.metadata?.name ?? '';
    const finalizers = (namespace.spec?.finalizers ?? []).filter((other) => other !== finalizer);
    const body = JSON.stringify({ ...namespace, spec: { ...namespace.spec, finalizers } });
    await this.#client.send({ method: 'PUT', path: pathOf(Namespaces, { name }, 'finalize'), body });
  }

  /** Everything that lives in namespaces and can be listed and deleted, as the server's discovery tells. */
  async #namespacedResources(): Promise<Resource<KubernetesObject>[]> {
    const { groups } = await this.#read<APIGroupList>('/apis');
    // All versions, the best first: of two kinds in a group, one may be in v1 only and one in v2 only.
    const versions = groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => `/apis/${groupVersion}`));
    const lists = await Promise.all(['/api/v1', ...versions].map((path) => this.#read<APIResourceList>(path)));
    const found = new Map<string, Resource<KubernetesObject>>();
    for (const { groupVersion, resources } of lists) {
      for (const { namespaced, name, kind, verbs } of resources) {
        const group = groupOf(groupVersion);
        const isOwn = namespaced && !name.includes('/') && verbs.includes('list') && verbs.includes('delete');
        if (!isOwn || found.has(`${group}/${name}`)) continue;
        found.set(`${group}/${name}`, { apiVersion: groupVersion, kind, plural: name, namespaced: true });
      }
    }
    return [...found.values()];
  }

  async #read<T>(path: string): Promise<T> {
    const response = await this.#client.send({ method: 'GET', path });
    return JSON.parse(await readText(response.body)) as T;
  }
}
