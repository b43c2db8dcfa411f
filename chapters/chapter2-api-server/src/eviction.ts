// POST pods/<name>/eviction: a delete that asks first whether the pod may go (`kubectl drain`). A disruption budget may say no
// (disruption-budgets.ts). A pod that may go is told why, in a condition: who made it can tell an eviction from a failure.
// Kubernetes: pkg/registry/core/pod/storage/eviction.go

import type { DeleteOptions } from 'kubernetes-types/meta/v1';
import type { Pod } from '#kit/api';
import { type Clock, timestamp } from '#kit/clock';
import type { ApiResources } from './api-resources.ts';
import { asRecord, readJson } from './body.ts';
import { spendDisruption } from './disruption-budgets.ts';
import { badRequest } from './errors.ts';
import type { ApiObject, Target } from './object.ts';
import { statusUpdated } from './object-meta.ts';
import { checkPreconditions } from './registry.ts';
import type { Answer, ApiRequest } from './server.ts';
import { authorOf, isDryRun } from './write-options.ts';

interface Eviction {
  metadata?: { name?: string };
  deleteOptions?: DeleteOptions | null;
}

export async function evict(target: Target, request: ApiRequest, { registry, admit, clock }: ApiResources): Promise<Answer> {
  const eviction = asRecord(await readJson(request.message, 'Eviction'), 'Eviction') as Eviction;
  if (eviction.metadata?.name !== target.name) throw badRequest('name in URL does not match name in Eviction object');
  const deleteOptions = eviction.deleteOptions ?? {};
  const dryRun = isDryRun(request, deleteOptions);
  const pod = await registry.get(target);
  await admit({ ...authorOf(request, 'eviction'), target, old: pod, dryRun }, () => {});
  await spendDisruption(target, pod as Pod, { registry, clock, dryRun });
  const mark = (current: ApiObject) => {
    checkPreconditions(target, current, deleteOptions);
    return marked(current, clock);
  };
  const { metadata } = await registry.update(target, mark, statusUpdated, { dryRun });
  await registry.delete(target, followed(deleteOptions, metadata.resourceVersion), { dryRun });
  return { code: 201, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } };
}

const type = 'DisruptionTarget';

/** The pod with the condition that says why it goes. */
function marked(object: ApiObject, clock: Clock): ApiObject {
  const { status = {} } = object as Pod;
  const conditions = status.conditions ?? [];
  const before = conditions.find((condition) => condition.type === type);
  const condition = {
    type,
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    lastProbeTime: null,
    lastTransitionTime: (before?.status === 'True' && before.lastTransitionTime) || timestamp(clock),
  };
  return { ...object, status: { ...status, conditions: [...conditions.filter((one) => one !== before), condition] } };
}

/** Who meant one version of the pod means the one that was just made of it. */
function followed({ preconditions, ...options }: DeleteOptions, resourceVersion: string | undefined): DeleteOptions {
  if (!preconditions) return options;
  return {
    ...options,
    preconditions: { ...preconditions, ...(preconditions.resourceVersion && resourceVersion ? { resourceVersion } : {}) },
  };
}
