// Deletes what has lost its owners, and lets go of owners that wait for what they own. The decision is made from the owner references
// of one object; an owner counts as gone only after the server itself said so, for a cache may not know it yet.
// Kubernetes: pkg/controller/garbagecollector/garbagecollector.go

import type { KubernetesObject, OwnerReference, Resource } from '#kit/api';
import type { Client, ObjectName } from '#kit/client';
import { isNotFound } from '#kit/status';
import { CollectedKinds } from './collected-kinds.ts';
import type { Controller, ControllerContext } from './context.ts';
import type { Informers } from './informers.ts';
import { WorkQueue } from './work-queue.ts';

const foreground = 'foregroundDeletion';
const orphan = 'orphan';

export class GarbageCollector implements Controller {
  readonly name = 'garbage-collector-controller';
  readonly workers = 10;
  /** Keys are uids: what is collected has many kinds. */
  readonly queue: WorkQueue;
  readonly #client: Client;
  readonly #informers: Informers;
  readonly #kinds: CollectedKinds;

  constructor(context: ControllerContext) {
    this.queue = new WorkQueue(context);
    this.#client = context.client;
    this.#informers = context.informers;
    const look = (object: KubernetesObject) => {
      const isOwned = (object.metadata?.ownerReferences ?? []).length > 0;
      if (isOwned || waitsForDependents(object)) this.queue.add(object.metadata?.uid ?? '');
    };
    const gone = (object: KubernetesObject) => {
      const uid = object.metadata?.uid ?? '';
      for (const { object: dependent } of this.#dependentsOf(uid)) this.queue.add(dependent.metadata?.uid ?? '');
      // An owner that is deleted in the foreground waits for this one.
      for (const owner of object.metadata?.ownerReferences ?? []) this.queue.add(owner.uid);
    };
    this.#kinds = new CollectedKinds(context.informers, { added: look, updated: look, deleted: gone });
  }

  async reconcile(uid: string): Promise<void> {
    const [found] = this.#find('uid', uid);
    if (!found) return;
    const finalizers = found.object.metadata?.finalizers ?? [];
    if (found.object.metadata?.deletionTimestamp) {
      if (finalizers.includes(orphan)) await this.#orphanDependents(found);
      else if (finalizers.includes(foreground)) await this.#deleteDependents(found);
      return;
    }
    await this.#collect(found);
  }

  /** Deletes the object when every owner is gone; when some are left, only forgets those that are gone. */
  async #collect({ resource, object }: Found): Promise<void> {
    const owners = object.metadata?.ownerReferences ?? [];
    const gone = new Set<OwnerReference>();
    for (const owner of owners) if (await this.#isGone(owner, object.metadata?.namespace)) gone.add(owner);
    if (gone.size === 0) return;
    const { uid = '', resourceVersion } = object.metadata ?? {};
    if (gone.size < owners.length) {
      const ownerReferences = owners.filter((owner) => !gone.has(owner));
      await this.#client.patch(resource, nameOf(object), 'merge', { metadata: { uid, resourceVersion, ownerReferences } });
      return;
    }
    await this.#delete({ resource, object }, 'Background');
  }

  /** Foreground: the dependents first; the owner may go when none that blocks it is left. */
  async #deleteDependents(owner: Found): Promise<void> {
    const uid = owner.object.metadata?.uid ?? '';
    const blocking = this.#dependentsOf(uid).filter(({ object }) =>
      object.metadata?.ownerReferences?.some((reference) => reference.uid === uid && reference.blockOwnerDeletion),
    );
    if (blocking.length === 0) return this.#removeFinalizer(owner, foreground);
    const staying = blocking.filter(({ object }) => !object.metadata?.deletionTimestamp);
    await Promise.all(staying.map((dependent) => this.#delete(dependent, 'Foreground')));
  }

  /** Orphan: the dependents forget the owner, then it goes. */
  async #orphanDependents(owner: Found): Promise<void> {
    const uid = owner.object.metadata?.uid ?? '';
    await Promise.all(
      this.#dependentsOf(uid).map(({ resource, object }) => {
        const { resourceVersion, ownerReferences = [] } = object.metadata ?? {};
        const others = ownerReferences.filter((reference) => reference.uid !== uid);
        return this.#client.patch(resource, nameOf(object), 'merge', { metadata: { resourceVersion, ownerReferences: orNull(others) } });
      }),
    );
    await this.#removeFinalizer(owner, orphan);
  }

  async #isGone(owner: OwnerReference, namespace: string | undefined): Promise<boolean> {
    const { name, uid } = owner;
    if (this.#find('uid', uid).length > 0) return false;
    const resource = this.#kinds.of(owner);
    // A kind that is not collected here cannot be judged: its objects are left alone.
    if (!resource) return false;
    try {
      const found = await this.#client.get(resource, { name, namespace });
      return found.metadata?.uid !== uid;
    } catch (error) {
      if (isNotFound(error)) return true;
      throw error;
    }
  }

  async #removeFinalizer({ resource, object }: Found, finalizer: string): Promise<void> {
    const { resourceVersion, finalizers = [] } = object.metadata ?? {};
    const others = finalizers.filter((name) => name !== finalizer);
    await ignoringNotFound(
      this.#client.patch(resource, nameOf(object), 'merge', { metadata: { resourceVersion, finalizers: orNull(others) } }),
    );
  }

  async #delete({ resource, object }: Found, propagationPolicy: 'Background' | 'Foreground'): Promise<void> {
    const preconditions = { uid: object.metadata?.uid ?? '' };
    await ignoringNotFound(this.#client.delete(resource, nameOf(object), { propagationPolicy, preconditions }));
  }

  #dependentsOf(uid: string): Found[] {
    return this.#find('owner', uid);
  }

  #find(index: 'uid' | 'owner', uid: string): Found[] {
    return this.#kinds.all().flatMap((resource) =>
      this.#informers
        .for(resource)
        .byIndex(index, uid)
        .map((object) => ({ resource, object })),
    );
  }
}

interface Found {
  resource: Resource<KubernetesObject>;
  object: KubernetesObject;
}

function waitsForDependents({ metadata }: KubernetesObject): boolean {
  const finalizers = metadata?.finalizers ?? [];
  return metadata?.deletionTimestamp !== undefined && (finalizers.includes(foreground) || finalizers.includes(orphan));
}

function nameOf({ metadata }: KubernetesObject): ObjectName {
  return { name: metadata?.name ?? '', namespace: metadata?.namespace };
}

/** In a merge patch null takes a field away; an empty list would stay. */
function orNull<T>(list: T[]): T[] | null {
  return list.length > 0 ? list : null;
}

async function ignoringNotFound(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
