// Disruption budgets: so many pods of a set may be away at a time because somebody wants it so. The disruption controller counts, and writes
// into the status how many more may go. An eviction spends one of those before it deletes the pod: in one write with a resourceVersion, so
// that two evictions never spend the same one.
// Kubernetes: pkg/registry/core/pod/storage/eviction.go

import type { PodDisruptionBudget } from 'kubernetes-types/policy/v1';
import type { KubernetesObject, Pod } from '#kit/api';
import type { Clock } from '#kit/clock';
import { ApiError, failure } from '#kit/status';
import { prefixOf } from './keys.ts';
import { selects } from './label-selector.ts';
import type { ApiObject, Target } from './object.ts';
import { statusUpdated } from './object-meta.ts';
import type { Registry } from './registry.ts';
import { findResource, type ResourceDefinition } from './resources.ts';

const budgets = findResource('policy', 'v1', 'poddisruptionbudgets') as ResourceDefinition;
/** A pod that was let go and is still there is counted as gone for so long; more of them than this are a sign of trouble. */
const mostDisrupted = 2000;
const tryAgainSeconds = 10;

/** Spends from the pod's budget, if it has one. @throws ApiError 429 when nothing is left; then the client may try again later */
export async function spendDisruption(
  { name, namespace }: Target,
  pod: Pod,
  { registry, clock, dryRun }: { registry: Registry; clock: Clock; dryRun: boolean },
): Promise<void> {
  if (needsNoBudget(pod)) return;
  const { entries } = await registry.storage.list({ prefix: prefixOf({ resource: budgets, namespace }) });
  const [budget, another] = entries
    .map(({ object }) => object as KubernetesObject as PodDisruptionBudget)
    .filter((one) => covers(one, pod));
  if (another) throw new ApiError(failure(500, 'InternalError', moreThanOne));
  if (!budget || mayGoUnready(pod, budget)) return;
  const target = { resource: budgets, namespace, name: budget.metadata?.name ?? '' };
  const spend = (current: ApiObject) =>
    spent(current as KubernetesObject as PodDisruptionBudget, name, clock) as KubernetesObject as ApiObject;
  await registry.update(target, spend, statusUpdated, { dryRun });
}

const moreThanOne = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';

/** What has ended, has not begun, or is going already, is no loss. */
function needsNoBudget({ metadata, status }: Pod): boolean {
  return metadata?.deletionTimestamp !== undefined || ['Succeeded', 'Failed', 'Pending'].includes(status?.phase ?? '');
}

function covers({ spec }: PodDisruptionBudget, { metadata }: Pod): boolean {
  return spec?.selector !== undefined && selects(spec.selector, metadata?.labels ?? {});
}

/** A pod that is not ready serves nobody: it may go while enough others are. */
function mayGoUnready({ status }: Pod, budget: PodDisruptionBudget): boolean {
  if (status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) return false;
  const { currentHealthy = 0, desiredHealthy = 0 } = budget.status ?? {};
  return budget.spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow' || (desiredHealthy > 0 && currentHealthy >= desiredHealthy);
}

function spent(budget: PodDisruptionBudget, podName: string, clock: Clock): PodDisruptionBudget {
  const { metadata: { name = '', generation = 0 } = {}, status } = budget;
  const { observedGeneration = 0, disruptionsAllowed = 0, desiredHealthy = 0, currentHealthy = 0, disruptedPods = {} } = status ?? {};
  if (!status || observedGeneration < generation)
    throw refused(`The disruption budget ${name} is still being processed by the server.`, tryAgainSeconds);
  if (Object.keys(disruptedPods).length > mostDisrupted)
    throw new ApiError(failure(403, 'Forbidden', 'DisruptedPods map too big - too many evictions not confirmed by PDB controller'));
  if (disruptionsAllowed <= 0)
    throw refused(`The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`);
  const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    ...budget,
    status: { ...status, disruptionsAllowed: disruptionsAllowed - 1, disruptedPods: { ...disruptedPods, [podName]: now } },
  };
}

function refused(message: string, retryAfterSeconds?: number): ApiError {
  const details = { causes: [{ reason: 'DisruptionBudget', message }], ...(retryAfterSeconds ? { retryAfterSeconds } : {}) };
  return new ApiError(failure(429, 'TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", details));
}
