// Applies commands to the state, one after the other, and tells those who want to know: the leases' deadlines at once, watches and
// snapshots when all the commands of a turn are applied.
// etcd: server/etcdserver/apply

import type { LeaseExpiry } from './lease-expiry.ts';
import type { Command } from './messages.ts';
import type { StateMachine } from './state-machine.ts';

export interface ApplierOptions {
  machine: StateMachine;
  expiry: LeaseExpiry;
  /** Only who leads counts how long leases have. */
  isLeader: () => boolean;
  /** Called after each turn, when its commands are applied. */
  onTurn: () => void;
}

export class Applier {
  readonly #options: ApplierOptions;
  #isInTurn = false;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** @throws EtcdError if the command cannot be carried out */
  apply(command: Command): object {
    this.notifySoon();
    const { machine, expiry, isLeader } = this.#options;
    const response = machine.apply(command);
    if (command.leaseGrant && isLeader()) expiry.renew(machine.leases.get(command.leaseGrant.ID));
    if (command.leaseRevoke) expiry.forget(command.leaseRevoke.ID);
    return response;
  }

  /** The state has changed, or will before this turn is over. */
  notifySoon(): void {
    if (this.#isInTurn) return;
    this.#isInTurn = true;
    // The other commands of the turn are applied before this is called.
    queueMicrotask(() => {
      this.#isInTurn = false;
      this.#options.onTurn();
    });
  }
}
