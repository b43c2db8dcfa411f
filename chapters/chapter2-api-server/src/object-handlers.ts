// The verbs on one object: get, replace, patch, delete.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/handlers

import type { DeleteOptions } from 'kubernetes-types/meta/v1';
import type { Clock } from '#kit/clock';
import type { ApiError } from '#kit/status';
import type { ApiResources } from './api-resources.ts';
import { apply, applyMediaType } from './apply-handler.ts';
import { asObject, asRecord, mediaTypeOf, parseBody, readBody, readJson } from './body.ts';
import { toServed, toStored } from './conversion.ts';
import { deleteOptionsProblems } from './deletion.ts';
import { invalid, methodNotAllowed, unsupportedMediaType } from './errors.ts';
import { checkFields, checkTypes } from './field-validation.ts';
import { forbiddenField, invalidValue } from './kinds/field-errors.ts';
import { negotiate } from './negotiation.ts';
import type { ApiObject, Collection, Target } from './object.ts';
import { acceptedBy, applyPatch } from './patch.ts';
import { objectRenderer } from './representation.ts';
import { numberParameter } from './request.ts';
import type { Answer, ApiRequest } from './server.ts';
import { authorOf, type Door, fieldValidationOf, isDryRun, patchOptions, writeOptions } from './write-options.ts';

export async function handleObject(target: Target, request: ApiRequest, api: ApiResources, door?: Door): Promise<Answer> {
  switch (request.method) {
    case 'GET':
      return answerObject(await api.registry.get(target), target, request, api.clock);
    case 'PUT':
      return answerObject(await put(target, request, api, door), target, request, api.clock);
    case 'PATCH':
      return patch(target, request, api, door);
    default:
      throw methodNotAllowed();
  }
}

/** The body takes the object's place. */
async function put(target: Target, request: ApiRequest, { registry }: ApiResources, door?: Door): Promise<ApiObject> {
  const body = asObject(await readJson(request.message, target.resource.kind), target);
  const wanted = toStored(checkFields(body, target.resource, fieldValidationOf(request)), target.resource);
  return registry.update(target, () => structuredClone(wanted), door?.combine, writeOptions(request, target, door?.subresource));
}

/** The body says what changes. It is applied to the object as it is in the moment when the write gets through. */
async function patch(target: Target, request: ApiRequest, api: ApiResources, door?: Door): Promise<Answer> {
  const { mediaType, body } = await readPatch(request);
  // Said before anybody looks whether the object is there.
  const accepted = acceptedBy(target.resource);
  if (!accepted.includes(mediaType)) throw unsupportedMediaType(accepted);
  if (mediaType === applyMediaType) {
    const { object, isNew } = await apply(target, body, request, api, door);
    return { ...(isNew ? { code: 201 } : {}), ...answerObject(object, target, request, api.clock) };
  }
  if (request.query.has('force')) {
    throw invalid(patchOptions, '', [forbiddenField('force', 'may not be specified for non-apply patch')]);
  }
  const validation = { ...fieldValidationOf(request), refuse: notThisPatch };
  const change = (current: ApiObject) => {
    const patched = applyPatch(mediaType, toServed(current, target.resource), body, target.resource);
    return toStored(checkFields(asObject(patched, target), target.resource, validation), target.resource);
  };
  const options = writeOptions(request, target, door?.subresource);
  return answerObject(await api.registry.update(target, change, door?.combine, options), target, request, api.clock);
}

/** Of a patch, what it makes of the object counts as the value that is wrong. */
function notThisPatch(why: string, patched: object): ApiError {
  return invalid({ group: '', kind: '' }, '', [invalidValue('patch', JSON.stringify(patched), why)]);
}

export async function readPatch({ message }: ApiRequest): Promise<{ mediaType: string; body: unknown }> {
  const mediaType = mediaTypeOf(message);
  const body = await readBody(message);
  return { mediaType, body: parseBody(body, mediaType.endsWith('+yaml') ? 'application/yaml' : 'application/json', 'patch') };
}

export async function deleteObject(target: Target, request: ApiRequest, { registry, clock }: ApiResources): Promise<Answer> {
  const options = await readDeleteOptions(request);
  const { gone, object } = await registry.delete(target, options, {
    dryRun: isDryRun(request, options),
    author: authorOf(request),
  });
  const { group, plural } = target.resource;
  if (!gone || answeredWhenDeleted.includes(plural)) {
    const answer = answerObject(object, target, request, clock);
    // Only who asked for it in the old words hears that it takes time. Others have come to rely on 200.
    return !gone && options.orphanDependents === false ? { ...answer, code: 202 } : answer;
  }
  const details = { name: target.name, ...(group ? { group } : {}), kind: plural, uid: object.metadata.uid };
  return { body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details } };
}

/** Kubernetes: the resources whose store has ReturnDeletedObject */
const answeredWhenDeleted = ['pods', 'services', 'serviceaccounts', 'persistentvolumes', 'persistentvolumeclaims', 'podtemplates'];

export function answerObject(object: ApiObject, { resource }: Collection, request: ApiRequest, clock: Clock): Answer {
  const representation = negotiate(request.message.headers.accept);
  return { body: objectRenderer(resource, representation, request.query, clock)(object), contentType: representation.contentType };
}

/** From the body, and from the query for clients that send none. */
export async function readDeleteOptions({ message, query }: ApiRequest): Promise<DeleteOptions> {
  const body = asRecord((await readJson(message, 'DeleteOptions')) ?? {}, 'DeleteOptions');
  const gracePeriodSeconds = numberParameter(query, 'gracePeriodSeconds');
  const propagationPolicy = query.get('propagationPolicy');
  const options: DeleteOptions = {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy ? { propagationPolicy } : {}),
    ...checkTypes(body, 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions', 'DeleteOptions'),
  };
  const causes = deleteOptionsProblems(options);
  if (causes.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', causes);
  return options;
}
