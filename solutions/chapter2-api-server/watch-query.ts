// What a watch asks for: where it begins, what it shows, and how long it lasts.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/apis/meta/internalversion/validation/validation.go

import { invalid } from './errors.ts';
import { momentOf, type Selector, selectorOf } from './list.ts';
import { flagParameter, numberParameter } from './request.ts';
import type { ResourceDefinition } from './resources.ts';

export interface WatchQuery {
  /** undefined: every object of the collection */
  selector: Selector | undefined;
  /** Changes after this revision; undefined: the present state first, as ADDED events. */
  after: number | undefined;
  /** The present state must not be older. */
  atLeast: number;
  bookmarks: boolean;
  /** Tell by a bookmark when the present state is complete. */
  markInitialEnd: boolean;
  seconds: number | undefined;
}

/**
 * What a watch asks for. Without a resourceVersion, or with `0`, or with `sendInitialEvents=true`, the present state comes
 * first; otherwise the changes after resourceVersion. `sendInitialEvents=false` never has the state first, so it is of use
 * only with a resourceVersion. With sendInitialEvents=true and allowWatchBookmarks=true a bookmark tells where
 * the present state ends. sendInitialEvents needs resourceVersionMatch=NotOlderThan, and that needs sendInitialEvents (else Invalid).
 *
 * @exercise 2.4 Decide where a watch begins, and whether bookmarks are asked for
 */
export function readWatchQuery(query: URLSearchParams, resource: ResourceDefinition): WatchQuery {
  const sendInitialEvents = query.get('sendInitialEvents');
  const match = query.get('resourceVersionMatch');
  if (sendInitialEvents !== null && match !== 'NotOlderThan') {
    throw wrongOption(resource, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  }
  if (sendInitialEvents === null && match) {
    throw wrongOption(resource, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
  }
  const { atLeast = 0 } = momentOf({ resourceVersion: query.get('resourceVersion') || undefined }, resource);
  const wantsState = sendInitialEvents === null ? atLeast === 0 : sendInitialEvents === 'true';
  const bookmarks = flagParameter(query, 'allowWatchBookmarks');
  return {
    selector: selectorOf(query, resource),
    after: wantsState ? undefined : atLeast,
    atLeast,
    bookmarks,
    markInitialEnd: sendInitialEvents === 'true' && bookmarks,
    seconds: numberParameter(query, 'timeoutSeconds'),
  };
}

function wrongOption({ group, kind }: ResourceDefinition, problem: string) {
  const cause = { field: 'resourceVersionMatch', reason: 'FieldValueForbidden', message: `Forbidden: ${problem}` };
  return invalid({ group, kind: `${kind}ListOptions` }, '', [cause]);
}
