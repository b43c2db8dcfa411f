// POST pods/<name>/eviction: a delete that asks first whether the pod may go (`kubectl drain`). Disruption budgets, which may
// say no, come with chapter 3's stage 3.10; until then the answer is always yes.
// Kubernetes: pkg/registry/core/pod/storage/eviction.go

import type { DeleteOptions } from 'kubernetes-types/meta/v1';
import type { ApiResources } from './api-resources.ts';
import { asRecord, readJson } from './body.ts';
import type { Target } from './object.ts';
import type { Answer, ApiRequest } from './server.ts';
import { authorOf, isDryRun } from './write-options.ts';

export async function evict(target: Target, request: ApiRequest, { registry }: ApiResources): Promise<Answer> {
  const { deleteOptions = {} } = asRecord(await readJson(request.message, 'Eviction'), 'Eviction') as { deleteOptions?: DeleteOptions };
  await registry.delete(target, deleteOptions, {
    dryRun: isDryRun(request, deleteOptions),
    author: authorOf(request, 'eviction'),
  });
  return { code: 201, body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } };
}
