// PATCH: a change, instead of the whole object. Three languages say what changes; all give a new object and leave the old
// one alone. What the new object may look like is not decided here: it goes through the same checks as an update.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go

import jsonPatch, { type Operation } from 'fast-json-patch';
import { NotImplemented } from '#kit/not-implemented';
import { badRequest, tooManyOperations, unsupportedMediaType } from './errors.ts';
import { isObject, type JsonObject } from './json.ts';
import type { ResourceDefinition } from './resources.ts';
import { strategicMerge, unprocessable } from './strategic-merge.ts';

/**
 * The object after the patch. `contentType` is the request's header and names the patch's language.
 * Throws ApiError: 415 for a language that this resource does not understand, 400 for a patch that is not one of its
 * language, 422 for one that cannot be applied to this object.
 */
export function applyPatch(contentType: string, current: object, patch: unknown, resource: ResourceDefinition): object {
  const [mediaType] = contentType.split(';').map((part) => part.trim());
  if (mediaType === 'application/json-patch+json') return applyJsonPatch(current, withoutMovesInwards(notTooMany(patch)));
  if (mediaType === 'application/merge-patch+json') return mergePatch(current, objectOnly(patch)) as object;
  if (mediaType === 'application/strategic-merge-patch+json' && isBuiltIn(resource)) {
    return strategicMerge(current as JsonObject, objectOnly(patch));
  }
  throw unsupportedMediaType(acceptedBy(resource));
}

/** Kubernetes: maxJSONPatchOperations of patch.go */
const maximumOperations = 10_000;

function notTooMany(patch: unknown): unknown {
  if (Array.isArray(patch) && patch.length > maximumOperations) throw tooManyOperations(maximumOperations, patch.length);
  return patch;
}

/** Nothing can be moved into itself. The library would do it: into an object without end. */
function withoutMovesInwards(patch: unknown): unknown {
  const isInwards = ({ op, from, path }: Record<string, unknown>) => op === 'move' && `${path}`.startsWith(`${from}/`);
  const inwards = Array.isArray(patch) ? patch.find((operation) => isObject(operation) && isInwards(operation)) : undefined;
  if (inwards)
    throw unprocessable(`the operation move of the JSON patch cannot be applied at ${inwards.path}: it is inside of what is moved`);
  return patch;
}

/**
 * RFC 6902: a list of operations (`{op: 'replace', path: '/spec/replicas', value: 3}`), all of them or none; `fast-json-patch` knows
 * how each works. `test` is an operation, too: when it does not hold, nothing happens.
 * Throws 400 (`badRequest`) for a patch that is not a list, 422 (`unprocessable`) when an operation cannot be applied.
 */
export function applyJsonPatch(current: object, patch: unknown): object {
  throw new NotImplemented('2.5', 'Apply all operations to a copy of the object, or refuse them all');
}

/**
 * RFC 7386: the patch looks like the object. A field that it names takes its value; an object in it is a merge patch for the
 * object in that place; null removes the field; a list is replaced whole. `current` may be anything, or undefined.
 */
export function mergePatch(current: unknown, patch: unknown): unknown {
  throw new NotImplemented('2.5', 'Merge the patch into a copy of the object');
}

function objectOnly(patch: unknown): JsonObject {
  if (isObject(patch)) return patch;
  throw badRequest('a merge patch is an object that looks like the one it changes');
}

/** A strategic merge needs to know the lists of a kind, and those of custom kinds are not known. */
function isBuiltIn({ custom }: ResourceDefinition): boolean {
  return custom === undefined;
}

export function acceptedBy(resource: ResourceDefinition): string[] {
  const strategic = isBuiltIn(resource) ? ['application/strategic-merge-patch+json'] : [];
  return ['application/json-patch+json', 'application/merge-patch+json', ...strategic, 'application/apply-patch+yaml'];
}
