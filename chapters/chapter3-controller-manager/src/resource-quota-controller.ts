// Counts what the objects of a namespace use, and writes it into the quotas' status. The API server itself charges what is made, and lets
// nobody have more; but it gives nothing back. So all is counted again when something uses less, or is gone. Not when something is made: it
// is charged by then, and perhaps not in the cache yet.
// Kubernetes: pkg/controller/resourcequota/resource_quota_controller.go

import { isDeepStrictEqual } from 'node:util';
import {
  ConfigMaps,
  Deployments,
  groupOf,
  type KubernetesObject,
  keyOf,
  PersistentVolumeClaims,
  Pods,
  ReplicaSets,
  ReplicationControllers,
  type Resource,
  type ResourceQuota,
  ResourceQuotas,
  Secrets,
  Services,
} from '#kit/api';
import type { Client } from '#kit/client';
import { concerns, usageOf } from '#kit/quota-usage';
import { only, plus, type ResourceList } from '#kit/resource-list';
import type { Controller, ControllerContext } from './context.ts';
import type { Informer } from './informer.ts';
import { WorkQueue } from './work-queue.ts';

/** Upstream finds all kinds by discovery; these are the ones that people limit. Of any other, what the API server has charged stays. */
const countedResources: Resource<KubernetesObject>[] = [
  ConfigMaps,
  Deployments,
  PersistentVolumeClaims,
  Pods,
  ReplicaSets,
  ReplicationControllers,
  ResourceQuotas,
  Secrets,
  Services,
];

/** What was charged and then not made after all is given back by then. Kubernetes: --resource-quota-sync-period */
const countAgainMs = 5 * 60 * 1000;

export class ResourceQuotaController implements Controller {
  readonly name = 'resourcequota-controller';
  readonly workers = 2;
  readonly queue: WorkQueue;
  readonly #client: Client;
  readonly #quotas: Informer<ResourceQuota>;
  readonly #counted: { group: string; plural: string; informer: Informer<KubernetesObject> }[];

  constructor(context: ControllerContext) {
    this.queue = new WorkQueue(context);
    this.#client = context.client;
    this.#quotas = context.informers.for(ResourceQuotas);
    const look = (quota: ResourceQuota) => this.queue.add(keyOf(quota));
    this.#quotas.onChange({
      added: look,
      updated: (quota) => {
        if (!isDeepStrictEqual(quota.spec?.hard ?? {}, quota.status?.hard)) look(quota);
      },
    });
    this.#counted = countedResources.map((resource) => {
      const informer = context.informers.for(resource);
      const counted = { group: groupOf(resource.apiVersion), plural: resource.plural };
      const lookIn = ({ metadata }: KubernetesObject) => this.#quotas.list(metadata?.namespace).forEach(look);
      informer.onChange({
        updated: (object, old) => {
          if (!isDeepStrictEqual(usageOf(counted, object), usageOf(counted, old))) lookIn(object);
        },
        deleted: lookIn,
      });
      return { ...counted, informer };
    });
  }

  /** A quota that somebody has charged meanwhile is a Conflict, and counted again. */
  async reconcile(key: string): Promise<void> {
    const quota = this.#quotas.get(key);
    if (!quota) return;
    const hard = quota.spec?.hard ?? {};
    const status = { hard, used: this.#usedOf(quota, Object.keys(hard)) };
    if (!isDeepStrictEqual(status, quota.status)) await this.#client.updateStatus(ResourceQuotas, { ...quota, status });
    this.queue.addAfter(key, countAgainMs);
  }

  #usedOf({ metadata, spec = {}, status }: ResourceQuota, names: string[]): ResourceList {
    const used: ResourceList = Object.fromEntries(names.map((name) => [name, isCountedHere(name) ? '0' : (status?.used?.[name] ?? '0')]));
    return this.#counted
      .flatMap(({ informer, ...resource }) =>
        informer
          .list(metadata?.namespace)
          .filter((object) => concerns(spec, resource, object))
          .map((object) => only(usageOf(resource, object), names)),
      )
      .reduce(plus, used);
  }
}

/** `count/jobs.batch` is not; what is no count at all comes from pods, services and claims. */
function isCountedHere(name: string): boolean {
  if (!name.startsWith('count/')) return true;
  return countedResources.some((resource) => name in usageOf({ group: groupOf(resource.apiVersion), plural: resource.plural }, {}));
}
