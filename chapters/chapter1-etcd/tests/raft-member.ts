// One member of a Raft cluster alone on the bench: what it is told, and what it says to that. Messages are shown as lines such as
//   a→b term 2: vote? my log ends at 3 (term 1)
// so that a test reads like the paper's rules.

import type { Body, Entry, Member, MemberId, Message } from '#etcd/raft/messages';
import { Raft, type Ready } from '#etcd/raft/raft';

export const electionTicks = 10;

export interface Setup {
  /** `'abc'`: three members, a, b and c. */
  members?: string;
  term?: number;
  vote?: MemberId;
  /** The terms of its entries: `[1, 1, 2]`. */
  log?: number[];
  /** How far its election time-out is beyond the least, as a part of it: 0 ≤ part < 1. */
  patience?: number;
  largestMessage?: number;
}

export class TestMember {
  readonly raft: Raft;
  /** What it has handed out to be applied. */
  readonly applied: string[] = [];
  readonly reads: { context: string; index: number }[] = [];
  /** What it has written to its disk. */
  readonly disk = { term: 0, vote: undefined as MemberId | undefined, log: [] as number[] };

  constructor(id: MemberId, { members = 'abc', term = 1, vote, log = [], patience = 0, largestMessage }: Setup = {}) {
    const durable = {
      hardState: { term, vote },
      snapshot: { index: 0, term: 0, members: membersOf(members), data: new Uint8Array() },
      entries: entries(1, log),
    };
    Object.assign(this.disk, { term, vote, log: [...log] });
    this.raft = new Raft({ id, durable, random: () => patience, electionTicks, ...(largestMessage ? { largestMessage } : {}) });
  }

  /** Gives it a message of its own term, unless told otherwise, and returns what it sends then. */
  receive(from: MemberId, body: Body, term = this.raft.term): string[] {
    this.raft.step({ from, to: this.raft.id, term, ...body });
    return this.says();
  }

  /** Lets time pass, and returns what it sends. */
  tick(count = 1): string[] {
    return Array.from({ length: count }, () => {
      this.raft.tick();
      return this.says();
    }).flat();
  }

  /** What it wants to send, as lines; what it wrote before that is in `disk`. The write is under way: see `written`. */
  says(): string[] {
    return this.messages().map(line);
  }

  messages(): readonly Message[] {
    const ready = this.raft.ready();
    this.#note(ready);
    this.#last = ready;
    return ready.messages;
  }

  #last: Ready | undefined;

  /** All it wrote is on the disk now; returns what it sends then. */
  written(): string[] {
    if (this.#last) this.raft.advance(this.#last);
    return this.says();
  }

  #note({ hardState, entries: written, committed, reads }: Ready): void {
    if (hardState) Object.assign(this.disk, hardState);
    for (const { index, term } of written) {
      this.disk.log.length = index - 1;
      this.disk.log.push(term);
    }
    this.applied.push(...committed.map(({ data }) => String(Buffer.from(data))).filter(Boolean));
    this.reads.push(...reads);
  }

  get standing(): { role: string; term: number; leader: MemberId | undefined } {
    const { role, term, leader } = this.raft;
    return { role, term, leader };
  }

  /** The terms of its entries. */
  get log(): (number | undefined)[] {
    return this.raft.log.slice(1).map(({ term }) => term);
  }
}

/** A member that has just won an election with the votes of b and c, or as many as it takes; what it said on the way is not shown. */
export function newLeader(setup: Setup = {}): TestMember {
  const member = new TestMember('a', setup);
  member.tick(electionTicks);
  const others = [...(setup.members ?? 'abc')].filter((id) => id !== 'a');
  for (const id of others) member.receive(id, { type: 'pre-vote-answer', granted: true }, member.raft.term + 1);
  for (const id of others) member.receive(id, { type: 'vote-answer', granted: true });
  if (member.raft.role !== 'leader') throw new Error(`a has the votes of all, and is a ${member.raft.role}: see stage 1.8`);
  return member;
}

/** A new leader whose first entry is on its disk. */
export function leader(setup: Setup = {}): TestMember {
  const member = newLeader(setup);
  member.written();
  return member;
}

export function membersOf(ids: string): Member[] {
  return [...ids].map((id) => ({ id }));
}

/** Entries of these terms, from an index on. Entry 3 says `x3`. */
export function entries(from: number, terms: number[]): Entry[] {
  return terms.map((term, position) => ({ index: from + position, term, data: Buffer.from(`x${from + position}`) }));
}

export function line(message: Message): string {
  return `${message.from}→${message.to} term ${message.term}: ${words(message)}`;
}

function words(message: Message): string {
  switch (message.type) {
    case 'pre-vote':
    case 'vote':
      return `${message.type}? my log ends at ${message.lastIndex} (term ${message.lastTerm})`;
    case 'pre-vote-answer':
      return message.granted ? 'pre-vote: yes' : 'pre-vote: no';
    case 'vote-answer':
      return message.granted ? 'vote: yes' : 'vote: no';
    case 'append': {
      const { entries: sent, previousIndex, previousTerm, commit } = message;
      return `append [${sent.map(({ term }) => term)}] after ${previousIndex} (term ${previousTerm}), commit ${commit}`;
    }
    case 'append-answer':
      return message.accepted ? `same up to ${message.index}` : `no ${message.index} like that`;
    case 'heartbeat':
      return `heartbeat, commit ${message.commit}`;
    case 'heartbeat-answer':
      return 'heard';
    case 'snapshot':
      return `snapshot up to ${message.snapshot.index} (term ${message.snapshot.term})`;
    case 'propose':
      return `propose ${message.data.map((each) => Buffer.from(each))}`;
    case 'read-index':
      return `read ${message.context}?`;
    case 'read-index-answer':
      return `read ${message.context} as of ${message.index}`;
    case 'timeout-now':
      return 'you lead, now';
  }
}
