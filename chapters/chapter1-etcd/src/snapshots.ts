// When a snapshot is due: when the log has grown as large as the last snapshot, and large enough to be worth it. So all the snapshots
// together cost no more writing than the log itself, and a start reads at most twice what the state takes.
// etcd: --snapshot-count counts entries (10,000) instead of bytes

import type { Logger } from '#kit/log';
import type { Consensus } from './consensus.ts';
import type { Journal } from './journal.ts';

export interface SnapshotsOptions {
  journal: Journal;
  consensus: Pick<Consensus, 'checkpoint'>;
  /** No snapshot for less log than that. */
  afterBytes: number;
  log: Logger;
}

export class Snapshots {
  readonly #options: SnapshotsOptions;
  #underWay: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  /** Starts a snapshot if one is due and none is under way. A failure is logged; the log is still whole. */
  takeIfDue(): void {
    const { journal, afterBytes, log } = this.#options;
    if (this.#underWay || this.#isStopped || journal.logSize < Math.max(afterBytes, journal.snapshotSize)) return;
    this.take().catch((error) => log.warn('a snapshot could not be written; the log goes on growing', { error }));
  }

  /** Resolves when the state as it is now, or a later one, is in a snapshot. */
  async take(): Promise<void> {
    await this.#underWay?.catch(() => {});
    this.#underWay = this.#write();
    try {
      await this.#underWay;
    } finally {
      this.#underWay = undefined;
    }
  }

  /** Resolves when no snapshot is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#underWay?.catch(() => {});
  }

  async #write(): Promise<void> {
    const { journal, consensus, log } = this.#options;
    const { records, payloads, onWritten } = consensus.checkpoint();
    await journal.replaceBySnapshot(records, payloads);
    onWritten?.();
    log.info('a snapshot is written', { records, bytes: journal.snapshotSize });
  }
}
