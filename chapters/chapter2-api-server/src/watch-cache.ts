// The watch cache: the latest changes of one resource, in order, and everybody who wants to hear of the next. One watch on
// etcd feeds it, however many clients watch; a client whose connection broke goes on from the change it saw last.
// It never skips, repeats or reorders a change: what it cannot give any more it refuses, and the client lists anew.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/storage/cacher/watch_cache.go

import { NotImplemented } from '#kit/not-implemented';
import type { ApiError } from '#kit/status';
import { expired } from './errors.ts';
import type { ApiObject } from './object.ts';

/** One change of one object. */
export interface Change {
  /** The object's new resourceVersion, as a number: changes are ordered by it. */
  revision: number;
  /** As it is now; as it was last, when it was deleted, but with the deletion's resourceVersion. */
  object: ApiObject;
  /** As it was before; undefined when it was created. */
  previous: ApiObject | undefined;
  deleted: boolean;
}

export interface Watcher {
  onChange(change: Change): void;
  /** No more changes will come, and why; without an error: there is nothing more to watch. */
  onEnd(error?: ApiError): void;
}

export class WatchCache {
  readonly #capacity: number;
  readonly #watchers = new Map<Watcher, { after: number }>();
  /** The latest changes, oldest first. */
  #window: Change[] = [];
  /** Every change after this revision is in the window. */
  #oldest: number;
  /** Every change up to this revision has been seen. */
  #newest: number;

  /** Knows nothing of what happened up to `revision`. */
  constructor(capacity: number, revision: number) {
    this.#capacity = capacity;
    this.#oldest = revision;
    this.#newest = revision;
  }

  /** Every change up to this revision has been given to every watcher. */
  get revision(): number {
    return this.#newest;
  }

  /**
   * Takes the next change: keeps it, forgets the oldest one when there are more than the capacity, and gives it to every
   * watcher that asked for changes after an earlier revision.
   */
  add(change: Change): void {
    throw new NotImplemented('2.4', 'Keep the change, forget what no longer fits, and tell the watchers');
  }

  /** Nothing happened up to this revision: etcd says so now and then. */
  advanceTo(revision: number): void {
    this.#newest = Math.max(this.#newest, revision);
  }

  /**
   * Gives the watcher every change after a revision, first those that are in the window, then each as it comes, until
   * `stop` is called. Throws `expired(revision, oldest)` when some of those changes are forgotten. A revision that is still
   * to come is none to complain about: the client read it from etcd, and the cache hears of it a moment later.
   */
  watch(revision: number, watcher: Watcher): { stop(): void } {
    throw new NotImplemented('2.4', 'Replay what is in the window, then go on with what comes; refuse when something is missing');
  }

  /** Ends every watch. The cache itself begins anew: it knows nothing of what happened up to `revision`. */
  reset(revision: number, error?: ApiError): void {
    const watchers = [...this.#watchers.keys()];
    this.#watchers.clear();
    this.#window = [];
    this.#oldest = revision;
    this.#newest = revision;
    for (const watcher of watchers) watcher.onEnd(error);
  }
}
