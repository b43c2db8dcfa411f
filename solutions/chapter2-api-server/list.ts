// Lists: which objects, from which moment, in pages of which size.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/storage/etcd3/store.go, GetList; the rules for resourceVersion:
// staging/src/k8s.io/apimachinery/pkg/apis/meta/internalversion/validation/validation.go

import type { ListMeta } from '#kit/api';
import { ApiError, failure, isReason } from '#kit/status';
import { readContinueToken, writeContinueToken } from './continue-token.ts';
import { badRequest, invalid, tooLargeRevision } from './errors.ts';
import { matchesFields, parseFieldSelector } from './field-selector.ts';
import { prefixOf } from './keys.ts';
import { matchesLabels, parseLabelSelector } from './label-selector.ts';
import type { ApiObject, Collection } from './object.ts';
import { numberParameter } from './request.ts';
import type { ResourceDefinition } from './resources.ts';
import type { Entry, Page, Storage } from './storage.ts';

/** Whether an object is asked for. */
export type Selector = (object: ApiObject) => boolean;

export interface ListQuery {
  /** Absent: every object of the collection. */
  selector?: Selector | undefined;
  limit?: number | undefined;
  continue?: string | undefined;
  resourceVersion?: string | undefined;
  resourceVersionMatch?: string | undefined;
}

export interface ObjectList {
  items: Entry[];
  metadata: ListMeta;
}

/** Which moment a list shows: the state at one revision, or the latest, which must not be older than `atLeast`. */
export interface Moment {
  revision?: number;
  atLeast?: number;
}

export function readListQuery(query: URLSearchParams, resource: ResourceDefinition): ListQuery {
  return {
    selector: selectorOf(query, resource),
    limit: numberParameter(query, 'limit'),
    continue: query.get('continue') || undefined,
    resourceVersion: query.get('resourceVersion') || undefined,
    resourceVersionMatch: query.get('resourceVersionMatch') || undefined,
  };
}

/** From `?labelSelector` and `?fieldSelector`; undefined when neither asks for anything. */
export function selectorOf(query: URLSearchParams, resource: ResourceDefinition): Selector | undefined {
  const labelText = query.get('labelSelector');
  const fieldText = query.get('fieldSelector');
  if (!labelText && !fieldText) return undefined;
  const labels = labelText ? parseLabelSelector(labelText) : [];
  const fields = fieldText ? parseFieldSelector(fieldText, resource) : [];
  return (object) => matchesLabels(labels, object.metadata.labels) && matchesFields(fields, object);
}

/**
 * Which moment the query asks for. resourceVersion N with resourceVersionMatch
 * - `Exact`: the state at revision N;
 * - `NotOlderThan`, or absent: the latest, at least N (`0` means: any will do); but absent together with a limit: exactly N.
 * No resourceVersion: the latest. Throws BadRequest for a resourceVersion that is no number, and Invalid for a match without
 * a resourceVersion, for an unknown match, and for `Exact` with `0`.
 *
 * @exercise 2.2 Decide which moment a list shows from resourceVersion, resourceVersionMatch and limit
 */
export function momentOf({ resourceVersion, resourceVersionMatch: match, limit }: ListQuery, resource: ResourceDefinition): Moment {
  if (resourceVersion === undefined) {
    if (match !== undefined) throw wrongMatch(resource, 'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided');
    return {};
  }
  if (!/^\d+$/.test(resourceVersion)) throw badRequest(`Invalid value: "${resourceVersion}": resourceVersion must be a whole number`);
  if (match !== undefined && match !== 'Exact' && match !== 'NotOlderThan') {
    throw wrongMatch(resource, `Unsupported value: "${match}": supported values: "Exact", "NotOlderThan"`);
  }
  const revision = Number(resourceVersion);
  if (match === 'Exact' && revision === 0) {
    throw wrongMatch(resource, 'Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  }
  const isExact = match === 'Exact' || (match === undefined && !!limit && revision > 0);
  return isExact ? { revision } : { atLeast: revision };
}

function wrongMatch({ group, kind }: ResourceDefinition, message: string): ApiError {
  return invalid({ group, kind: `${kind}ListOptions` }, '', [{ field: 'resourceVersionMatch', reason: 'FieldValueForbidden', message }]);
}

/**
 * The objects that are asked for. Pages are filled with objects that match, so one page may need several reads; all of them,
 * and all pages that follow, show the moment of the first read.
 */
export async function listObjects(storage: Storage, collection: Collection, query: ListQuery = {}): Promise<ObjectList> {
  const prefix = prefixOf(collection);
  const token = query.continue === undefined ? undefined : readContinueToken(query.continue);
  if (token && Number(query.resourceVersion)) throw badRequest('specifying resource version is not allowed when using continue');
  const moment: Moment = token ? (token.revision > 0 ? { revision: token.revision } : {}) : momentOf(query, collection.resource);
  const start = { prefix, ...(token ? { from: keyBehind(prefix + token.after) } : {}) };
  try {
    return await collect(storage, start, moment, query);
  } catch (error) {
    if (isReason(error, 'Timeout') && moment.revision) throw tooLargeRevision(moment.revision, await storage.revision());
    if (!isReason(error, 'Expired')) throw error;
    throw expiredList(token?.after);
  }
}

/** Few objects may match: small reads would be many. */
const pageSizeWithSelector = 500;

/**
 * Reads pages until `limit` objects match or none is left. The answer's `continue` names the last object in it, and is there
 * only when more may follow; `remainingItemCount` only where it can be known: without a selector.
 *
 * @exercise 2.2 Collect the matching objects, page by page, all from one moment
 */
async function collect(
  storage: Storage,
  { prefix, from }: { prefix: string; from?: string },
  { revision, atLeast = 0 }: Moment,
  { selector, limit = 0 }: ListQuery,
): Promise<ObjectList> {
  const items: Entry[] = [];
  const pageSize = limit > 0 && selector ? Math.max(limit, pageSizeWithSelector) : limit;
  let page: Page | undefined;
  let next = from;
  do {
    const shown: number | undefined = page?.revision ?? revision;
    page = await storage.list({ prefix, limit: pageSize, ...(next ? { from: next } : {}), ...(shown ? { revision: shown } : {}) });
    if (page.revision < atLeast) throw tooLargeRevision(atLeast, page.revision);
    for (const [index, entry] of page.entries.entries()) {
      if (!selector || selector(entry.object)) items.push(entry);
      const behind = page.entries.length - index - 1 + page.remaining;
      if (limit > 0 && items.length === limit && behind > 0) {
        const token = writeContinueToken({ revision: page.revision, after: entry.key.slice(prefix.length) });
        const remaining = selector ? {} : { remainingItemCount: behind };
        return { items, metadata: { resourceVersion: String(page.revision), continue: token, ...remaining } };
      }
    }
    const last = page.entries.at(-1)?.key;
    next = last && keyBehind(last);
  } while (page.remaining > 0);
  return { items, metadata: { resourceVersion: String(page.revision) } };
}

/** The first key that can come after this one. */
function keyBehind(key: string): string {
  return `${key}\0`;
}

/** 410. The moment is forgotten. Who has had some of its pages may go on with the latest state, knowing that the pages differ. */
function expiredList(after?: string): ApiError {
  if (after === undefined) return new ApiError(failure(410, 'Expired', 'The resourceVersion for the provided list is too old.'));
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue ' +
    'parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided ' +
    'token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was ' +
    'returned and now may show up in the list.';
  return new ApiError({ ...failure(410, 'Expired', message), metadata: { continue: writeContinueToken({ revision: -1, after }) } });
}
