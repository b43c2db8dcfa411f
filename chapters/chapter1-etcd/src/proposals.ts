// The way of a command: it is checked, it becomes a fact, it is applied, and only then it is answered. Nothing can be read or watched
// before it would outlive a crash.
// etcd: server/etcdserver/v3_server.go, processInternalRaftRequestOnce

import type { Random } from '#kit/clock';
import { letsGrow } from './alarms.ts';
import type { Consensus, Proposal } from './consensus.ts';
import { noSpace, requestTooLarge, stopped } from './errors.ts';
import type { AlarmRequest, Command } from './messages.ts';
import type { StateMachine } from './state-machine.ts';

const largestCommand = 1.5 * 1024 * 1024;

export interface ProposalsOptions {
  machine: StateMachine;
  consensus: Pick<Consensus, 'settle'>;
  encode: (command: Command) => Buffer;
  /** The store may take so many bytes; 0: any number. */
  quotaBytes: number;
  random: Random;
}

export class Proposals {
  readonly #options: ProposalsOptions;
  readonly #underWay = new Set<Promise<object>>();
  #isStopped = false;
  /** Begins somewhere in 52 bits, so that no other member, and no other life of this one, has used the same ones. */
  #nextId: number;

  constructor(options: ProposalsOptions) {
    this.#options = options;
    this.#nextId = 1 + Math.floor(options.random() * 2 ** 52);
  }

  /** Resolves with the response when the command is a fact and applied. @throws EtcdError if it cannot be carried out */
  propose(command: Command): Promise<object> {
    const proposed = this.#propose(this.prepare(command));
    this.#underWay.add(proposed);
    const done = () => this.#underWay.delete(proposed);
    proposed.then(done, done);
    return proposed;
  }

  prepare(command: Command): Proposal {
    const identified = { ...command, ID: String(this.#nextId++) };
    return { command: identified, payload: this.#options.encode(identified) };
  }

  /** Takes no more commands; resolves when those taken are answered. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.allSettled(this.#underWay);
  }

  async #propose(proposal: Proposal): Promise<object> {
    const { command, payload } = proposal;
    const { machine, consensus } = this.#options;
    if (payload.length > largestCommand) throw requestTooLarge();
    if (this.#isStopped) throw stopped();
    machine.alarms.check(command);
    if (letsGrow(command) && this.#isOverQuota(payload.length)) {
      await this.propose({ alarm: this.#noSpaceAlarm() });
      throw noSpace();
    }
    return consensus.settle(proposal);
  }

  #isOverQuota(bytes: number): boolean {
    const { machine, quotaBytes } = this.#options;
    return quotaBytes > 0 && machine.store.size + bytes > quotaBytes;
  }

  #noSpaceAlarm(): AlarmRequest {
    return { action: 'ACTIVATE', memberID: this.#options.machine.header().memberId, alarm: 'NOSPACE' };
  }
}
