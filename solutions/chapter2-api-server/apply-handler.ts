// PATCH with an apply patch: server-side apply over HTTP.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go, applyPatcher

import { timestamp } from '#kit/clock';
import { isAlreadyExists, isNotFound } from '#kit/status';
import { actionOn } from './access/actions.ts';
import type { ApiResources } from './api-resources.ts';
import { asObject } from './body.ts';
import { toStored } from './conversion.ts';
import { badRequest, invalid } from './errors.ts';
import type { FieldManager } from './field-managers.ts';
import { checkFields, type FieldValidation } from './field-validation.ts';
import { required } from './kinds/field-errors.ts';
import { builtInShape } from './list-types.ts';
import type { ApiObject, Target } from './object.ts';
import { updated } from './object-meta.ts';
import type { Combine } from './registry.ts';
import { flagParameter } from './request.ts';
import type { ApiRequest } from './server.ts';
import { type ApplyOptions, applied, appliedToNothing } from './server-side-apply.ts';
import { type Door, fieldValidationOf, patchOptions, writeOptions } from './write-options.ts';

export const applyMediaType = 'application/apply-patch+yaml';

/** The body says what its author wants. Where there is no such object, it becomes one. */
export async function apply(target: Target, body: unknown, request: ApiRequest, api: ApiResources, door?: Door) {
  const { registry, authorizer, clock } = api;
  const { query } = request;
  const name = query.get('fieldManager');
  if (!name) throw invalid(patchOptions, '', [required('fieldManager', 'is required for apply patch')]);
  const { manager, ...who } = writeOptions(request, target, door?.subresource);
  const options: ApplyOptions = {
    manager: { ...(manager as FieldManager), operation: 'Apply' },
    force: flagParameter(query, 'force'),
    time: timestamp(clock),
    shape: target.resource.custom?.shape ?? builtInShape,
  };
  const validation = fieldValidationOf(request);
  if (validation.mode === 'Strict' && validation.duplicates?.all) {
    throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${validation.duplicates.all}`);
  }
  const config = readConfig(target, body, validation, door);
  const combine: Combine = (old, wanted, resource) => {
    const next = (door?.combine ?? updated)(old, wanted, resource);
    return { ...next, metadata: { ...next.metadata, managedFields: wanted.metadata.managedFields ?? [] } };
  };
  for (;;) {
    try {
      return { object: await registry.update(target, (live) => applied(live, config, options), door && combine, who), isNew: false };
    } catch (error) {
      if (!isNotFound(error) || door) throw error;
    }
    // The request asked to change what is there, and the gate let it in for that. To make it is another permission.
    await authorizer.demand(request.user, { ...actionOn(target), verb: 'create' });
    try {
      return { object: await registry.create(target, appliedToNothing(config, options), who), isNew: true };
    } catch (error) {
      // Somebody was faster: then there is something to apply it to.
      if (!isAlreadyExists(error)) throw error;
    }
  }
}

/** What of the body can be applied here: the status through its own door only, and there nothing else. */
function readConfig(target: Target, body: unknown, validation: FieldValidation, door?: Door): ApiObject {
  const { resource } = target;
  const config = toStored(checkFields(asObject(body, target), resource, validation), resource);
  if (config.metadata.managedFields?.length) throw badRequest('metadata.managedFields must be nil');
  const { status, ...rest } = config;
  if (door?.subresource !== 'status') return resource.subresources.includes('status') ? (rest as ApiObject) : config;
  const { name, namespace, uid, resourceVersion } = config.metadata;
  const metadata = JSON.parse(JSON.stringify({ name, namespace, uid, resourceVersion })) as ApiObject['metadata'];
  return { apiVersion: config.apiVersion, kind: config.kind, metadata, ...(status === undefined ? {} : { status }) };
}
