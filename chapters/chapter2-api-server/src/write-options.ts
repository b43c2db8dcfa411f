// What the query and the headers of a request say about a write: who writes, through which door, and whether it is only a rehearsal.

import type { DeleteOptions } from 'kubernetes-types/meta/v1';
import { badRequest } from './errors.ts';
import type { FieldManager } from './field-managers.ts';
import type { Collection } from './object.ts';
import type { Combine, WriteOptions } from './registry.ts';
import { apiVersionOf } from './resources.ts';
import type { ApiRequest } from './server.ts';

export const patchOptions = { group: 'meta.k8s.io', kind: 'PatchOptions' };
/** Kubernetes: FieldManagerMaxLength */
const longestManagerName = 128;

/** A way into an object that is not the object's own: what may be changed there, and what that way is called. */
export interface Door {
  subresource: string;
  combine: Combine;
}

/** Who writes, by their own word or by the program that they use; a subresource is another hand of the same writer. */
export function writeOptions(request: ApiRequest, { resource }: Collection, subresource?: string): WriteOptions {
  const manager: FieldManager = { name: managerName(request), operation: 'Update', apiVersion: apiVersionOf(resource) };
  return {
    dryRun: isDryRun(request),
    manager: subresource ? { ...manager, subresource } : manager,
    author: { user: request.user, subresource },
  };
}

/** Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/create.go, managerOrUserAgent */
function managerName({ message, query }: ApiRequest): string {
  const program = message.headers['user-agent']?.split('/')[0] ?? '';
  return query.get('fieldManager') || program.slice(0, longestManagerName) || 'unknown';
}

/** `?dryRun=All`, or the same in a DeleteOptions body. */
export function isDryRun({ query }: ApiRequest, options: DeleteOptions = {}): boolean {
  const values = [...query.getAll('dryRun'), ...(options.dryRun ?? [])];
  const unknown = values.find((value) => value !== 'All');
  if (unknown !== undefined) throw badRequest(`dryRun: Unsupported value: "${unknown}": supported values: "All"`);
  return values.length > 0;
}
