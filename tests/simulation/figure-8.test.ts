// Figure 8 of the Raft paper, played by five members, act by act: an entry of an older term that is on a majority, and is overwritten all
// the same. Whoever calls it committed in act (c) has lied to a client in act (d).

import { describe, expect, it } from '@jest/globals';
import type { Entry, HardState, MemberId, Message } from '#etcd/raft/messages';
import { Raft } from '#etcd/raft/raft';
import type { Role } from '#etcd/raft/state';
import { Invariants } from './raft-invariants.ts';

const electionTicks = 10;
const ids = ['s1', 's2', 's3', 's4', 's5'];
const everything = () => true;

interface Host {
  hardState: HardState;
  entries: Entry[];
  raft: Raft | undefined;
}

class Five {
  readonly #invariants = new Invariants();
  readonly #hosts = new Map<MemberId, Host>();

  constructor() {
    for (const id of ids) {
      const first = { index: 1, term: 1, data: Buffer.from('one') };
      this.#hosts.set(id, { hardState: { term: 1, vote: undefined }, entries: [first], raft: undefined });
      this.start(id);
    }
  }

  start(id: MemberId): void {
    const host = this.#host(id);
    const members = ids.map((each) => ({ id: each }));
    host.raft = new Raft({
      id,
      durable: {
        hardState: { ...host.hardState },
        snapshot: { index: 0, term: 0, members, data: new Uint8Array() },
        entries: [...host.entries],
      },
      // As patient as can be: nobody stands up unless told to.
      random: () => 0.99,
      electionTicks,
      largestMessage: 1,
    });
  }

  crash(id: MemberId): void {
    this.#host(id).raft = undefined;
  }

  /** Its leader is silent for so long that all these would vote for another; it stands up, and only they hear it. */
  elect(id: MemberId, voters: MemberId[]): Role {
    for (const each of voters) for (let tick = 0; tick < electionTicks; tick++) this.#raft(each).tick();
    // Who was away for some terms learns of them first.
    for (let attempt = 0; attempt < 3 && this.#raft(id).role !== 'leader'; attempt++) {
      this.#raft(id).campaign();
      this.talk([id, ...voters], ({ type }) => type.includes('vote'));
    }
    return this.#raft(id).role;
  }

  /** These hear each other until nobody has anything to say, but only what `passes`. */
  talk(among: MemberId[], passes: (message: Message) => boolean): void {
    for (let round = 0; round < 20; round++) {
      const messages = among.flatMap((id) => this.#turn(id)).filter(({ to }) => among.includes(to));
      for (const message of messages) if (passes(message)) this.#raft(message.to).step(message);
    }
  }

  /** Some heartbeats of the leader, which these hear: enough to bring them what they lack. */
  beat(leader: MemberId, among: MemberId[], passes: (message: Message) => boolean = everything): void {
    for (let beats = 0; beats < 3; beats++) {
      this.#raft(leader).tick();
      this.talk(among, passes);
    }
  }

  /** The terms of its entries, as the figure has them; a crashed member's are on its disk. */
  log(id: MemberId): number[] {
    return this.#host(id).entries.map(({ term }) => term);
  }

  propose(leader: MemberId, text: string): void {
    this.#raft(leader).propose([Buffer.from(text)]);
  }

  lastIndex(id: MemberId): number {
    return this.#raft(id).log.lastIndex;
  }

  commit(id: MemberId): number {
    return this.#raft(id).commit;
  }

  /** A whole turn: the disk, then the messages. */
  #turn(id: MemberId): readonly Message[] {
    const host = this.#host(id);
    const raft = this.#raft(id);
    const ready = raft.ready();
    if (ready.hardState) host.hardState = { ...ready.hardState };
    const [first] = ready.entries;
    if (first) host.entries = [...host.entries.filter(({ index }) => index < first.index), ...ready.entries];
    for (const entry of ready.committed) this.#invariants.applied(id, raft.term, entry);
    raft.advance(ready);
    this.#invariants.check(raft, host.hardState.term);
    return ready.messages;
  }

  #host(id: MemberId): Host {
    return this.#hosts.get(id) as Host;
  }

  #raft(id: MemberId): Raft {
    const { raft } = this.#host(id);
    if (!raft) throw new Error(`${id} is down`);
    return raft;
  }
}

describe('figure 8', () => {
  /**
   * Up to act (c): s1 leads term 4, and knows that its entries of term 2 are on a majority. (In the paper on s1, s2 and s3. Here s3 and s4
   * are those who tell, since s1 brings them.)
   */
  function untilC(): Five {
    const five = new Five();
    // (a) s1 leads term 2, and brings what it took (its first, empty entry, and another) to s2 only.
    expect(five.elect('s1', ['s2', 's3'])).toBe('leader');
    five.propose('s1', 'two');
    five.beat('s1', ['s1', 's2']);
    expect(ids.map((id) => five.log(id))).toEqual([[1, 2, 2], [1, 2, 2], [1], [1], [1]]);
    // (b) s1 crashes; s5 leads term 3, and has another entry there.
    five.crash('s1');
    expect(five.elect('s5', ['s3', 's4'])).toBe('leader');
    expect(five.log('s5')).toEqual([1, 3]);
    // (c) s5 crashes; s1 is back, leads term 4, and brings its old entries to s3 and s4.
    five.crash('s5');
    five.start('s1');
    expect(five.elect('s1', ['s3', 's4'])).toBe('leader');
    const isOld = (message: Message) => message.type !== 'append' || message.entries.every(({ term }) => term < 4);
    const isRefused = (message: Message) => message.type === 'append' && message.previousIndex > five.lastIndex(message.to);
    five.beat('s1', ['s1', 's3', 's4'], (message) => isOld(message) || isRefused(message));
    expect(ids.map((id) => five.log(id))).toEqual([
      [1, 2, 2, 4],
      [1, 2, 2],
      [1, 2, 2],
      [1, 2, 2],
      [1, 3],
    ]);
    return five;
  }

  it('(c) an entry of an older term on a majority is not committed', () => {
    const five = untilC();
    expect(['s1', 's3', 's4'].map((id) => five.commit(id))).toEqual([0, 0, 0]);
  });

  it('(d) it can still be overwritten, and then nobody has applied it', () => {
    const five = untilC();
    five.crash('s1');
    five.start('s5');
    expect(five.elect('s5', ['s2', 's3', 's4'])).toBe('leader');
    const alive = ['s2', 's3', 's4', 's5'];
    five.beat('s5', alive);
    expect(alive.map((id) => five.log(id))).toEqual(alive.map(() => [1, 3, 5]));
    expect(alive.map((id) => five.commit(id))).toEqual([3, 3, 3, 3]);
  });

  it('(e) an entry of the present term on a majority commits it, and s5 cannot win any more', () => {
    const five = untilC();
    five.beat('s1', ['s1', 's2', 's3']);
    expect(['s1', 's2', 's3'].map((id) => five.log(id))).toEqual([
      [1, 2, 2, 4],
      [1, 2, 2, 4],
      [1, 2, 2, 4],
    ]);
    expect(five.commit('s1')).toBe(4);
    five.crash('s1');
    five.start('s5');
    expect(five.elect('s5', ['s2', 's3', 's4'])).not.toBe('leader');
  });
});
