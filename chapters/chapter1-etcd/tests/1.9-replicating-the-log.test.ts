// Each test is a rule of Raft, put to one member: it is told something, and must say the right thing. Sections are the paper's
// (https://raft.github.io/raft.pdf); "thesis" is Ongaro's.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { NotImplemented } from '#kit/not-implemented';
import { electionTicks, entries, leader, type TestMember as Member, TestMember } from './raft-member.ts';

describe('etcd', () =>
  describe('1.9 replicating the log', () => {
    beforeEach(() => NotImplemented.forget());

    const same = (index: number) => ({ type: 'append-answer', accepted: true, index }) as const;
    const append = (previousIndex: number, previousTerm: number, terms: number[] = [], commit = 0) =>
      ({ type: 'append', previousIndex, previousTerm, entries: entries(previousIndex + 1, terms), commit }) as const;
    const data = (...texts: string[]) => texts.map((text) => Buffer.from(text));

    /** A leader whose first entry is committed already: three members, and its log ends at that entry. */
    function settledLeader(setup = {}): Member {
      const member = leader(setup);
      member.receive('b', same(member.raft.log.lastIndex));
      return member;
    }

    describe('what a follower takes (§5.3, figure 2)', () => {
      it('takes entries that fit behind its own, and says how far it is the same', () => {
        const member = new TestMember('a', { log: [1, 1] });
        expect(member.receive('b', append(2, 1, [1, 1]))).toEqual(['a→b term 1: same up to 4']);
        expect(member.log).toEqual([1, 1, 1, 1]);
      });

      it('has them on the disk before it says so', () => {
        const member = new TestMember('a', { log: [1] });
        member.receive('b', append(1, 1, [1]));
        expect(member.disk.log).toEqual([1, 1]);
      });

      it.each([
        { which: 'it lacks the one before them', log: [1], previousIndex: 3, previousTerm: 1 },
        { which: 'the one before them is of another term', log: [1, 1, 1], previousIndex: 3, previousTerm: 2 },
      ])('refuses entries if $which, and keeps its own', ({ log, previousIndex, previousTerm }) => {
        const member = new TestMember('a', { term: 3, log });
        expect(member.receive('b', append(previousIndex, previousTerm, [3]))).toEqual([`a→b term 3: no ${previousIndex} like that`]);
        expect(member.log).toEqual(log);
      });

      it('gives up its own entries where they differ, and all behind them', () => {
        const member = new TestMember('a', { term: 3, log: [1, 1, 2, 2, 2] });
        member.receive('b', append(2, 1, [3]));
        expect(member.log).toEqual([1, 1, 3]);
        expect(member.disk.log).toEqual([1, 1, 3]);
      });

      it('gives up its very last entry, too', () => {
        const member = new TestMember('a', { term: 3, log: [1, 1, 2] });
        expect(member.receive('b', append(2, 1, [3]))).toEqual(['a→b term 3: same up to 3']);
        expect(member.log).toEqual([1, 1, 3]);
        expect(member.disk.log).toEqual([1, 1, 3]);
      });

      it('keeps what a later append brought when an earlier one comes after it', () => {
        const member = new TestMember('a', { log: [1] });
        member.receive('b', append(1, 1, [1, 1, 1]));
        expect(member.receive('b', append(1, 1, [1]))).toEqual(['a→b term 1: same up to 2']);
        expect(member.log).toEqual([1, 1, 1, 1]);
      });

      it('answers an append without entries, too', () => {
        const member = new TestMember('a', { log: [1, 1] });
        expect(member.receive('b', append(2, 1))).toEqual(['a→b term 1: same up to 2']);
      });

      it('lets nobody touch what is committed', () => {
        const member = new TestMember('a', { term: 2, log: [1, 1, 1] });
        member.receive('b', append(3, 1, [], 3));
        expect(member.receive('b', append(1, 1, [2]))).toEqual(['a→b term 2: same up to 3']);
        expect(member.log).toEqual([1, 1, 1]);
      });

      it('says of a late append only what it knows: entries behind the committed ones may differ', () => {
        const member = new TestMember('a', { term: 2, log: [1, 1, 1] });
        member.receive('b', append(2, 1, [], 2));
        expect(member.receive('b', append(1, 1))).toEqual(['a→b term 2: same up to 2']);
      });
    });

    describe('what a follower applies', () => {
      it('applies what the leader says is committed, in order', () => {
        const member = new TestMember('a');
        member.receive('b', append(0, 0, [1, 1, 1], 2));
        expect(member.applied).toEqual(['x1', 'x2']);
        member.receive('b', append(3, 1, [], 3));
        expect(member.applied).toEqual(['x1', 'x2', 'x3']);
      });

      it('applies no entry of its own that the leader may not have', () => {
        const member = new TestMember('a', { term: 2, log: [1, 1, 1] });
        member.receive('b', append(1, 1, [], 3));
        expect(member.applied).toEqual(['x1']);
      });

      it('takes nothing back when an old message comes late', () => {
        const member = new TestMember('a');
        member.receive('b', append(0, 0, [1, 1], 2));
        member.receive('b', append(2, 1, [], 0));
        expect(member.raft.commit).toBe(2);
        expect(member.applied).toEqual(['x1', 'x2']);
      });
    });

    describe('how a leader replicates (§5.3)', () => {
      it('begins its term with an empty entry', () => {
        const member = leader({ log: [1] });
        expect(member.log).toEqual([1, 2]);
        expect(String(member.raft.log.entryAt(2)?.data)).toBe('');
      });

      it('sends new entries at once to who keeps up', () => {
        const member = settledLeader();
        member.raft.propose(data('blue'));
        expect(member.says()).toContain('a→b term 2: append [2] after 1 (term 2), commit 1');
      });

      it('does not wait for an answer before it sends the next one', () => {
        const member = settledLeader();
        member.raft.propose(data('blue'));
        member.says();
        member.raft.propose(data('red'));
        expect(member.says()).toContain('a→b term 2: append [2] after 2 (term 2), commit 1');
      });

      it('waits for an answer while it does not know what a follower has', () => {
        const member = settledLeader();
        member.raft.propose(data('blue'));
        expect(member.says().filter((text) => text.startsWith('a→c'))).toEqual([]);
      });

      it('goes back once for one refusal, though it comes twice', () => {
        const member = leader({ log: [1, 1, 1] });
        const no = { type: 'append-answer', accepted: false, index: 3, hint: { index: 1, term: 1 } } as const;
        expect(member.receive('b', no)).toEqual(['a→b term 2: append [1,1,2] after 1 (term 1), commit 0']);
        expect(member.receive('b', no)).toEqual([]);
      });

      it('sends again what a follower that kept up has lost, and nothing for a refusal that comes late', () => {
        const member = settledLeader();
        for (const text of ['blue', 'red']) member.raft.propose(data(text));
        member.says();
        const no = (index: number) => ({ type: 'append-answer', accepted: false, index, hint: { index: index - 1, term: 2 } }) as const;
        expect(member.receive('b', no(1))).toEqual([]);
        expect(member.receive('b', no(2))).toEqual(['a→b term 2: append [2,2] after 1 (term 2), commit 1']);
      });

      it('tells nobody anew what is committed when nothing more is', () => {
        const member = settledLeader();
        member.says();
        expect(member.receive('b', same(1))).toEqual([]);
      });

      it('has only so much on its way to one follower', () => {
        const member = settledLeader();
        for (let count = 0; count < 1000; count += 1) member.raft.propose(data('blue'));
        const sent = member.says().filter((text) => text.startsWith('a→b'));
        expect(sent.length).toBeGreaterThan(10);
        expect(sent.length).toBeLessThan(500);
      });

      it('goes on when the follower has taken what was on its way', () => {
        const member = settledLeader();
        member.messages();
        for (let count = 0; count < 1000; count += 1) member.raft.propose(data('blue'));
        let has = 1;
        for (let answers = 0; answers < 1000 && has < 1001; answers += 1) {
          for (const message of member.messages()) {
            if (message.type !== 'append' || message.to !== 'b') continue;
            expect(message.previousIndex).toBeLessThanOrEqual(has);
            has = Math.max(has, message.previousIndex + message.entries.length);
          }
          member.raft.step({ from: 'b', to: 'a', term: 2, ...same(has) });
        }
        expect(has).toBe(1001);
      });

      it('puts no more into one message than fits, and one entry at least', () => {
        const member = leader({ log: [1], largestMessage: 10 });
        for (const text of ['four', 'five', 'a very long one', 'x']) member.raft.propose(data(text));
        member.messages();
        member.raft.step({ from: 'b', to: 'a', term: 2, ...same(2) });
        const sizes = member
          .messages()
          .flatMap((message) => (message.type === 'append' && message.to === 'b' ? [message.entries.length] : []));
        expect(sizes).toEqual([2, 1, 1]);
      });

      it('goes back, when refused, to where the logs may be the same, and sends from there', () => {
        const member = leader({ term: 3, log: [1, 1, 2, 3, 3] });
        const refusal = { type: 'append-answer', accepted: false, index: 5, hint: { index: 2, term: 1 } } as const;
        expect(member.receive('b', refusal)).toEqual(['a→b term 4: append [2,3,3,4] after 2 (term 1), commit 0']);
      });

      it('goes straight to the end of a log that is only shorter', () => {
        const member = leader({ log: [1, 1, 1, 1, 1] });
        const refusal = { type: 'append-answer', accepted: false, index: 5, hint: { index: 1, term: 1 } } as const;
        expect(member.receive('b', refusal)).toEqual(['a→b term 2: append [1,1,1,1,2] after 1 (term 1), commit 0']);
      });

      it('skips its own entries of terms that the follower has never seen', () => {
        const member = leader({ term: 5, log: [1, 4, 4, 4, 5] });
        const refusal = { type: 'append-answer', accepted: false, index: 5, hint: { index: 4, term: 1 } } as const;
        expect(member.receive('b', refusal)).toEqual(['a→b term 6: append [4,4,4,5,6] after 1 (term 1), commit 0']);
      });

      it('does not go back behind what the follower is known to have', () => {
        const member = leader({ log: [1, 1, 1] });
        member.receive('b', same(4));
        const late = { type: 'append-answer', accepted: false, index: 3, hint: { index: 0, term: 0 } } as const;
        expect(member.receive('b', late)).toEqual([]);
      });

      it('does not forget what a follower has when an old answer comes late', () => {
        const member = leader({ members: 'abcde', log: [1, 1, 1] });
        member.receive('b', same(4));
        member.receive('b', same(2));
        member.receive('c', same(4));
        expect(member.raft.commit).toBe(4);
      });

      it('sends again what got lost, when the follower shows that it is there', () => {
        const member = leader();
        member.says();
        const sent = member.receive('c', { type: 'heartbeat-answer', round: 0 });
        expect(sent).toEqual(['a→c term 2: append [2] after 0 (term 0), commit 0']);
      });

      it('replicates: a follower with another log ends with the leader’s', () => {
        const first = leader({ term: 6, log: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6] });
        const follower = new TestMember('b', { term: 7, log: [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3] });
        let toFollower = [{ from: 'a', to: 'b', term: 7, ...append(10, 6, [7]) } as Parameters<typeof first.raft.step>[0]];
        for (let turn = 0; turn < 10 && toFollower.length > 0; turn += 1) {
          for (const message of toFollower) follower.raft.step(message);
          for (const message of follower.messages()) first.raft.step(message);
          toFollower = first.messages().filter(({ to }) => to === 'b');
        }
        expect(follower.log).toEqual([1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7]);
      });
    });

    describe('when an entry is committed (§5.3, §5.4.2)', () => {
      it('is when a majority has it', () => {
        const member = leader({ members: 'abcde' });
        member.receive('b', same(1));
        expect(member.raft.commit).toBe(0);
        member.receive('c', same(1));
        expect(member.raft.commit).toBe(1);
      });

      it('is not when half of an even number has it', () => {
        const member = leader({ members: 'abcd' });
        member.receive('b', same(1));
        expect(member.raft.commit).toBe(0);
        member.receive('c', same(1));
        expect(member.raft.commit).toBe(1);
      });

      it('is when a majority has it, at index 10 as at index 9', () => {
        const member = leader({ log: [1, 1, 1, 1, 1, 1, 1, 1], members: 'abcde' });
        member.raft.propose(data('blue'));
        member.says();
        member.written();
        member.receive('b', same(9));
        member.receive('c', same(10));
        expect(member.raft.commit).toBe(9);
        member.receive('d', same(10));
        expect(member.raft.commit).toBe(10);
      });

      it('counts the leader only when the entry is on its own disk', () => {
        const member = settledLeader();
        member.raft.propose(data('blue'));
        member.says();
        expect(member.raft.commit).toBe(1);
        member.receive('b', same(2));
        expect(member.raft.commit).toBe(1);
        member.written();
        expect(member.raft.commit).toBe(2);
      });

      it('counts a follower once, however often it answers', () => {
        const member = leader({ members: 'abcde' });
        for (let times = 0; times < 3; times += 1) member.receive('b', same(1));
        expect(member.raft.commit).toBe(0);
      });

      it('commits nothing of an older term by counting: figure 8', () => {
        // As in figure 8 (c): entry 2 is of term 2, and is on a majority now, but another member could still be elected and overwrite it.
        const member = leader({ members: 'abcde', term: 3, log: [1, 2] });
        for (const id of ['b', 'c', 'd']) member.receive(id, same(2));
        expect(member.raft.commit).toBe(0);
      });

      it('commits older entries with the first of its own term', () => {
        const member = leader({ members: 'abcde', term: 3, log: [1, 2] });
        for (const id of ['b', 'c']) member.receive(id, same(3));
        expect(member.raft.commit).toBe(3);
        expect(member.applied).toEqual(['x1', 'x2']);
      });

      it('is told to the followers at once', () => {
        const member = leader();
        expect(member.receive('b', same(1))).toContain('a→b term 2: append [] after 1 (term 2), commit 1');
      });

      it('is told with a heartbeat only as far as the follower is known to have it', () => {
        const member = settledLeader();
        const told = member.tick();
        expect(told).toContain('a→b term 2: heartbeat, commit 1');
        expect(told).toContain('a→c term 2: heartbeat, commit 0');
      });

      it('needs nobody else in a cluster of one', () => {
        const member = leader({ members: 'a' });
        member.raft.propose(data('blue'));
        member.says();
        member.written();
        expect(member.applied).toEqual(['blue']);
      });
    });

    describe('who is asked to write', () => {
      it('sends it on to the leader if it follows one', () => {
        const member = new TestMember('a');
        member.receive('b', append(0, 0));
        expect(member.raft.propose(data('blue'))).toBe(true);
        expect(member.says()).toEqual(['a→b term 1: propose blue']);
      });

      it('says so if there is no leader, and keeps nothing', () => {
        const member = new TestMember('a');
        expect(member.raft.propose(data('blue'))).toBe(false);
        expect(member.log).toEqual([]);
      });
    });

    describe('reads that cannot be stale (thesis 6.4)', () => {
      const heard = (round: number) => ({ type: 'heartbeat-answer', round }) as const;
      /** What the last heartbeat asked. */
      const roundOf = (member: Member) =>
        Math.max(...member.messages().map((message) => (message.type === 'heartbeat' ? message.round : Number.NEGATIVE_INFINITY)));

      it('are granted when a majority has answered a heartbeat sent after the question', () => {
        const member = settledLeader();
        member.raft.read('r1');
        const round = roundOf(member);
        expect(member.reads).toEqual([]);
        member.receive('c', heard(round));
        expect(member.reads).toEqual([{ context: 'r1', index: 1 }]);
      });

      it('are not granted by the answer to an earlier heartbeat', () => {
        const member = settledLeader();
        member.raft.read('r1');
        const before = roundOf(member);
        member.receive('c', heard(before));
        member.raft.read('r2');
        member.says();
        member.receive('c', heard(before));
        expect(member.reads.map(({ context }) => context)).toEqual(['r1']);
      });

      it('are lost with a follower that knows of no leader', () => {
        const member = new TestMember('a');
        member.raft.read('r1');
        expect(member.says()).toEqual([]);
        expect(member.reads).toEqual([]);
      });

      it('are not granted by one follower of four that answers twice', () => {
        const member = leader({ members: 'abcde' });
        for (const id of ['b', 'c']) member.receive(id, same(1));
        member.raft.read('r1');
        const round = roundOf(member);
        for (let times = 0; times < 2; times += 1) member.receive('b', heard(round));
        expect(member.reads).toEqual([]);
        member.receive('e', heard(round));
        expect(member.reads).toHaveLength(1);
      });

      it('are of the moment of the question: what is committed later need not be in them', () => {
        const member = settledLeader();
        member.raft.read('r1');
        const round = roundOf(member);
        member.raft.propose(data('blue'));
        member.says();
        member.written();
        member.receive('b', same(2));
        member.receive('c', heard(round));
        expect(member.reads).toEqual([{ context: 'r1', index: 1 }]);
      });

      it('wait until a new leader has committed an entry of its own term: before, it does not know what is committed', () => {
        const member = leader({ term: 3, log: [1, 2] });
        member.raft.read('r1');
        member.says();
        for (let round = 0; round < 3; round += 1) member.receive('b', heard(round));
        expect(member.reads).toEqual([]);
        member.raft.step({ from: 'b', to: 'a', term: 4, ...same(3) });
        const round = roundOf(member);
        member.receive('b', heard(round));
        expect(member.reads).toEqual([{ context: 'r1', index: 3 }]);
      });

      it('are granted once, those that had to wait too', () => {
        const member = leader({ term: 3, log: [1, 2] });
        member.raft.read('r1');
        member.says();
        member.raft.step({ from: 'b', to: 'a', term: 4, ...same(3) });
        member.receive('b', heard(roundOf(member)));
        member.raft.propose(data('blue'));
        member.says();
        member.written();
        member.raft.step({ from: 'b', to: 'a', term: 4, ...same(4) });
        member.raft.read('r2');
        member.receive('b', heard(roundOf(member)));
        expect(member.reads.map(({ context }) => context)).toEqual(['r1', 'r2']);
      });

      it('need not wait for what is not committed', () => {
        const member = settledLeader();
        member.raft.propose(data('blue'));
        member.raft.read('r1');
        member.receive('c', heard(roundOf(member)));
        expect(member.reads).toEqual([{ context: 'r1', index: 1 }]);
      });

      it('are never granted by a leader that was deposed', () => {
        const member = settledLeader();
        member.raft.read('r1');
        const round = roundOf(member);
        member.receive('b', { type: 'heartbeat', commit: 1, round: 0 }, 3);
        member.receive('c', heard(round), 2);
        member.receive('c', heard(round), 3);
        expect(member.reads).toEqual([]);
      });

      it('go to the leader from a follower, and the answer back', () => {
        const follower = new TestMember('b', { log: [1] });
        follower.receive('a', append(1, 1));
        follower.raft.read('r1');
        expect(follower.says()).toEqual(['b→a term 1: read r1?']);

        const member = settledLeader();
        member.raft.step({ from: 'b', to: 'a', term: 2, type: 'read-index', context: 'r1' });
        const round = roundOf(member);
        expect(member.receive('c', heard(round))).toContain('a→b term 2: read r1 as of 1');

        follower.receive('a', { type: 'read-index-answer', context: 'r1', index: 1 });
        expect(follower.reads).toEqual([{ context: 'r1', index: 1 }]);
      });

      it('are sent on by nobody but the one who was asked: two that take each other for the leader would never end', () => {
        const follower = new TestMember('b', { log: [1] });
        follower.receive('a', append(1, 1));
        expect(follower.receive('c', { type: 'read-index', context: 'r1' })).toEqual([]);
      });

      it('are granted at once in a cluster of one', () => {
        const member = leader({ members: 'a' });
        member.written();
        member.raft.read('r1');
        member.says();
        expect(member.reads).toHaveLength(1);
      });

      it('write nothing', () => {
        const member = settledLeader();
        const before = member.log;
        member.raft.read('r1');
        member.tick(electionTicks - 1);
        expect(member.log).toEqual(before);
      });
    });
  }));
