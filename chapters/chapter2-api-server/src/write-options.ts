// What the query and the headers of a request say about a write: who writes, through which door, what becomes of fields that nobody knows, and
// whether it is only a rehearsal.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go

import type { DeleteOptions, StatusCause } from 'kubernetes-types/meta/v1';
import type { Author } from './admission/admission.ts';
import { bodyRead, mediaTypeOf } from './body.ts';
import { duplicateFields, duplicateKeys } from './duplicate-fields.ts';
import { invalid } from './errors.ts';
import type { FieldManager } from './field-managers.ts';
import type { Duplicates, FieldValidation } from './field-validation.ts';
import { unsupportedValue } from './kinds/field-errors.ts';
import type { Collection } from './object.ts';
import type { Combine, WriteOptions } from './registry.ts';
import { apiVersionOf } from './resources.ts';
import type { ApiRequest } from './server.ts';
import { warn } from './warnings.ts';

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
    author: authorOf(request, subresource),
  };
}

export function authorOf({ user, response, annotate }: ApiRequest, subresource = ''): Author {
  return { user, subresource, warn: (text) => warn(response, text), annotate };
}

/** Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/create.go, managerOrUserAgent */
function managerName({ message, query }: ApiRequest): string {
  const program = message.headers['user-agent']?.split('/')[0] ?? '';
  return query.get('fieldManager') || program.slice(0, longestManagerName) || 'unknown';
}

/** `?dryRun=All`, or the same in a DeleteOptions body. */
export function isDryRun({ method, query }: ApiRequest, options: DeleteOptions = {}): boolean {
  const values = [...query.getAll('dryRun'), ...(options.dryRun ?? [])];
  const unknown = values.find((value) => value !== 'All');
  if (unknown !== undefined) throw invalidOption(method, unsupportedValue('dryRun', unknown, ['All']));
  return values.length > 0;
}

const validationModes = ['Ignore', 'Strict', 'Warn'] as const;

/** `?fieldValidation=Strict`; to be asked when the body has been read. */
export function fieldValidationOf({ method, query, message, response }: ApiRequest): FieldValidation {
  const asked = query.get('fieldValidation') || 'Warn';
  const mode = validationModes.find((known) => known === asked);
  if (!mode) throw invalidOption(method, unsupportedValue('fieldValidation', asked, ['', ...validationModes]));
  const options = { mode, warn: (text: string) => warn(response, text) };
  return mode === 'Ignore' ? options : { ...options, duplicates: duplicatesIn(String(bodyRead(message) ?? ''), mediaTypeOf(message)) };
}

function duplicatesIn(text: string, mediaType: string): Duplicates {
  if (mediaType.endsWith('yaml')) {
    const each = duplicateKeys(text);
    return { each, all: each.length > 0 ? `yaml: unmarshal errors:\n  ${each.join('\n  ')}` : '' };
  }
  const what = mediaType === 'application/json-patch+json' ? 'json patch duplicate field' : 'duplicate field';
  const each = mediaType.endsWith('json') ? duplicateFields(text).map((path) => `${what} "${path}"`) : [];
  return { each, all: each.join(', ') };
}

const optionsKinds: Record<string, string> = {
  POST: 'CreateOptions',
  PUT: 'UpdateOptions',
  PATCH: 'PatchOptions',
  DELETE: 'DeleteOptions',
};

function invalidOption(method: string, cause: StatusCause) {
  return invalid({ group: 'meta.k8s.io', kind: optionsKinds[method] ?? '' }, '', [cause]);
}
