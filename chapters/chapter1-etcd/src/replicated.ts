// A member of a cluster: a command is a fact when a majority of the members has it in its log. Any member takes commands; Raft brings
// them to the leader, and back as entries of the log. By its id, the one who proposed a command knows it again.
// etcd: server/etcdserver/server.go, v3_server.go

import { status } from '@grpc/grpc-js';
import type { Clock, Random } from '#kit/clock';
import type { ListenAddress } from '#kit/component';
import type { Logger } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import type { Applier } from './applier.ts';
import { type Codec, inPayloads } from './codec.ts';
import type { Checkpoint, Consensus, MembersRequest, Proposal, Standing, TimeToLiveRequest } from './consensus.ts';
import { badTransferee, EtcdError, memberNotFound, noLeader, notLeader, removed, stopped, timedOut, transferTimedOut } from './errors.ts';
import { memberIdOf } from './identity.ts';
import type { Journal } from './journal.ts';
import type { LeaseExpiry } from './lease-expiry.ts';
import type { Command, LeaseId } from './messages.ts';
import { RaftMember } from './raft/member.ts';
import type { Entry, Identity, Member, MemberId, Snapshot } from './raft/messages.ts';
import { PeerRefusal, type PeerTls } from './raft/peer-rpc.ts';
import { Peers, type PeersOptions } from './raft/peers.ts';
import type { Durable } from './raft/state.ts';
import { snapshotPayloads } from './raft/storage.ts';
import { membersAfter } from './reconfiguration.ts';
import { keepAlive, timeToLive } from './services.ts';
import type { StateMachine } from './state-machine.ts';

export interface ReplicatedOptions {
  identity: Identity;
  journal: Journal;
  /** What was on the disk. */
  recovered: Durable;
  /** Who can be reached before the log has told who the members are. */
  contacts: readonly Member[];
  machine: StateMachine;
  applier: Applier;
  expiry: LeaseExpiry;
  codec: Codec;
  /** Makes a proposal of a command. */
  prepare: (command: Command) => Proposal;
  /** Nothing happens here any more: this member was removed or stopped, or its disk has failed. */
  onEnd: (error: EtcdError) => void;
  listenPeers: ListenAddress;
  peerTls?: PeerTls;
  /** False: the wire is cut for this message. For tests. */
  passes?: PeersOptions['passes'];
  heartbeatMs?: number;
  catchUpEntries?: number;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** What a member says of its cluster to one that wants to join. */
export interface ClusterDescription {
  clusterId: string;
  members: readonly Member[];
}

/** What only the leader can do: a member that does not lead asks it. Arguments and answers travel as JSON. */
interface LeaderDuties {
  keepAlive(lease: LeaseId): object;
  timeToLive(request: TimeToLiveRequest): object;
  changeMembers(request: MembersRequest): Promise<readonly Member[]>;
}

/** A leader that missed so many heartbeats may be dead. */
const beatsOfDoubt = 3;

interface Waiting {
  resolve: (response: object) => void;
  reject: (error: unknown) => void;
}

export class Replicated implements Consensus {
  readonly #options: Omit<ReplicatedOptions, 'recovered'>;
  readonly #peers: Peers;
  readonly #member: RaftMember;
  readonly #duties: LeaderDuties;
  /** Who waits for an answer here, by the command's id. */
  readonly #waiting = new Map<string, Waiting>();
  /** What nobody has taken yet, because nobody leads. */
  readonly #unsent = new Map<string, Uint8Array>();
  #leads = false;
  #known: readonly Member[] = [];
  /** Why this member serves nobody any more. */
  #failure: EtcdError | undefined;

  constructor({ recovered, ...options }: ReplicatedOptions) {
    this.#options = options;
    const { identity, journal, machine, codec, clock, random, log } = options;
    this.#duties = {
      keepAlive: (lease) => keepAlive(options, lease),
      timeToLive: (request) => timeToLive(options, request),
      changeMembers: (request) => this.#changeMembers(request),
    };
    this.#peers = new Peers({
      identity,
      clock,
      log,
      tls: options.peerTls,
      passes: options.passes,
      receive: (message) => this.#member.receive(message),
      answer: (question) => this.#answerPeer(question),
      isRemoved: (id) => machine.roster.isRemoved(id),
      onRemoved: () => this.#retire(),
    });
    this.#peers.know(options.contacts);
    this.#member = new RaftMember({
      id: identity.memberId,
      durable: recovered,
      journal,
      send: (messages) => this.#peers.send(messages),
      apply: (entry) => this.#apply(entry),
      install: (snapshot) => this.#install(snapshot),
      capture: () => codec.encodeState(machine.capture()),
      onTurn: () => this.#afterTurn(),
      onFailure: (error) => this.#end(error),
      clock,
      random,
      log,
      ...(options.heartbeatMs === undefined ? {} : { tickMs: options.heartbeatMs }),
      ...(options.catchUpEntries === undefined ? {} : { catchUpEntries: options.catchUpEntries }),
    });
  }

  /** @throws Error if the address for peers is taken */
  async listen(): Promise<void> {
    await this.#peers.listen(this.#options.listenPeers);
  }

  get standing(): Standing {
    const { raft, applied } = this.#member;
    return { leader: raft.leader, term: raft.term, committed: raft.commit, applied };
  }

  get members(): readonly Member[] {
    return this.#member.raft.log.membersAt(this.#member.applied);
  }

  /** Like etcd: 5 seconds for the disks, and an election's time before and after. */
  get #requestMs(): number {
    return 5000 + 2 * this.#member.electionMs;
  }

  async settle({ command: { ID }, payload }: Proposal): Promise<object> {
    try {
      return await this.#answerTo(ID, () => {
        // If nobody leads, somebody will: `#afterTurn` tries again.
        if (!this.#propose(payload)) this.#unsent.set(ID, payload);
      });
    } finally {
      this.#unsent.delete(ID);
    }
  }

  async readable(oldWillDo: boolean): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (oldWillDo) return;
    try {
      await this.#member.caughtUp(this.#requestMs);
    } catch {
      throw this.#failure ?? timedOut();
    }
  }

  keepAlive(lease: LeaseId): Promise<object> {
    return this.#atLeader('keepAlive', lease);
  }

  timeToLive(request: TimeToLiveRequest): Promise<object> {
    return this.#atLeader('timeToLive', request);
  }

  async changeMembers(request: MembersRequest): Promise<readonly Member[]> {
    return (await this.#atLeader('changeMembers', request)) as Member[];
  }

  async moveLeader(to: MemberId): Promise<void> {
    if (!this.#isLeader) throw notLeader();
    if (!this.members.some(({ id }) => id === to)) throw memberNotFound();
    if (to === this.#options.identity.memberId) return;
    if (!this.#member.act((raft) => raft.transferLeadership(to))) throw badTransferee();
    const { clock } = this.#options;
    const end = clock.now() + this.#member.electionMs;
    while (this.standing.leader !== to) {
      if (clock.now() > end) throw transferTimedOut();
      await clock.sleep(10);
    }
  }

  checkpoint(): Checkpoint {
    const { identity, journal, machine, codec } = this.#options;
    const { raft } = this.#member;
    const snapshot = this.#member.snapshot();
    const hardState = { term: raft.term, vote: raft.vote };
    const turns = { identity, hardState, snapshot, entries: raft.log.slice(snapshot.index + 1) };
    return {
      // Records that are being written now, and later ones, are read again on top of it.
      records: journal.records,
      payloads: snapshotPayloads(turns, codec.encodeState(machine.capture())),
      onWritten: () => this.#member.compact(snapshot),
    };
  }

  async stop(): Promise<void> {
    this.#member.fail(stopped());
    await this.#member.stop();
    this.#peers.stop();
  }

  /** False: nobody leads, or the leader is silent or cannot be reached now: what is sent to it would be lost. */
  #propose(payload: Uint8Array): boolean {
    const { leader } = this.standing;
    const isWell = this.#isLeader || (leader !== undefined && this.#member.isHeard(leader, beatsOfDoubt) && this.#peers.reaches(leader));
    return isWell && this.#member.propose(payload);
  }

  get #isLeader(): boolean {
    return this.#member.raft.role === 'leader';
  }

  /** Nobody tells us if the command is lost on its way, or with its leader. */
  async #answerTo(id: string, offer: () => void): Promise<object> {
    throw new NotImplemented(
      '1.10',
      "Wait under the command's id, then `offer` the command, and resolve with its answer; after `#requestMs` without one, throw timedOut().",
    );
  }

  /**
   * Every member applies every command; only the one who proposed it has somebody waiting. A command that cannot be carried out cannot be
   * carried out anywhere: its error is the answer, and the next entry's turn comes. A leader's first entry has no data, and is no command.
   */
  #apply({ data }: Entry): void {
    throw new NotImplemented('1.10', "Apply the entry's command, and give the response, or the error, to who waits for it.");
  }

  /** Whoever waits for one of the entries that it stands for is not told: nobody here knows what came of it. */
  #install({ index, data }: Snapshot): void {
    const { machine, codec, applier } = this.#options;
    machine.restore(codec.decodeState(inPayloads(data)), index);
    applier.notifySoon();
  }

  #afterTurn(): void {
    const { machine, identity } = this.#options;
    const { log, commit } = this.#member.raft;
    const known = log.membersSince(commit);
    if (known.length > 0 && !isSame(known, this.#known)) {
      this.#known = known;
      this.#peers.know(known);
    }
    this.#lead(this.#isLeader);
    for (const [id, payload] of this.#unsent) if (this.#propose(payload)) this.#unsent.delete(id);
    if (machine.roster.isRemoved(identity.memberId)) this.#retire();
  }

  /**
   * Only the leader counts how long leases have. Nobody tells a new one how much they had left, so each has all its time again, and its
   * owner a chance to be heard.
   */
  #lead(leads: boolean): void {
    throw new NotImplemented('1.10', 'When this member begins to lead, renew all leases; when it ends, stop counting.');
  }

  async #changeMembers(request: MembersRequest): Promise<readonly Member[]> {
    const { machine, clock, prepare } = this.#options;
    const members = membersAfter(
      {
        members: this.members,
        isStarted: (id) => machine.roster.attributesOf(id) !== undefined,
        isHeard: (id) => this.#member.isHeard(id),
        newId: (peerUrls) => memberIdOf(peerUrls, String(clock.now())),
      },
      request,
    );
    const { command, payload } = prepare({ memberChange: { removed: request.remove ?? '0' } });
    await this.#answerTo(command.ID, () => {
      const decision = this.#member.act((raft) => raft.changeMembers(members, payload));
      if (decision && !decision.accepted) throw new EtcdError(status.UNAVAILABLE, `etcdserver: ${decision.reason}; try again`);
    });
    return members;
  }

  async #atLeader<Duty extends keyof LeaderDuties>(duty: Duty, about: Parameters<LeaderDuties[Duty]>[0]): Promise<object> {
    if (this.#failure) throw this.#failure;
    const { leader } = this.standing;
    if (leader === undefined) throw noLeader();
    if (this.#isLeader) return this.#perform(duty, about);
    try {
      return await this.#peers.ask(leader, { duty, about }, this.#requestMs);
    } catch (error) {
      throw error instanceof PeerRefusal ? new EtcdError(error.code, error.message) : error;
    }
  }

  /** A peer takes this member for the leader, or wants to join and asks who is there. */
  #answerPeer(question: { duty?: keyof LeaderDuties; about?: never }): object | Promise<object> {
    const { duty, about } = question;
    if (duty === undefined)
      return { clusterId: this.#options.identity.clusterId, members: this.#member.raft.members } satisfies ClusterDescription;
    if (!this.#isLeader) throw noLeader();
    return this.#perform(duty, about as never);
  }

  #perform<Duty extends keyof LeaderDuties>(duty: Duty, about: Parameters<LeaderDuties[Duty]>[0]): object | Promise<object> {
    return (this.#duties[duty] as (about: Parameters<LeaderDuties[Duty]>[0]) => object | Promise<object>)(about);
  }

  #retire(): void {
    if (this.#failure) return;
    this.#options.log.error('this member was removed from the cluster, and serves nobody any more: stop it and delete its data directory');
    this.#member.fail(removed());
  }

  /** Silent from now on; whoever waits is told why. */
  #end(error: Error): void {
    const failure = error instanceof EtcdError ? error : memberStopped(error);
    this.#failure = failure;
    for (const { reject } of this.#waiting.values()) reject(failure);
    this.#lead(false);
    this.#options.onEnd(failure);
  }
}

function memberStopped({ message }: Error): EtcdError {
  return new EtcdError(status.UNAVAILABLE, `etcdserver: this member has stopped: ${message}; restart it when its disk is well`);
}

function isSame(some: readonly Member[], others: readonly Member[]): boolean {
  return some.length === others.length && some.every((member, position) => member === others[position]);
}
