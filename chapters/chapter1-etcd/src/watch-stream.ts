// One client's watch stream: any number of watches, created and cancelled at will, told over the same connection. `deliver` is
// called whenever one of its watches was woken or the connection can take more; it sends while there is something to tell and room
// to tell it.
// etcd: server/etcdserver/api/v3rpc/watch.go

import { NotImplemented } from '#kit/not-implemented';
import { fragmentsOf } from './fragments.ts';
import { type KeyRange, keyRange } from './keys.ts';
import type { Int64, WatchCreateRequest, WatchRequest, WatchResponse } from './messages.ts';
import type { Store } from './store.ts';
import { Watcher } from './watcher.ts';
import type { WatcherIndex } from './watcher-index.ts';

/** Where the responses go. */
export interface WatchSink {
  send(response: Omit<WatchResponse, 'header'>): void;
  /** False: the client is slow; `deliver` is called again when it has caught up. */
  readonly hasRoom: boolean;
}

/** The watch id of a response that is about no watch, or about one that could not be created. */
const noWatch = '-1';

export class WatchStream {
  readonly #store: Store;
  readonly #sink: WatchSink;
  readonly #index: WatcherIndex;
  readonly #watchers = new Map<Int64, Watcher>();
  /** Those that may have something to tell. The others have caught up, and sleep until a change concerns them. */
  readonly #awake = new Set<Watcher>();
  /** Watches to which nothing was sent since the last `notifyIdle`. */
  #idle = new Set<Watcher>();
  #progressRequested = false;
  #nextId = 0;

  constructor(store: Store, sink: WatchSink, index: WatcherIndex) {
    this.#store = store;
    this.#sink = sink;
    this.#index = index;
  }

  /** The client is gone. */
  close(): void {
    for (const watcher of this.#watchers.values()) this.#remove(watcher);
  }

  handle({ createRequest, cancelRequest, progressRequest }: WatchRequest): void {
    if (createRequest) this.create(createRequest);
    if (cancelRequest) this.cancel(cancelRequest.watchId);
    if (progressRequest) this.requestProgress();
  }

  /**
   * Answers `created` with the watch's id, before any event. The id is the client's, or a free one if it gave 0. A start revision
   * of 0 means: what comes after the present revision. Two requests are refused, with an answer that is `created` and `canceled`,
   * has the watch id -1 and says why: an id in use, `mvcc: duplicate watch ID provided on the WatchStream`, and a range
   * that no key can lie in, `mvcc: watcher range is empty`.
   */
  create(request: WatchCreateRequest): void {
    throw new NotImplemented('1.5', 'Add a watcher, awake, answer that it was created, and tell it what has happened already.');
  }

  /** Nothing is answered if there is no such watch. */
  cancel(id: Int64): void {
    throw new NotImplemented('1.5', 'Remove the watch and answer that it is cancelled.');
  }

  /**
   * Progress is a promise: nothing at or below the header's revision is still to come. So it can be given only when every watch
   * of this stream has been told everything (see `deliver`).
   */
  requestProgress(): void {
    throw new NotImplemented('1.5', 'Remember that progress was asked for, and deliver it as soon as it is true.');
  }

  /**
   * Tells every watcher that is awake what it was not told yet, as long as the sink has room; who has caught up goes to sleep. A
   * watcher whose revisions are compacted is removed and told so: `canceled`, with `compactRevision`. When nobody is awake, a progress
   * that was asked for is sent, with the watch id -1.
   */
  deliver(): void {
    throw new NotImplemented('1.5', 'Send each watcher its new events, then the progress if it was asked for.');
  }

  /** Tells watches that want it, and to which nothing was sent since the last call, how far the store is. */
  notifyIdle(): void {
    for (const watcher of this.#watchers.values()) {
      const isQuiet = this.#idle.has(watcher) && !this.#awake.has(watcher);
      if (isQuiet && watcher.progressNotify && this.#sink.hasRoom) this.#sink.send({ watchId: watcher.id });
    }
    this.#idle = new Set(this.#watchers.values());
  }

  /** Advance the watcher, send what it says, and return whether the watch goes on. */
  #tell(watcher: Watcher): boolean {
    throw new NotImplemented('1.5', 'Advance the watcher, send what it says, and return whether the watch goes on.');
  }

  #add(watcher: Watcher): void {
    this.#watchers.set(watcher.id, watcher);
    this.#awake.add(watcher);
  }

  #remove(watcher: Watcher): void {
    this.#watchers.delete(watcher.id);
    if (!this.#awake.delete(watcher)) this.#index.remove(watcher);
  }

  #sleep(watcher: Watcher): void {
    this.#awake.delete(watcher);
    this.#index.add(watcher, () => this.#awake.add(watcher));
  }

  #refusal({ watchId }: WatchCreateRequest, { from, to }: KeyRange): string | undefined {
    if (to !== undefined && from >= to) return 'mvcc: watcher range is empty';
    return this.#watchers.has(watchId) && watchId !== '0' ? 'mvcc: duplicate watch ID provided on the WatchStream' : undefined;
  }

  #freeId(): Int64 {
    while (this.#watchers.has(String(this.#nextId))) this.#nextId += 1;
    return String(this.#nextId++);
  }
}

/** Unlike a read, a watch may come without a key: that is the smallest key there is, one zero byte. */
function watchedRange({ key, rangeEnd }: WatchCreateRequest): KeyRange {
  return keyRange(key.length > 0 ? key : Buffer.of(0), rangeEnd);
}
