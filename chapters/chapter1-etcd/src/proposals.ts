// The way of a command: into the log on disk, then to the state machine, then the answer. Nothing is answered, and nothing can be
// read or watched, before it is on the disk. Commands that arrive while the disk is busy share its next turn (group commit).
// etcd: server/etcdserver/v3_server.go (there a command also goes to the other members before it is applied)

import { status } from '@grpc/grpc-js';
import { EtcdError, requestTooLarge, stopped } from './errors.ts';
import type { LogFile } from './log-file.ts';
import type { Command } from './messages.ts';
import type { StateMachine } from './state-machine.ts';

const largestCommand = 1.5 * 1024 * 1024;

interface Proposal {
  command: Command;
  payload: Buffer;
  resolve: (response: object) => void;
  reject: (error: unknown) => void;
}

export interface ProposalsOptions {
  machine: StateMachine;
  log: LogFile;
  encode: (command: Command) => Buffer;
  /** Called after each turn of the disk, when its commands are applied. */
  onApplied: () => void;
}

export class Proposals {
  readonly #options: ProposalsOptions;
  #waiting: Proposal[] = [];
  #draining: Promise<void> | undefined;
  /** Why no more commands are taken. */
  #refusal: Error | undefined;

  constructor(options: ProposalsOptions) {
    this.#options = options;
  }

  /** Resolves with the response when the command is on disk and applied. @throws EtcdError if it cannot be carried out */
  propose(command: Command): Promise<object> {
    const payload = this.#options.encode(command);
    if (payload.length > largestCommand) return Promise.reject(requestTooLarge());
    if (this.#refusal) return Promise.reject(this.#refusal);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ command, payload, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Takes no more commands; resolves when those taken are answered. */
  async stop(): Promise<void> {
    this.#refusal ??= stopped();
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#options.log.append(batch.map(({ payload }) => payload));
      } catch (cause) {
        this.#refuseAll(batch, cause);
        break;
      }
      for (const proposal of batch) this.#apply(proposal);
      this.#options.onApplied();
    }
    this.#draining = undefined;
  }

  #apply({ command, resolve, reject }: Proposal): void {
    try {
      resolve(this.#options.machine.apply(command));
    } catch (error) {
      reject(error);
    }
  }

  /** After a failed write nobody knows what is on the disk, and records behind a torn one would be lost: this log is over. */
  #refuseAll(batch: Proposal[], cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#refusal = new EtcdError(
      status.UNAVAILABLE,
      `etcdserver: cannot write to the log: ${reason}; restart the server when the disk is well`,
    );
    for (const { reject } of [...batch, ...this.#waiting]) reject(this.#refusal);
    this.#waiting = [];
  }
}
