// One client's watch: events as lines of JSON, for as long as the client listens. A list is a photograph, a watch is the film
// that goes on from it: a client that lists at revision N and watches from N misses nothing and sees nothing twice.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/watch.go

import type { ServerResponse } from 'node:http';
import type { Clock, Random, Timer } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';
import { ApiError } from '#kit/status';
import { statusOf } from './errors.ts';
import type { LiveLists } from './live-lists.ts';
import type { ApiObject, Collection } from './object.ts';
import type { Entry } from './storage.ts';
import type { Change, WatchCache, Watcher } from './watch-cache.ts';
import { eventOf, type WatchEvent } from './watch-events.ts';
import type { WatchQuery } from './watch-query.ts';

const minimumSeconds = 1800;
const bookmarkEveryMs = 60_000;
/** A client that leaves so much unread has stopped reading: it is cut off and may come back. */
const unreadLimitInBytes = 32 * 1024 * 1024;

/** Gives the object of an event the form that the client asked for. */
export type Render = (object: ApiObject) => object;

export interface WatchStreamOptions {
  collection: Collection;
  query: WatchQuery;
  cache: WatchCache;
  lists: LiveLists;
  /** Whether the present state may be an older one: the client gave resourceVersion 0. */
  isAnyMoment: boolean;
  response: ServerResponse;
  /** What the client takes objects for: those of a bookmark, too. */
  type: { kind: string; apiVersion: string };
  /** undefined: objects as they are */
  render: Render | undefined;
  clock: Clock;
  random: Random;
}

/** Plain events are the same for every watcher of the resource: their text is made once. */
const texts = new WeakMap<object, string>();

export class WatchStream implements Watcher {
  readonly #options: WatchStreamOptions;
  readonly #timers: Timer[] = [];
  #subscription: { stop(): void } | undefined;
  /** Everything up to this revision that concerns the client has been sent. */
  #sentUpTo = 0;

  /** Resolves when the stream is on its way; rejects, with nothing sent yet, when it cannot begin. */
  static async start(options: WatchStreamOptions): Promise<WatchStream> {
    const { collection, query, lists, isAnyMoment, response } = options;
    const { selector, after } = query;
    const resourceVersion = query.atLeast > 0 || isAnyMoment ? String(query.atLeast) : undefined;
    const state = after === undefined ? await lists.list(collection, { selector, resourceVersion }) : undefined;
    const stream = new WatchStream(options);
    stream.#begin(state?.items ?? [], state ? Number(state.metadata.resourceVersion) : (after ?? 0));
    response.on('close', () => stream.end());
    return stream;
  }

  private constructor(options: WatchStreamOptions) {
    this.#options = options;
  }

  #begin(items: Entry[], revision: number): void {
    const { cache, query, response, clock, random } = this.#options;
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    this.#sentUpTo = revision;
    for (const { object } of items) this.#send({ type: 'ADDED', object });
    if (query.markInitialEnd) this.#bookmark({ 'k8s.io/initial-events-end': 'true' });
    try {
      this.#subscription = cache.watch(revision, this);
    } catch (error) {
      // The head is out already: what went wrong is the stream's last word.
      this.onEnd(new ApiError(statusOf(error)));
      return;
    }
    const seconds = query.seconds ?? minimumSeconds * (1 + random());
    this.#timers.push(clock.after(seconds * 1000, () => this.#timeOut()));
    if (query.bookmarks) this.#timers.push(clock.every(bookmarkEveryMs, () => this.#bookmark()));
  }

  onChange(change: Change): void {
    this.#sentUpTo = change.revision;
    const { namespace } = this.#options.collection;
    if (namespace && change.object.metadata.namespace !== namespace) return;
    const event = eventOf(change, this.#options.query.selector);
    if (event) this.#send(event);
  }

  onEnd(error?: ApiError): void {
    if (error) this.#write({ type: 'ERROR', object: error.status });
    this.end();
  }

  /** Closes the stream; the client comes back for the rest. */
  end(): void {
    this.#subscription?.stop();
    for (const timer of this.#timers) timer.cancel();
    this.#options.response.end();
  }

  #timeOut(): void {
    if (this.#options.query.bookmarks) this.#bookmark();
    this.end();
  }

  /**
   * Tells the client how far it has come, though nothing happened that concerns it: it may go on from there. A bookmark is an
   * event of type BOOKMARK whose object has kind and apiVersion (`#options.type`), metadata.resourceVersion, and nothing else but annotations.
   */
  #bookmark(annotations?: Record<string, string>): void {
    throw new NotImplemented('2.4', 'Send a bookmark with the revision up to which the client has been told everything');
  }

  #send({ type, object }: WatchEvent): void {
    const { render } = this.#options;
    this.#write({ type, object: render ? render(object as ApiObject) : object });
  }

  #write({ type, object }: WatchEvent): void {
    const { response } = this.#options;
    const text = texts.get(object) ?? JSON.stringify(object);
    texts.set(object, text);
    if (response.writableLength > unreadLimitInBytes) response.destroy();
    else response.write(`{"type":"${type}","object":${text}}\n`);
  }
}
