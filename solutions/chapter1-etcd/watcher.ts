// One watch: which events its client wants, and how far it has been told. A watcher is a cursor over the store's changes and
// holds no events of its own: history is the buffer. So a watch from the past and one from now are the same thing, a slow
// client costs nothing, and no event can be missed or told twice.
// etcd: server/storage/mvcc/watchable_store.go (which keeps synced and unsynced watchers apart, for speed)

import { contains, type KeyRange } from './keys.ts';
import type { Event, Int64, WatchCreateRequest } from './messages.ts';
import type { Change, Store } from './store.ts';

/**
 * With so many events a response is large enough; it gets no further revision. (A revision is never torn apart, so it may have more.)
 * Many gRPC clients take no message above 4 MiB, and objects of Kubernetes have some kilobytes.
 */
const enoughEvents = 100;

export type Told = { compacted: true } | { compacted: false; events: Event[] };

export class Watcher {
  readonly id: Int64;
  readonly range: KeyRange;
  readonly progressNotify: boolean;
  /** The client can put a response together that comes in several messages. */
  readonly takesFragments: boolean;
  readonly #prevKv: boolean;
  readonly #filters: Set<string>;
  /** Every event below it was told; none at or above it was. */
  #next: number;

  constructor(id: Int64, range: KeyRange, request: WatchCreateRequest, start: number) {
    this.id = id;
    this.range = range;
    this.progressNotify = request.progressNotify;
    this.takesFragments = request.fragment;
    this.#prevKv = request.prevKv;
    this.#filters = new Set(request.filters);
    this.#next = start;
  }

  /** Nothing below the revision is of interest to it. */
  passTo(revision: number): void {
    this.#next = Math.max(this.#next, revision);
  }

  /** Whether all that has happened was told. */
  hasCaughtUp(store: Store): boolean {
    return this.#next > store.revision;
  }

  /**
   * An event is wanted if its key is in the range and no filter excludes it: NOPUT excludes puts, NODELETE deletes. The
   * previous value goes with it only if the watch asked for `prevKv`. The change's own events must not be altered.
   * @exercise 1.5 Pick the events of a change that this watch wants.
   */
  pick(change: Change): Event[] {
    return change.events
      .filter(({ type, kv }) => !this.#filters.has(`NO${type}`) && contains(this.range, kv.keyText))
      .map((event) => (this.#prevKv ? event : { type: event.type, kv: event.kv }));
  }

  /**
   * Goes on from `#next`, revision by revision, to the present one, and moves `#next` past all it has looked at. Stops early,
   * between two revisions, once there are `enoughEvents` events. If the next revision was compacted away, no honest answer is left.
   * @exercise 1.5 Return the events that were not told yet, oldest first, or that they are compacted.
   */
  advance(store: Store): Told {
    if (this.#next < store.compactedRevision) return { compacted: true };
    const events: Event[] = [];
    while (this.#next <= store.revision && events.length < enoughEvents) {
      const change = store.changeAt(this.#next);
      if (change) events.push(...this.pick(change));
      this.#next += 1;
    }
    return { compacted: false, events };
  }
}
