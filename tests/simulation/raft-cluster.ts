// A cluster of Raft members in one process, under a scheduler that does its worst: messages are lost, doubled, delayed and overtake each
// other; the network parts; members crash with a write half done, and come back. All by one seed: a schedule that fails, fails again.

import type { Entry, HardState, Member, MemberId, Message, Snapshot } from '#etcd/raft/messages';
import { Raft, type Ready } from '#etcd/raft/raft';
import { type Random, seededRandom } from '#kit/clock';
import { Invariants } from './raft-invariants.ts';

interface Disk {
  hardState: HardState;
  snapshot: Snapshot;
  entries: Entry[];
}

interface Host {
  id: MemberId;
  disk: Disk;
  /** Undefined while it is down. */
  raft: Raft | undefined;
  /** A turn that has begun: written by the next `write`, lost by a crash. */
  writing: Ready | undefined;
  /** The last index applied. */
  applied: number;
  /** Reads that were granted, and not yet served. */
  reads: { context: string; index: number }[];
  incarnation: number;
}

const nothing = new Uint8Array();

export class SimulatedCluster {
  readonly invariants = new Invariants();
  readonly #random: Random;
  readonly #hosts = new Map<MemberId, Host>();
  readonly #network: Message[] = [];
  /** Members on one side of a parted network. */
  #island = new Set<MemberId>();
  /** For each read under way: what everybody could know had been committed when it began. */
  readonly #asked = new Map<string, number>();
  readonly #weights: [happen: () => void, weight: number][];
  readonly #slowness: number;
  readonly #largestMessage: number;
  #counter = 0;
  readonly #notes: (() => string)[] = [];
  readonly counts = { elections: 0, committed: 0, reads: 0, crashes: 0, snapshots: 0, memberChanges: 0 };

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    // One entry a message, or some.
    this.#largestMessage = this.#random() < 0.5 ? 1 : 40;
    const size = [1, 2, 3, 3, 3, 4, 5, 5][this.#below(8)] ?? 3;
    const members = Array.from({ length: size }, (_, position) => ({ id: String.fromCharCode(97 + position) }));
    for (const { id } of members) this.#add(id, members);
    this.#weights = this.#dayOfWeights();
    this.#slowness = this.#random();
  }

  /** One thing happens. */
  step(): void {
    let dice = this.#random() * this.#weights.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [happen, weight] of this.#weights) {
      dice -= weight;
      if (dice >= 0) continue;
      happen();
      return;
    }
  }

  /** Each schedule is another sort of day: on some the network is bad, on others members crash, or a lot is written. */
  #dayOfWeights(): [happen: () => void, weight: number][] {
    const rare = () => (this.#random() < 0.5 ? 0.2 : 3) * this.#random();
    return [
      [() => this.#tick(this.#hostInHurry()), 15 + 60 * this.#random()],
      [() => this.#deliver(), 100],
      [() => this.#turn(this.#anyHost()), 40],
      [() => this.#propose(this.#anyHost()), 6],
      [() => this.#read(this.#random() < 0.5 ? this.#leaderOrAny() : this.#anyHost()), 12],
      [() => this.#part(), rare() / 2],
      [() => this.#crash(this.#random() < 0.5 ? this.#leaderOrAny() : this.#anyHost()), rare()],
      [() => this.#start(this.#anyHost()), 2 + 15 * this.#random()],
      [() => this.#bounce(this.#random() < 0.5 ? this.#leaderOrAny() : this.#anyHost()), 2 * rare()],
      [() => this.#lastWords(), 2 * rare()],
      [() => this.#leftBehind(), rare() / 2],
      [() => this.#compact(this.#anyHost()), 4 * rare()],
      [() => this.#changeMembers(this.#anyHost()), 4 * rare()],
      [() => this.#transfer(this.#anyHost()), rare()],
    ];
  }

  /** All is well again: then a leader must be found, and everybody must come to know everything. */
  settle(): void {
    this.#note('all is well again');
    this.#island = new Set();
    for (const host of this.#hosts.values()) this.#start(host);
    const proposed = `last-${this.#counter}`;
    for (let round = 0; round < 400; round += 1) {
      for (const host of this.#hosts.values()) {
        this.#tick(host);
        if (round % 20 === 0 && host.raft?.role === 'leader') host.raft.propose([Buffer.from(proposed)]);
        this.#write(host);
      }
      for (const message of this.#network.splice(0)) this.#arrive(message);
      if (this.#isSettled(proposed)) return;
    }
    throw new Error(`liveness: no leader, or not everybody up to date, long after all was well: ${this.#describe()}`);
  }

  #isSettled(proposed: string): boolean {
    const leader = [...this.#hosts.values()].find(({ raft }) => raft?.role === 'leader');
    if (!leader?.raft) return false;
    const last = leader.raft.log.entryAt(leader.applied);
    if (!last || Buffer.from(last.data).toString() !== proposed) return false;
    return leader.raft.members.every(({ id }) => (this.#hosts.get(id)?.applied ?? 0) >= leader.applied);
  }

  #add(id: MemberId, members: readonly Member[]): Host {
    const disk = { hardState: { term: 0, vote: undefined }, snapshot: { index: 0, term: 0, members, data: nothing }, entries: [] };
    const host: Host = { id, disk, raft: undefined, writing: undefined, applied: 0, reads: [], incarnation: 0 };
    this.#hosts.set(id, host);
    this.#start(host);
    return host;
  }

  #start(host: Host): void {
    if (host.raft) return;
    this.#note(`${host.id} starts`);
    const { hardState, snapshot, entries } = host.disk;
    host.incarnation += 1;
    host.applied = snapshot.index;
    host.raft = new Raft({
      id: host.id,
      durable: { hardState: { ...hardState }, snapshot, entries: [...entries] },
      random: this.#random,
      electionTicks: 3,
      largestMessage: this.#largestMessage,
    });
    this.invariants.check(host.raft, host.disk.hardState.term);
  }

  #crash(host: Host): void {
    if (!host.raft) return;
    this.#note(`${host.id} crashes${host.writing ? ' while it writes' : ''}`);
    this.counts.crashes += 1;
    // A write under way may have come to the disk, though nobody was told of it.
    if (host.writing && this.#random() < 0.5) save(host.disk, host.writing);
    Object.assign(host, { raft: undefined, writing: undefined, reads: [] });
  }

  /** Down and up again before anybody notices: only what it forgot shows. */
  #bounce(host: Host): void {
    this.#crash(host);
    this.#start(host);
  }

  /** The leader writes something, reaches one member with it, and crashes: figure 8 of the paper is made of such deaths. */
  #lastWords(): void {
    const leader = this.#leaderOrAny();
    const reached = this.#anyHost();
    this.#propose(leader);
    this.#aloneTogether([leader, reached], 1 + this.#below(5));
    this.#crash(leader);
  }

  /** The leader is cut off, and its clock stands still, while the others go on without it. Then it is asked. */
  #leftBehind(): void {
    const leader = this.#leaderOrAny();
    this.#read(leader);
    this.#write(leader);
    for (const host of this.#hosts.values()) this.#write(host);
    const others = [...this.#hosts.values()].filter((host) => host !== leader);
    for (let rounds = 6 + this.#below(12); rounds > 0; rounds -= 1) {
      for (const host of others) this.#tick(host);
      this.#aloneTogether(others, 3);
    }
    this.#read(leader);
    this.#write(leader);
    for (let count = 0; count < 10; count += 1) this.#deliver();
    this.#write(leader);
  }

  /** For some rounds these hear each other, at once, and nobody else. */
  #aloneTogether(hosts: Host[], rounds: number): void {
    const before = this.#island;
    this.#island = new Set(hosts.map(({ id }) => id));
    this.#note(`among themselves: ${[...this.#island]}`);
    for (let round = 0; round < rounds; round += 1) {
      for (const host of hosts) this.#write(host);
      const isAmongThem = ({ from, to }: Message) => this.#island.has(from) && this.#island.has(to);
      const messages = this.#network.splice(0);
      this.#network.push(...messages.filter((message) => !isAmongThem(message)));
      for (const message of messages.filter(isAmongThem)) this.#arrive(message);
    }
    this.#island = before;
  }

  #tick(host: Host): void {
    this.#act(host, (raft) => raft.tick());
  }

  /** A turn begins, or the one that has begun comes to its end. */
  #turn(host: Host): void {
    if (host.writing || this.#random() < 0.5) this.#write(host);
    else if (host.raft?.hasReady) host.writing = host.raft.ready();
  }

  #write(host: Host): void {
    const { raft } = host;
    const ready = host.writing ?? (raft?.hasReady ? raft.ready() : undefined);
    host.writing = undefined;
    if (!raft || !ready) return;
    save(host.disk, ready);
    // What is on its way when the network parts may still arrive, much later.
    this.#network.push(...ready.messages.filter(({ from, to }) => this.#island.has(from) === this.#island.has(to)));
    if (ready.snapshot) {
      this.counts.snapshots += 1;
      host.applied = ready.snapshot.index;
    }
    for (const entry of ready.committed) {
      this.invariants.applied(host.id, raft.term, entry);
      host.applied = entry.index;
      this.counts.committed += 1;
    }
    host.reads.push(...ready.reads);
    this.#serveReads(host);
    this.#act(host, () => raft.advance(ready));
    // The worst moment to forget something is right after a vote.
    const hasVoted = ready.messages.some((message) => message.type === 'vote-answer' && message.granted);
    if (hasVoted && this.#random() < 0.4) this.#bounce(host);
  }

  #serveReads(host: Host): void {
    for (const { context, index } of host.reads.splice(0)) {
      if (index > host.applied) {
        host.reads.push({ context, index });
        continue;
      }
      const known = this.#asked.get(context) ?? 0;
      if (host.applied < known) {
        throw new Error(`stale read: ${host.id} serves ${context} as of entry ${host.applied}; ${known} was committed before it was asked`);
      }
      this.counts.reads += 1;
    }
  }

  #deliver(): void {
    if (this.#network.length === 0) return;
    const position = this.#random() < 0.7 ? 0 : this.#below(this.#network.length);
    const message = this.#network[position];
    const fate = this.#random();
    if (fate > 0.03) this.#network.splice(position, 1);
    if (message && fate < 0.97) this.#arrive(message);
  }

  #arrive(message: Message): void {
    const host = this.#hosts.get(message.to);
    if (!host?.raft) return;
    this.#notes.push(() => JSON.stringify(message, (key, value) => (key === 'data' ? undefined : value)));
    this.#act(host, (raft) => raft.step(message));
  }

  #propose(host: Host): void {
    const name = `x${this.#counter++}`;
    this.#act(host, (raft) => {
      if (raft.propose([Buffer.from(name)])) this.#note(`${host.id} proposes ${name}`);
    });
  }

  #read(host: Host): void {
    const context = `${host.id}.${host.incarnation}.${this.#counter++}`;
    this.#asked.set(context, this.invariants.settled);
    this.#act(host, (raft) => raft.read(context));
  }

  #part(): void {
    const leads = ({ raft }: Host) => raft?.role === 'leader';
    const isCutOff = this.#random() < 0.5 ? leads : () => this.#random() < 0.4;
    const island = [...this.#hosts.values()].filter(isCutOff).map(({ id }) => id);
    this.#island = new Set(this.#random() < 0.4 ? [] : island);
    this.#note(this.#island.size > 0 ? `cut off: ${[...this.#island]}` : 'the network is whole');
  }

  #compact(host: Host): void {
    const { raft, applied, writing, disk } = host;
    if (!raft || writing || applied <= raft.log.snapshot.index) return;
    disk.snapshot = raft.compact(applied, nothing, this.#below(3));
    disk.entries = disk.entries.filter(({ index }) => index >= raft.log.firstIndex);
    this.#note(`${host.id} compacts up to ${applied}`);
  }

  #changeMembers(host: Host): void {
    const { raft } = host;
    if (raft?.role !== 'leader') return;
    const isFull = raft.members.length > 4;
    const added =
      [...this.#hosts.keys()].find((id) => raft.members.every((member) => member.id !== id)) ?? String.fromCharCode(97 + this.#hosts.size);
    const members =
      isFull || this.#random() < 0.4 ? raft.members.toSpliced(this.#below(raft.members.length), 1) : [...raft.members, { id: added }];
    this.#act(host, () => {
      if (!raft.changeMembers(members, nothing).accepted) return;
      this.counts.memberChanges += 1;
      this.#note(`${host.id} changes the members to ${members.map(({ id }) => id)}`);
      if (!this.#hosts.has(added) && members.some(({ id }) => id === added)) this.#add(added, []);
    });
  }

  #transfer(host: Host): void {
    const { raft } = host;
    const to = raft?.members[this.#below(raft.members.length)];
    if (to) this.#act(host, () => raft?.transferLeadership(to.id));
  }

  #act(host: Host, act: (raft: Raft) => void): void {
    const { raft } = host;
    if (!raft) return;
    const wasLeader = raft.role === 'leader';
    act(raft);
    this.invariants.check(raft, host.disk.hardState.term);
    if (raft.role === 'leader' && !wasLeader) {
      this.counts.elections += 1;
      this.#note(`${host.id} leads term ${raft.term}`);
    }
  }

  #anyHost(): Host {
    const hosts = [...this.#hosts.values()];
    return hosts[this.#below(hosts.length)] as Host;
  }

  #leaderOrAny(): Host {
    return [...this.#hosts.values()].find(({ raft }) => raft?.role === 'leader') ?? this.#anyHost();
  }

  /** Clocks don't go equally fast: the first member's may be slow, whatever its role. */
  #hostInHurry(): Host {
    const host = this.#anyHost();
    return host.id === 'a' && this.#random() < this.#slowness ? ([...this.#hosts.values()].at(-1) ?? host) : host;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #note(text: string): void {
    this.#notes.push(() => text);
  }

  /** What happened, line by line; messages when they arrived. */
  get story(): string[] {
    return this.#notes.map((note) => note());
  }

  #describe(): string {
    return [...this.#hosts.values()]
      .map(
        ({ id, raft, applied }) =>
          `${id} ${raft?.role} term ${raft?.term} leader ${raft?.leader} log to ${raft?.log.lastIndex} applied ${applied}`,
      )
      .join('; ');
  }
}

/** The disk takes all of a turn, or nothing: a torn write is cut off when it is read (stage 1.7). */
function save(disk: Disk, { snapshot, hardState, entries }: Ready): void {
  if (hardState) disk.hardState = { ...hardState };
  if (snapshot) Object.assign(disk, { snapshot, entries: [] });
  const [first] = entries;
  if (first) disk.entries = [...disk.entries.filter(({ index }) => index < first.index), ...entries];
}
