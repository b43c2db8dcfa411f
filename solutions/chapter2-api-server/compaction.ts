// etcd keeps every version of every key until it is told to forget. The API server tells it, every few minutes: whatever is older than the
// last time. Several API servers agree by one key, whose version counts the turns: who moves it on compacts, the others learn from it.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/storage/etcd3/compact.go

import type { Etcd3 } from 'etcd3';
import type { Clock } from '#kit/clock';
import type { Logger } from '#kit/log';

const turnKey = 'compact_rev_key';

export interface CompactionOptions {
  etcd: Etcd3;
  intervalMs: number;
  clock: Clock;
  log: Logger;
  /** Before etcd forgets, or after another API server made it forget, what was up to this revision. */
  onCompact(revision: number): void;
}

export class Compaction {
  readonly #options: CompactionOptions;
  readonly #stopping = new AbortController();
  readonly #over: Promise<void>;
  /** The key's version, as it was seen last. */
  #turn = 0;
  /** The store's revision at the last turn; 0 before the first, which only looks. */
  #revision = 0;

  constructor(options: CompactionOptions) {
    this.#options = options;
    this.#over = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#over;
  }

  async #run(): Promise<void> {
    const { clock, intervalMs, log } = this.#options;
    const { signal } = this.#stopping;
    for (await clock.sleep(intervalMs, signal); !signal.aborted; await clock.sleep(intervalMs, signal)) {
      try {
        await this.#takeTurn();
      } catch (error) {
        log.warn('etcd’s history could not be compacted, trying again later', { error });
      }
    }
  }

  async #takeTurn(): Promise<void> {
    const { etcd, onCompact } = this.#options;
    const revision = this.#revision;
    const { succeeded, header, responses } = await etcd
      .if(turnKey, 'Version', '==', this.#turn)
      .then(etcd.put(turnKey).value(`${revision}`))
      .else(etcd.get(turnKey))
      .commit();
    this.#revision = Number(header.revision);
    if (!succeeded) {
      const found = responses[0]?.response_range?.kvs[0];
      this.#turn = Number(found?.version ?? 0);
      onCompact(Number(found?.value ?? 0));
      return;
    }
    this.#turn += 1;
    if (revision === 0) return;
    onCompact(revision);
    await etcd.kv.compact({ revision: `${revision}` });
  }
}
