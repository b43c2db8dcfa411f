// Every way this server says no, in Kubernetes' own words: kubectl shows the message, programs look at reason and code.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/api/errors/errors.go

import type { StatusCause } from 'kubernetes-types/meta/v1';
import { NotImplemented } from '#kit/not-implemented';
import { ApiError, failure, type Status } from '#kit/status';
import type { ResourceDefinition } from './resources.ts';

type GroupAndPlural = Pick<ResourceDefinition, 'group' | 'plural'>;
type GroupAndKind = Pick<ResourceDefinition, 'group' | 'kind'>;

/** `pods`, `deployments.apps` */
function qualified({ group, plural }: GroupAndPlural): string {
  return group ? `${plural}.${group}` : plural;
}

function detailsOf({ group, plural }: GroupAndPlural, name: string) {
  return { name, ...(group ? { group } : {}), kind: plural };
}

/**
 * 404. The message is `pods "web" not found`, or `deployments.apps "web" not found` in a group; details hold name, kind
 * (the plural) and, unless it is empty, group.
 *
 * @exercise 2.1 Make the Status that says that an object does not exist
 */
export function notFound(resource: GroupAndPlural, name: string): ApiError {
  return new ApiError(failure(404, 'NotFound', `${qualified(resource)} "${name}" not found`, detailsOf(resource, name)));
}

/** No such resource, or no such path. */
export function unknownPath(): ApiError {
  return new ApiError(failure(404, 'NotFound', 'the server could not find the requested resource', {}));
}

/**
 * 409 with the reason AlreadyExists. The message is `pods "web" already exists`; details as those of `notFound`.
 *
 * @exercise 2.1 Make the Status that says that a name is taken
 */
export function alreadyExists(resource: GroupAndPlural, name: string): ApiError {
  return new ApiError(failure(409, 'AlreadyExists', `${qualified(resource)} "${name}" already exists`, detailsOf(resource, name)));
}

export function noUniqueName(resource: GroupAndPlural, name: string): ApiError {
  const message = `${qualified(resource)} "${name}" already exists, the server was not able to generate a unique name for the object`;
  return new ApiError(failure(409, 'AlreadyExists', message, { ...detailsOf(resource, name), retryAfterSeconds: 1 }));
}

export const modifiedMeanwhile = 'the object has been modified; please apply your changes to the latest version and try again';

export function conflict(resource: GroupAndPlural, name: string, why: string): ApiError {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`;
  return new ApiError(failure(409, 'Conflict', message, detailsOf(resource, name)));
}

/** 409. One cause for each field, its message `conflict with <manager>`: the summary says each manager's fields together. */
export function applyConflict(causes: StatusCause[]): ApiError {
  const managers = [...new Set(causes.map(({ message = '' }) => message.replace('conflict with ', '')))].sort();
  const fieldsOf = (manager: string) => causes.filter(({ message }) => message === `conflict with ${manager}`).map(({ field }) => field);
  const all = managers.map(
    (manager) =>
      `conflicts with ${manager}:\n${fieldsOf(manager)
        .map((field) => `- ${field}`)
        .join('\n')}`,
  );
  const [only] = causes;
  const what = causes.length === 1 ? `1 conflict: ${only?.message}: ${only?.field}` : `${causes.length} conflicts: ${all.join('\n')}`;
  return new ApiError(failure(409, 'Conflict', `Apply failed with ${what}`, { causes }));
}

export function forbidden(resource: GroupAndPlural, name: string, why: string, causes?: StatusCause[]): ApiError {
  const message = `${qualified(resource)} "${name}" is forbidden: ${why}`;
  return new ApiError(failure(403, 'Forbidden', message, { ...detailsOf(resource, name), ...(causes ? { causes } : {}) }));
}

/** 403: the user may not do this at all. undefined: what they may not do is about a path, and no resource. */
export function accessDenied(about: { group: string; resource: string; name: string } | undefined, why: string): ApiError {
  if (!about) return new ApiError(failure(403, 'Forbidden', `forbidden: ${why}`, {}));
  const resource = { group: about.group, plural: about.resource };
  if (about.name) return forbidden(resource, about.name, why);
  const { name: _, ...details } = detailsOf(resource, '');
  return new ApiError(failure(403, 'Forbidden', `${qualified(resource)} is forbidden: ${why}`, details));
}

/**
 * 422 Invalid: the object breaks its kind's rules, one cause a field. The message is `Pod "Web_1" is invalid: ` and then the
 * causes, each `<field>: <message>`, in brackets and separated by commas if there are several; a kind in a group is written
 * `Deployment.apps`. details hold name, kind (the kind itself here) and group,
 * each unless it is empty, and causes.
 *
 * @exercise 2.1 Make the Status that says what is wrong with an object
 */
export function invalid({ group, kind }: GroupAndKind, name: string, causes: StatusCause[]): ApiError {
  const problems = causes.map(({ field, message }) => `${field}: ${message}`);
  const summary = problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`;
  const message = `${group ? `${kind}.${group}` : kind} "${name}" is invalid: ${summary}`;
  return new ApiError(
    failure(422, 'Invalid', message, { ...(name ? { name } : {}), ...(group ? { group } : {}), ...(kind ? { kind } : {}), causes }),
  );
}

export function badRequest(message: string): ApiError {
  return new ApiError(failure(400, 'BadRequest', message));
}

/** To somebody who could not prove who they are it says no more than that. */
export function unauthorized(): ApiError {
  return new ApiError(failure(401, 'Unauthorized', 'Unauthorized'));
}

export function methodNotAllowed(): ApiError {
  return new ApiError(failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {}));
}

/** 405. The kind is on its way out. */
export function notWhileTerminating({ group, plural }: GroupAndPlural): ApiError {
  const message = 'create not allowed while custom resource definition is terminating';
  return new ApiError(failure(405, 'MethodNotAllowed', message, { group, kind: plural }));
}

export function notAcceptable(accepted: string[]): ApiError {
  return new ApiError(failure(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`, {}));
}

export function bodyTooLarge(limitInBytes: number): ApiError {
  return new ApiError(failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limitInBytes}`));
}

export function tooManyOperations(limit: number, count: number): ApiError {
  const message = `Request entity too large: The allowed maximum operations in a JSON patch is ${limit}, got ${count}`;
  return new ApiError(failure(413, 'RequestEntityTooLarge', message));
}

export function unsupportedMediaType(accepted: string[]): ApiError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return new ApiError(failure(415, 'UnsupportedMediaType', message));
}

/** The history before `oldest` is forgotten: list anew. */
export function expired(revision: number, oldest: number): ApiError {
  return new ApiError(failure(410, 'Expired', `too old resource version: ${revision} (${oldest})`));
}

/** A revision that the store has not reached: the client knows another store's history, or is ahead of this one. */
export function tooLargeRevision(revision: number, current: number): ApiError {
  const message = `Timeout: Too large resource version: ${revision}, current: ${current}`;
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
  return new ApiError(failure(504, 'Timeout', message, { causes, retryAfterSeconds: 1 }));
}

export function unavailable(message: string): ApiError {
  return new ApiError(failure(503, 'ServiceUnavailable', message));
}

/** 500 without a reason: what stands behind the server, a kubelet or a pod, did not do its part. */
export function backendError(message: string): ApiError {
  return new ApiError(failure(500, '', message));
}

/** The Status to answer, whatever was thrown. What nobody expected is the server's own fault: 500. */
export function statusOf(error: unknown): Status {
  if (error instanceof ApiError) return error.status;
  if (error instanceof NotImplemented) return failure(501, 'NotImplemented', error.message);
  const message = error instanceof Error ? error.message : String(error);
  return failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
}
