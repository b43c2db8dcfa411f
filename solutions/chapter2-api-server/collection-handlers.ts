// The verbs on a collection: list, watch, create, delete all.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/handlers

import { isConflict, isNotFound } from '#kit/status';
import type { ApiResources } from './api-resources.ts';
import { asObject, readJson } from './body.ts';
import { toStored } from './conversion.ts';
import { methodNotAllowed } from './errors.ts';
import { checkFields } from './field-validation.ts';
import { listObjects, readListQuery } from './list.ts';
import { negotiate } from './negotiation.ts';
import { type Collection, targetOf } from './object.ts';
import { answerObject, readDeleteOptions } from './object-handlers.ts';
import { listRenderer, objectRenderer, typeShown } from './representation.ts';
import { flagParameter } from './request.ts';
import type { Answer, ApiRequest } from './server.ts';
import { readWatchQuery } from './watch-query.ts';
import { WatchStream } from './watch-stream.ts';
import { authorOf, fieldValidationOf, isDryRun, writeOptions } from './write-options.ts';

export async function handleCollection(collection: Collection, request: ApiRequest, api: ApiResources): Promise<Answer | undefined> {
  const { method, query } = request;
  if (method === 'GET') return flagParameter(query, 'watch') ? watch(collection, request, api) : list(collection, request, api);
  // Objects are made and deleted in one namespace, not in all of them.
  if (collection.resource.namespaced && collection.namespace === undefined) throw methodNotAllowed();
  if (method === 'POST') return create(collection, request, api);
  if (method === 'DELETE') return deleteAll(collection, request, api);
  throw methodNotAllowed();
}

async function list(collection: Collection, request: ApiRequest, { lists, clock }: ApiResources): Promise<Answer> {
  const { resource } = collection;
  const representation = negotiate(request.message.headers.accept);
  const render = listRenderer(resource, representation, request.query, clock);
  const { items, metadata } = await lists.list(collection, readListQuery(request.query, resource));
  return { body: render(items, metadata), contentType: representation.contentType };
}

/** Writes to the response by itself, for as long as the client listens. */
async function watch(collection: Collection, request: ApiRequest, api: ApiResources): Promise<undefined> {
  const { resource } = collection;
  const representation = negotiate(request.message.headers.accept);
  const query = readWatchQuery(request.query, resource);
  const isAsStored = representation.form === 'Object' && !resource.conversion;
  const render = isAsStored ? undefined : objectRenderer(resource, representation, request.query, api.clock);
  const cache = await api.caches.of(resource);
  const type = typeShown(resource, representation);
  const isAnyMoment = request.query.get('resourceVersion') === '0';
  await WatchStream.start({ ...api, collection, query, isAnyMoment, cache, type, render, response: request.response });
}

async function create(collection: Collection, request: ApiRequest, { registry, clock }: ApiResources): Promise<Answer> {
  const body = asObject(await readJson(request.message, collection.resource.kind), collection);
  const wanted = toStored(checkFields(body, collection.resource, fieldValidationOf(request)), collection.resource);
  const object = await registry.create(collection, wanted, writeOptions(request, collection));
  return { code: 201, ...answerObject(object, collection, request, clock) };
}

/**
 * Deletes what a list with this query would show, one object after the other, each only while it is the object that was listed; one that
 * somebody else deletes meanwhile, or deletes and makes anew, is left out. Answers the list as it was, in the form that was asked for.
 *
 * @exercise 2.9 List, delete each that is still the one that was listed, and answer the list
 */
async function deleteAll(collection: Collection, request: ApiRequest, { registry, storage, clock }: ApiResources): Promise<Answer> {
  const { resource } = collection;
  const representation = negotiate(request.message.headers.accept);
  const render = listRenderer(resource, representation, request.query, clock);
  const options = await readDeleteOptions(request);
  const author = authorOf(request);
  const dryRun = isDryRun(request, options);
  const { items, metadata } = await listObjects(storage, collection, readListQuery(request.query, resource));
  for (const { object } of items) {
    const { uid = '' } = object.metadata;
    try {
      await registry.delete(targetOf(collection, object), { ...options, preconditions: { uid } }, { dryRun, author });
    } catch (error) {
      // Somebody else deleted it meanwhile, or it is another object by now, which nobody asked to delete.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    }
  }
  return { body: render(items, metadata), contentType: representation.contentType };
}
