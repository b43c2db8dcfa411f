// Keeps a copy of one resource true to the server: list once, then watch from the list's version. It ends only when stopped;
// every failure leads to another try. It tells a `Reflection` what it saw and keeps no object itself.
// Kubernetes: client-go/tools/cache/reflector.go

import type { KubernetesObject, Resource } from '#kit/api';
import type { Client, WatchEvent } from '#kit/client';
import type { ComponentContext } from '#kit/component';
import { NotImplemented } from '#kit/not-implemented';
import { ApiError } from '#kit/status';
import { Backoff } from './backoff.ts';

/** What the reflector reports to. Objects always carry apiVersion and kind. */
export interface Reflection<T> {
  /** The whole truth: whatever is not among these objects does not exist any more. */
  replaced(objects: T[]): void;
  changed(object: T): void;
  deleted(object: T): void;
}

export interface ReflectorOptions {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

/** A long list comes in pages of this many objects. */
const pageSize = 500;

export class Reflector<T extends KubernetesObject> {
  readonly #client: Client;
  readonly #resource: Resource<T>;
  readonly #context: ComponentContext;
  readonly #options: ReflectorOptions;
  readonly #reflection: Reflection<T>;
  readonly #backoff: Backoff;
  /** The version up to which everything was seen; undefined when a list is needed. */
  #resourceVersion: string | undefined;

  constructor(client: Client, resource: Resource<T>, context: ComponentContext, reflection: Reflection<T>, options: ReflectorOptions = {}) {
    this.#client = client;
    this.#resource = resource;
    this.#context = context;
    this.#reflection = reflection;
    this.#options = options;
    this.#backoff = new Backoff(context);
  }

  /** Runs until the signal aborts. Rejects with NotImplemented, which no retry cures, and with nothing else. */
  async run(signal: AbortSignal): Promise<void> {
    const log = this.#context.log.with({ resource: this.#resource.plural });
    while (!signal.aborted) {
      try {
        if (this.#resourceVersion === undefined) this.#resourceVersion = await this.list();
        await this.watch(this.#resourceVersion, signal);
      } catch (error) {
        if (error instanceof NotImplemented) throw error;
        if (signal.aborted) return;
        if (mustListAgain(error)) this.#resourceVersion = undefined;
        const delayMs = this.#backoff.next();
        log.warn('lost the watch; trying again', { error, listAgain: this.#resourceVersion === undefined, delayMs: Math.round(delayMs) });
        await this.#context.clock.sleep(delayMs, signal);
      }
    }
  }

  /**
   * Asks for every object, page by page (`limit`, then `continue` until it is empty), and reports them all at once with
   * `replaced`. Answers the list's resourceVersion: the moment from which to watch.
   */
  async list(): Promise<string> {
    throw new NotImplemented('3.1', "List every page, report the objects as replaced, return the list's resourceVersion");
  }

  /**
   * Watches from a version and reports each event, until the server ends the watch or an error is thrown. It asks the server to end it
   * after 300 to 600 seconds (`timeoutSeconds`), the more the larger `random()`: not all watches shall come back at once.
   * After each event, a bookmark too, `#resourceVersion` is the event object's version: the next watch goes on from there.
   * A watch that ends after less than a second without an event is an error, so that a confused server is not asked in a tight loop.
   */
  async watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    throw new NotImplemented('3.1', 'Watch from the version with bookmarks, report each event, remember the last version seen');
  }

  /** A list's items come without apiVersion and kind; in a cache every object carries them. */
  #typed(object: T): T {
    const { apiVersion, kind } = this.#resource;
    return { apiVersion, kind, ...object };
  }
}

/**
 * After which errors the remembered version is worthless. A broken connection loses nothing: the watch goes on from where it
 * was. An answer of the server (an ApiError, 410 Expired above all) means that it will not serve that version.
 */
export function mustListAgain(error: unknown): boolean {
  throw new NotImplemented('3.1', 'Say whether this error means to list anew instead of watching on');
}
