// Everything etcd remembers: the store and the leases. It changes by commands only, one after the other, and the same commands
// always lead to the same state: that is why a log of commands is all that has to be kept on disk, and why members that agree
// on the log agree on everything.
// etcd: server/etcdserver/apply

import { NotImplemented } from '#kit/not-implemented';
import { Alarms } from './alarms.ts';
import { checkPutAgainst, deleteRange, put, range } from './key-values.ts';
import { type Lease, Leases } from './leases.ts';
import {
  type AlarmRequest,
  type AlarmType,
  type Command,
  type CompactionRequest,
  type DeleteRangeRequest,
  type Event,
  type LeaseGrantRequest,
  type LeaseRequest,
  type MemberAttributes,
  type MemberChange,
  noLease,
  type PutRequest,
  type RangeRequest,
  type ResponseHeader,
  type TxnRequest,
} from './messages.ts';
import { Roster } from './roster.ts';
import { type CapturedStore, type Change, Store } from './store.ts';
import { checkAgainst, decide, run } from './transactions.ts';

/** All that is remembered. The keys of a lease are known by the key-values. */
export interface Captured {
  store: CapturedStore;
  leases: LeaseGrantRequest[];
  alarms: { memberID: string; alarm: AlarmType }[];
  members: MemberAttributes[];
  removed: string[];
}

/** Who answers. */
export type Identity = Required<Omit<ResponseHeader, 'revision'>>;

export class StateMachine {
  readonly store = new Store();
  leases = new Leases();
  alarms = new Alarms();
  roster = new Roster();
  readonly #identity: Identity;
  #applied = 0;

  constructor(identity: Identity) {
    this.#identity = identity;
  }

  /** How many commands were applied, ever; those that could not be carried out count, too. */
  get applied(): number {
    return this.#applied;
  }

  /** @throws EtcdError if the command cannot be carried out; then nothing has changed. */
  apply(command: Command): object {
    this.#applied += 1;
    this.alarms.check(command);
    if (command.put) return this.#put(command.put);
    if (command.deleteRange) return this.#deleteRange(command.deleteRange);
    if (command.txn) return this.txn(command.txn);
    if (command.compaction) return this.#compact(command.compaction);
    if (command.leaseGrant) return this.#grant(command.leaseGrant);
    if (command.leaseRevoke) return this.#revoke(command.leaseRevoke);
    if (command.alarm) return this.#alarm(command.alarm);
    if (command.publish) return this.#publish(command.publish);
    if (command.memberChange) return this.#changeMembers(command.memberChange);
    throw new TypeError('a command without a request');
  }

  /** What is captured does not change when the state does. */
  capture(): Captured {
    const leases = this.leases.all().map(({ id, ttl }) => ({ ID: id, TTL: String(ttl) }));
    const { attributes: members, removed } = this.roster.capture();
    return { store: this.store.capture(), leases, alarms: this.alarms.all(), members, removed };
  }

  /** Becomes what was captured after so many commands, whatever it was before. */
  restore({ store, leases, alarms, members, removed }: Captured, applied: number): void {
    this.#applied = applied;
    this.leases = new Leases();
    this.alarms = new Alarms();
    this.roster = new Roster();
    this.store.restore(store);
    for (const lease of leases) this.leases.grant(lease);
    for (const kv of this.store.list({ from: '', to: undefined })) if (kv.lease !== noLease) this.leases.follow({ type: 'PUT', kv });
    for (const { memberID, alarm } of alarms) this.alarms.activate(memberID, alarm);
    for (const attributes of members) this.roster.publish(attributes);
    for (const id of removed) this.roster.remove(id);
  }

  range(request: RangeRequest): object {
    return this.#answer(range(this.store, request));
  }

  /** Also called directly, for a transaction that only reads. */
  txn(request: TxnRequest): object {
    const decided = decide(this.store, request);
    checkAgainst(this.store, decided, (lease) => this.leases.check(lease));
    const response = this.#write((change) => run(this.store, change, decided));
    return this.#answer(response);
  }

  /** Return the header of an answer: who answers, and the revision that the store has after the request. */
  header(): ResponseHeader {
    throw new NotImplemented('1.1', 'Return the header of an answer: who answers, and the revision that the store has after the request.');
  }

  #put(request: PutRequest): object {
    this.leases.check(request.lease);
    checkPutAgainst(this.store, request);
    const response = this.#write((change) => put(this.store, change, request));
    return this.#answer(response);
  }

  #deleteRange(request: DeleteRangeRequest): object {
    const response = this.#write((change) => deleteRange(this.store, change, request));
    return this.#answer(response);
  }

  #compact({ revision }: CompactionRequest): object {
    this.store.compact(Number(revision));
    return this.#answer({});
  }

  #grant(request: LeaseGrantRequest): object {
    const lease: Lease = this.leases.grant(request);
    return this.#answer({ ID: lease.id, TTL: lease.ttl });
  }

  /** All the keys go in one change, in the order of their bytes, so that every member writes the same. */
  #revoke({ ID }: LeaseRequest): object {
    throw new NotImplemented('1.6', 'Revoke the lease, delete its keys, and answer with a header.');
  }

  /** Answers with the alarms that the request is about. */
  #alarm({ action, memberID, alarm }: AlarmRequest): object {
    if (action === 'DEACTIVATE') return this.#answer({ alarms: this.alarms.deactivate(memberID, alarm) });
    this.alarms.activate(memberID, alarm);
    return this.#answer({ alarms: [{ memberID, alarm }] });
  }

  #publish(attributes: MemberAttributes): object {
    if (!this.roster.isRemoved(attributes.ID)) this.roster.publish(attributes);
    return this.#answer({});
  }

  #changeMembers({ removed }: MemberChange): object {
    if (removed !== '0') this.roster.remove(removed);
    return this.#answer({});
  }

  #write<T>(write: (change: Change) => T): T {
    return this.store.commit((change) => {
      const result = write(change);
      for (const event of change.events) if (isLeased(event)) this.leases.follow(event);
      return result;
    });
  }

  #answer(response: object): object {
    return { header: this.header(), ...response };
  }
}

/** The key hangs on a lease now, or did before. */
function isLeased({ kv, prevKv }: Event): boolean {
  return kv.lease !== noLease || (prevKv !== undefined && prevKv.lease !== noLease);
}
