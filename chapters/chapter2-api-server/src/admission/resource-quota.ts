// ResourceQuotas at work: how much the objects of a namespace may have together. What is used stands in the quota's status, and whoever
// makes an object charges it there, in one write that compares first: of two who would take the last place, one gets it.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/admission/plugin/resourcequota/controller.go

import type { ResourceQuota } from 'kubernetes-types/core/v1';
import { NotImplemented } from '#kit/not-implemented';
import { concerns, missingFor, usageOf } from '#kit/quota-usage';
import { amountOf, inWords, minus, only, plus, type ResourceList } from '#kit/resource-list';
import { LiveObjects, type LiveSource } from '../access/live-objects.ts';
import { forbidden } from '../errors.ts';
import { keyOf } from '../keys.ts';
import type { ApiObject, Target } from '../object.ts';
import { findResource, type ResourceDefinition } from '../resources.ts';
import type { Storage } from '../storage.ts';
import { Turns } from '../turns.ts';
import type { AdmissionPlugin, Write } from './admission.ts';

const resourceQuotas = findResource('', 'v1', 'resourcequotas') as ResourceDefinition;
/** These may come to use more by an update. */
const growing = ['services', 'persistentvolumeclaims'];

type Quota = ResourceQuota & ApiObject;

export function resourceQuota(source: LiveSource): AdmissionPlugin {
  const { storage } = source;
  const quotas = new LiveObjects<Quota>(resourceQuotas, source);
  const turns = new Turns<string | undefined>();

  /** Read from etcd: what is used must be known exactly, and where there is no quota, nobody pays for it. */
  const quotasIn = async (namespace: string | undefined): Promise<Quota[]> => {
    const names = [...quotas.values()]
      .filter(({ metadata }) => metadata.namespace === namespace)
      .map(({ metadata }) => metadata.name ?? '');
    const found = await Promise.all(names.map((name) => storage.get(keyOf({ resource: resourceQuotas, namespace, name }))));
    return found.flatMap((quota) => (quota as Quota | undefined) ?? []);
  };

  const chargeAll = async (write: Write) => {
    const requests = (await quotasIn(write.target.namespace)).flatMap((quota) => requestOn(quota, write) ?? []);
    const refuse = (why: string) => forbidden(write.target.resource, write.target.name, why);
    // All are asked before any is charged.
    for (const { quota, requested } of requests) {
      const problem = quotaProblem(quota, requested);
      if (problem) throw refuse(problem);
    }
    if (write.dryRun) return;
    for (const { quota, requested } of requests) {
      const problem = await charge(storage, quota, requested);
      if (problem) throw refuse(problem);
    }
  };

  return {
    name: 'ResourceQuota',
    async validate(write) {
      const { target, object, old, subresource } = write;
      const isCounted = object && subresource === '' && target.namespace && (!old || growing.includes(target.resource.plural));
      if (!isCounted) return;
      await quotas.ready();
      const isLimited = [...quotas.values()].some(({ metadata }) => metadata.namespace === target.namespace);
      if (isLimited) await turns.take(target.namespace, () => chargeAll(write));
    },
  };
}

/** What of the quota the write would use; undefined when it is none of this quota's business. */
function requestOn(quota: Quota, { target, object, old }: Write): { quota: Quota; requested: ResourceList } | undefined {
  const { resource, name } = target;
  const { hard = {}, used = {} } = quota.status ?? {};
  if (!object || !concerns(quota.spec ?? {}, resource, object)) return undefined;
  const missing = missingFor(Object.keys(hard), resource, object);
  if (missing) throw forbidden(resource, name, `failed quota: ${quota.metadata.name}: must specify ${missing}`);
  const usage = old ? minus(usageOf(resource, object), usageOf(resource, old)) : usageOf(resource, object);
  const requested = only(usage, Object.keys(hard));
  const isNothing = Object.keys(requested).every((resourceName) => amountOf(requested, resourceName) === 0n);
  if (isNothing) return undefined;
  const unknown = Object.keys(requested).filter((resourceName) => used[resourceName] === undefined);
  if (unknown.length === 0) return { quota, requested };
  throw forbidden(resource, name, `status unknown for quota: ${quota.metadata.name}, resources: ${unknown.sort().join(',')}`);
}

/**
 * Why a request does not fit, undefined when it does. What counts is the quota's status: how much there is (`hard`), and how much of it is
 * used already. All resources that would be exceeded are named, and no others:
 *
 *     exceeded quota: small, requested: pods=1,requests.cpu=600m, used: pods=2,requests.cpu=500m, limited: pods=2,requests.cpu=1
 *
 * Exactly as much as there is may be used.
 */
export function quotaProblem(
  { metadata, status }: Pick<ResourceQuota, 'metadata' | 'status'>,
  requested: ResourceList,
): string | undefined {
  throw new NotImplemented('2.7', 'Add the request to what is used, compare with what there is, and name what is exceeded');
}

/**
 * Writes into the quota's status that the request is used, too, and answers undefined; or answers why it does not fit (`quotaProblem`). Others
 * may write the quota in the meantime: then begin again from what they wrote, for perhaps the request does not fit any more. A quota that is
 * gone limits nothing.
 */
export async function charge(storage: Pick<Storage, 'update'>, quota: ApiObject, requested: ResourceList): Promise<string | undefined> {
  throw new NotImplemented('2.7', 'Ask whether it fits, write what is used then, and begin again where somebody else was faster');
}

/** Where a quota lives: `keyOf(quotaTarget(quota))` is its key in etcd. */
export function quotaTarget({ metadata }: ApiObject): Target {
  return { resource: resourceQuotas, namespace: metadata.namespace, name: metadata.name ?? '' };
}
