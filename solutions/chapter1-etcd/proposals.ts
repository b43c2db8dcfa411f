// The way of a command: into the journal on disk, then to the state machine, then the answer. Nothing is answered, and nothing can be
// read or watched, before it is on the disk. The journal settles its appends in their order, so commands are applied in the order
// in which they stand on the disk.
// etcd: server/etcdserver/v3_server.go (there a command also goes to the other members before it is applied)

import { status } from '@grpc/grpc-js';
import { letsGrow } from './alarms.ts';
import { EtcdError, noSpace, requestTooLarge, stopped } from './errors.ts';
import { DiskFull, type Journal } from './journal.ts';
import type { AlarmRequest, Command } from './messages.ts';
import type { StateMachine } from './state-machine.ts';

const largestCommand = 1.5 * 1024 * 1024;

export interface ProposalsOptions {
  machine: StateMachine;
  journal: Journal;
  encode: (command: Command) => Buffer;
  /** The store may take so many bytes; 0: any number. */
  quotaBytes: number;
  /** Called after each turn of the disk, when its commands are applied. */
  onApplied: () => void;
}

export class Proposals {
  readonly #options: ProposalsOptions;
  readonly #underWay = new Set<Promise<object>>();
  #isApplying = false;
  /** Why no more commands are taken. */
  #refusal: Error | undefined;

  constructor(options: ProposalsOptions) {
    this.#options = options;
  }

  /** Resolves with the response when the command is on disk and applied. @throws EtcdError if it cannot be carried out */
  propose(command: Command): Promise<object> {
    const proposed = this.#propose(command);
    this.#underWay.add(proposed);
    const done = () => this.#underWay.delete(proposed);
    proposed.then(done, done);
    return proposed;
  }

  /** Takes no more commands; resolves when those taken are answered. */
  async stop(): Promise<void> {
    this.#refusal ??= stopped();
    await Promise.allSettled(this.#underWay);
  }

  async #propose(command: Command): Promise<object> {
    const { machine, journal, encode } = this.#options;
    const payload = encode(command);
    if (payload.length > largestCommand) throw requestTooLarge();
    if (this.#refusal) throw this.#refusal;
    machine.alarms.check(command);
    if (letsGrow(command) && this.#isOverQuota(payload.length)) {
      await this.propose({ alarm: this.#noSpaceAlarm() });
      throw noSpace();
    }
    try {
      await journal.append([payload]);
    } catch (cause) {
      throw this.#refused(cause);
    }
    return this.#apply(command);
  }

  #apply(command: Command): object {
    if (!this.#isApplying) {
      this.#isApplying = true;
      // The other commands of the turn are applied before this is called.
      queueMicrotask(() => {
        this.#isApplying = false;
        this.#options.onApplied();
      });
    }
    return this.#options.machine.apply(command);
  }

  #isOverQuota(bytes: number): boolean {
    const { machine, quotaBytes } = this.#options;
    return quotaBytes > 0 && machine.store.size + bytes > quotaBytes;
  }

  #refused(cause: unknown): Error {
    if (cause instanceof DiskFull) {
      // This alarm cannot be written down now. If the disk is still full after a restart, the first command will raise it again.
      this.#options.machine.alarms.activate(this.#noSpaceAlarm().memberID, 'NOSPACE');
      return noSpace();
    }
    // After a failed write nobody knows what is on the disk, and records behind a torn one would be lost: this journal is over.
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#refusal ??= new EtcdError(
      status.UNAVAILABLE,
      `etcdserver: cannot write to the log: ${reason}; restart the server when the disk is well`,
    );
    return this.#refusal;
  }

  #noSpaceAlarm(): AlarmRequest {
    return { action: 'ACTIVATE', memberID: this.#options.machine.header().memberId, alarm: 'NOSPACE' };
  }
}
