// A server without peers: a command is a fact when it is on its disk. The journal settles its appends in their order, so commands are
// applied in the order in which they stand on the disk.

import { status } from '@grpc/grpc-js';
import type { Applier } from './applier.ts';
import type { Codec } from './codec.ts';
import type { Checkpoint, Consensus, Proposal, Standing, TimeToLiveRequest } from './consensus.ts';
import { EtcdError, memberNotFound, noSpace } from './errors.ts';
import { DiskFull, type Journal } from './journal.ts';
import type { LeaseExpiry } from './lease-expiry.ts';
import type { LeaseId } from './messages.ts';
import type { Identity, Member, MemberId } from './raft/messages.ts';
import { keepAlive, timeToLive } from './services.ts';
import type { StateMachine } from './state-machine.ts';

export interface AloneOptions {
  identity: Identity;
  machine: StateMachine;
  journal: Journal;
  applier: Applier;
  expiry: LeaseExpiry;
  codec: Codec;
}

export class Alone implements Consensus {
  readonly members: readonly Member[];
  readonly #options: AloneOptions;
  /** Why no more commands are taken. */
  #failure: EtcdError | undefined;

  constructor(options: AloneOptions) {
    this.#options = options;
    this.members = [{ id: options.identity.memberId }];
    const { machine, expiry } = options;
    for (const lease of machine.leases.all()) expiry.renew(lease);
  }

  get standing(): Standing {
    const { identity, machine, journal } = this.#options;
    return { leader: identity.memberId, term: 1, committed: journal.records, applied: machine.applied };
  }

  async settle({ command, payload }: Proposal): Promise<object> {
    if (this.#failure) throw this.#failure;
    try {
      await this.#options.journal.append([payload]);
    } catch (cause) {
      throw this.#refused(cause);
    }
    return this.#options.applier.apply(command);
  }

  async readable(): Promise<void> {}

  async keepAlive(lease: LeaseId): Promise<object> {
    return keepAlive(this.#options, lease);
  }

  async timeToLive(request: TimeToLiveRequest): Promise<object> {
    return timeToLive(this.#options, request);
  }

  async changeMembers(): Promise<readonly Member[]> {
    throw new EtcdError(status.FAILED_PRECONDITION, 'etcdserver: this server has no peers: start it with --listen-peer-urls');
  }

  async moveLeader(to: MemberId): Promise<void> {
    if (to !== this.#options.identity.memberId) throw memberNotFound();
  }

  checkpoint(): Checkpoint {
    const { machine, codec } = this.#options;
    return { records: machine.applied, payloads: codec.encodeState(machine.capture()) };
  }

  #refused(cause: unknown): EtcdError {
    if (cause instanceof DiskFull) {
      // This alarm cannot be written down now. If the disk is still full after a restart, the first command will raise it again.
      this.#options.machine.alarms.activate(this.#options.identity.memberId, 'NOSPACE');
      return noSpace();
    }
    // After a failed write nobody knows what is on the disk, and records behind a torn one would be lost: this journal is over.
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#failure ??= new EtcdError(
      status.UNAVAILABLE,
      `etcdserver: cannot write to the log: ${reason}; restart the server when the disk is well`,
    );
    return this.#failure;
  }
}
