// One watch on etcd that lives as long as its owner wants: it begins again after every broken connection, exactly behind
// the last change it was given. When etcd no longer has that history, the owner hears of it and says where to go on.

import type { Etcd3, IWatchResponse, Watcher } from 'etcd3';
import type { Clock, Timer } from '#kit/clock';
import type { Logger } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';

const retryAfterMs = 250;
/** A watch that etcd has not confirmed by then is lost on the way. */
const confirmWithinMs = 5000;
const stopWithinMs = 1000;

export interface EtcdWatchOptions {
  etcd: Etcd3;
  prefix: string;
  /** Changes after this revision. */
  after: number;
  clock: Clock;
  log: Logger;
  /** Gets each message of etcd, in order, none twice. What it throws ends the watch and goes to `onLost`. */
  onMessage(message: IWatchResponse): void;
  /** The history after the last message is gone. Resolves with the revision to go on from. */
  onLost(error: unknown): Promise<number>;
}

export class EtcdWatch {
  readonly #options: EtcdWatchOptions;
  #after: number;
  #watcher: Watcher | undefined;
  #timer: Timer | undefined;
  #isLost = false;
  #isStopped = false;

  constructor(options: EtcdWatchOptions) {
    this.#options = options;
    this.#after = options.after;
    this.#connect();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    const waited = new AbortController();
    await Promise.race([this.#disconnect(), this.#options.clock.sleep(stopWithinMs, waited.signal)]);
    waited.abort();
  }

  #connect(): void {
    if (this.#isStopped) return;
    const { etcd, prefix, clock } = this.#options;
    const from = String(this.#after + 1);
    // Not `create()`: its promise never settles while etcd is away.
    const watcher = etcd.watch().prefix(prefix).withPreviousKV().startRevision(from).watcher();
    this.#watcher = watcher;
    this.#timer = clock.after(confirmWithinMs, () => this.#beginAgain('etcd did not confirm the watch'));
    watcher.on('connected', () => {
      this.#timer?.cancel();
      this.#isLost = false;
    });
    watcher.on('data', (message) => this.#receive(message));
    // etcd3 would go on by itself, but from the revision in the last header: changes that were still under way would be lost.
    watcher.on('disconnected', (error) => this.#beginAgain(error));
    watcher.on('error', (error) => {
      this.#forget();
      void this.#goOnElsewhere(error);
    });
  }

  #receive(message: IWatchResponse): void {
    try {
      this.#options.onMessage(message);
      this.#after = revisionReached(message, this.#after);
    } catch (error) {
      void this.#disconnect();
      void this.#goOnElsewhere(error);
    }
  }

  #beginAgain(why: unknown): void {
    const { log, prefix, clock } = this.#options;
    if (!this.#isLost) log.warn('lost the watch on etcd, trying to begin again', { prefix, after: this.#after, why });
    this.#isLost = true;
    void this.#disconnect();
    this.#timer = clock.after(retryAfterMs, () => this.#connect());
  }

  async #goOnElsewhere(error: unknown): Promise<void> {
    const { log, prefix, clock, onLost } = this.#options;
    try {
      this.#after = await onLost(error);
      this.#connect();
    } catch (why) {
      if (this.#isStopped) return;
      log.warn('cannot tell where to go on watching etcd, trying again', { prefix, why });
      this.#timer = clock.after(retryAfterMs, () => void this.#goOnElsewhere(error));
    }
  }

  /** Hears nothing more of the present watch. */
  #forget(): Watcher | undefined {
    this.#timer?.cancel();
    const watcher = this.#watcher;
    this.#watcher = undefined;
    watcher?.removeAllListeners();
    watcher?.on('error', (error) => this.#options.log.debug('a watch on etcd that was given up ended', { error }));
    return watcher;
  }

  async #disconnect(): Promise<void> {
    try {
      await this.#forget()?.cancel();
    } catch (error) {
      this.#options.log.debug('etcd could not be told that a watch is over', { error });
    }
  }
}

/**
 * Up to which revision everything has been told once this message is dealt with: that of its last event, or, where there is
 * none, that of its header: such a message says "nothing happened up to here". A header's revision proves nothing beside
 * events: etcd may still be catching up, with more to come below it.
 */
export function revisionReached({ events, header }: IWatchResponse, before: number): number {
  throw new NotImplemented('2.4', 'Tell where a watch must go on after this message, so that nothing is lost or told twice');
}
