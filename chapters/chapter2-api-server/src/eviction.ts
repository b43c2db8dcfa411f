// POST pods/<name>/eviction: a delete that asks first whether the pod may go (`kubectl drain`). A disruption budget may say no
// (disruption-budgets.ts).
// Kubernetes: pkg/registry/core/pod/storage/eviction.go

import type { DeleteOptions } from 'kubernetes-types/meta/v1';
import type { Pod } from '#kit/api';
import type { ApiResources } from './api-resources.ts';
import { asRecord, readJson } from './body.ts';
import { spendDisruption } from './disruption-budgets.ts';
import type { Target } from './object.ts';
import type { Answer, ApiRequest } from './server.ts';
import { authorOf, isDryRun } from './write-options.ts';

export async function evict(target: Target, request: ApiRequest, { registry, clock }: ApiResources): Promise<Answer> {
  const eviction = asRecord(await readJson(request.message, 'Eviction'), 'Eviction') as { deleteOptions?: DeleteOptions | null };
  const deleteOptions = eviction.deleteOptions ?? {};
  const dryRun = isDryRun(request, deleteOptions);
  await spendDisruption(target, (await registry.get(target)) as Pod, { registry, clock, dryRun });
  await registry.delete(target, deleteOptions, { dryRun, author: authorOf(request, 'eviction') });
  return { code: 201, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } };
}
