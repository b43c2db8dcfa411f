// Each test is a rule of Raft, put to one member: it is told something, and must say the right thing. Sections are the paper's
// (https://raft.github.io/raft.pdf); "thesis" is Ongaro's.

import { beforeEach, describe, expect, it } from '@jest/globals';
import { NotImplemented } from '#kit/not-implemented';
import { electionTicks, newLeader, TestMember } from './raft-member.ts';

describe('etcd', () =>
  describe('1.8 electing a leader', () => {
    beforeEach(() => NotImplemented.forget());

    const heartbeat = { type: 'heartbeat', commit: 0, round: 0 } as const;
    const append = { type: 'append', previousIndex: 0, previousTerm: 0, entries: [], commit: 0 } as const;
    const yes = { type: 'vote-answer', granted: true } as const;
    const no = { type: 'vote-answer', granted: false } as const;
    const preYes = { type: 'pre-vote-answer', granted: true } as const;

    /** A member of five that has won its pre-election with b and c, and is a candidate of term 2 now. */
    function candidate(): TestMember {
      const member = new TestMember('a', { members: 'abcde', log: [1] });
      member.tick(electionTicks);
      for (const id of ['b', 'c']) member.receive(id, preYes, 2);
      expect(member.raft.role).toBe('candidate');
      return member;
    }

    it('elects a leader among three: the whole story', () => {
      const members = new Map(['a', 'b', 'c'].map((id) => [id, new TestMember(id, { log: [1], patience: id === 'a' ? 0 : 0.9 })]));
      const story: string[] = [];
      for (const member of members.values()) member.tick(electionTicks - 1);
      const said = [...members.values()].flatMap((member) => {
        member.raft.tick();
        return member.messages();
      });
      while (said.length > 0 && [...members.values()].every(({ raft }) => raft.role !== 'leader')) {
        const message = said.shift();
        const to = message && members.get(message.to);
        if (!message || !to) continue;
        story.push(`${message.from} to ${message.to}: ${message.type}${'granted' in message ? (message.granted ? ' yes' : ' no') : ''}`);
        to.raft.step(message);
        said.push(...to.messages());
      }
      expect(story).toEqual([
        'a to b: pre-vote',
        'a to c: pre-vote',
        'b to a: pre-vote-answer yes',
        'c to a: pre-vote-answer yes',
        'a to b: vote',
        'a to c: vote',
        'b to a: vote-answer yes',
      ]);
      expect([...members.values()].map(({ raft }) => [raft.role, raft.term])).toEqual([
        ['leader', 2],
        ['follower', 2],
        ['follower', 2],
      ]);
    });

    describe('patience (§5.2)', () => {
      it.each([
        { patience: 0, ticks: 10 },
        { patience: 0.5, ticks: 15 },
        { patience: 0.99, ticks: 19 },
      ])('waits $ticks ticks for a leader when the dice say $patience', ({ patience, ticks }) => {
        const member = new TestMember('a', { patience });
        expect(member.tick(ticks - 1)).toEqual([]);
        expect(member.tick()).toHaveLength(2);
      });

      it('waits anew whenever it hears its leader', () => {
        const member = new TestMember('a');
        for (let beat = 0; beat < 5; beat += 1) {
          expect(member.tick(electionTicks - 1)).toEqual([]);
          member.receive('b', heartbeat);
        }
        expect(member.standing).toMatchObject({ role: 'follower', leader: 'b', term: 1 });
      });

      it('waits anew when it gives its vote: the candidate needs time to win', () => {
        const member = new TestMember('a', { members: 'abcde', log: [1] });
        // It comes to know of term 2 by a candidate that it refuses.
        member.receive('b', { type: 'vote', lastIndex: 0, lastTerm: 0 }, 2);
        member.tick(electionTicks - 1);
        expect(member.receive('c', { type: 'vote', lastIndex: 1, lastTerm: 1 }, 2)).toEqual(['a→c term 2: vote: yes']);
        expect(member.tick(electionTicks - 1)).toEqual([]);
        expect(member.tick()).toHaveLength(4);
      });

      it('never stands for election when it is no member', () => {
        const member = new TestMember('d');
        expect(member.tick(5 * electionTicks)).toEqual([]);
      });

      it('leads at once when it is the only member', () => {
        const member = new TestMember('a', { members: 'a' });
        member.tick(electionTicks);
        expect(member.standing).toMatchObject({ role: 'leader', term: 2, leader: 'a' });
      });
    });

    describe('asking first (pre-vote; thesis 9.6)', () => {
      it('asks for the next term, and does not begin it', () => {
        const member = new TestMember('a', { log: [1, 1] });
        expect(member.tick(electionTicks)).toEqual([
          'a→b term 2: pre-vote? my log ends at 2 (term 1)',
          'a→c term 2: pre-vote? my log ends at 2 (term 1)',
        ]);
        expect(member.standing).toMatchObject({ role: 'pre-candidate', term: 1 });
      });

      it('does not raise the term however long nobody answers', () => {
        const member = new TestMember('a');
        member.tick(20 * electionTicks);
        expect(member.raft.term).toBe(1);
      });

      it('begins the term when a majority would vote for it', () => {
        const member = new TestMember('a', { members: 'abcde', log: [1] });
        member.tick(electionTicks);
        expect(member.receive('b', preYes, 2)).toEqual([]);
        expect(member.receive('c', preYes, 2)).toEqual(['b', 'c', 'd', 'e'].map((to) => `a→${to} term 2: vote? my log ends at 1 (term 1)`));
        expect(member.standing).toMatchObject({ role: 'candidate', term: 2 });
      });

      it('is asked without promising anything: two may be told yes', () => {
        const member = new TestMember('a');
        const request = { type: 'pre-vote', lastIndex: 0, lastTerm: 0 } as const;
        expect(member.receive('b', request, 2)).toEqual(['a→b term 2: pre-vote: yes']);
        expect(member.receive('c', request, 2)).toEqual(['a→c term 2: pre-vote: yes']);
        expect(member.disk).toMatchObject({ term: 1, vote: undefined });
      });
    });

    describe('one vote a term (§5.2)', () => {
      const request = { type: 'vote', lastIndex: 1, lastTerm: 1 } as const;

      it('is given to the first who asks, and to nobody else in that term', () => {
        const member = new TestMember('a', { log: [1] });
        expect(member.receive('b', request, 2)).toEqual(['a→b term 2: vote: yes']);
        expect(member.receive('c', request, 2)).toEqual(['a→c term 2: vote: no']);
      });

      it('is given again to the same candidate: its first answer may have got lost', () => {
        const member = new TestMember('a', { log: [1] });
        member.receive('b', request, 2);
        expect(member.receive('b', request, 2)).toEqual(['a→b term 2: vote: yes']);
      });

      it('is on the disk before it is given', () => {
        const member = new TestMember('a', { log: [1] });
        member.receive('b', request, 2);
        expect(member.disk).toMatchObject({ term: 2, vote: 'b' });
      });

      it('is not forgotten by a restart', () => {
        const restarted = new TestMember('a', { term: 2, vote: 'b', log: [1] });
        expect(restarted.receive('c', request, 2)).toEqual(['a→c term 2: vote: no']);
      });

      it('is free again in the next term', () => {
        const member = new TestMember('a', { term: 2, vote: 'b', log: [1] });
        expect(member.receive('c', request, 3)).toEqual(['a→c term 3: vote: yes']);
      });

      it('goes to the candidate itself first', () => {
        const member = candidate();
        expect(member.disk).toMatchObject({ term: 2, vote: 'a' });
        expect(member.receive('d', request, 2)).toEqual(['a→d term 2: vote: no']);
      });

      it('is not given in a term that has its leader already', () => {
        const member = new TestMember('a', { log: [1] });
        member.receive('b', heartbeat);
        expect(member.receive('c', request, 1)).toEqual(['a→c term 1: vote: no']);
        expect(member.standing).toMatchObject({ role: 'follower', leader: 'b' });
      });
    });

    describe('whose log is at least as new (§5.4.1)', () => {
      it.each([
        { candidate: 'the same log', lastIndex: 3, lastTerm: 2, answer: 'yes' },
        { candidate: 'a longer log of the same term', lastIndex: 4, lastTerm: 2, answer: 'yes' },
        { candidate: 'a shorter log of the same term', lastIndex: 2, lastTerm: 2, answer: 'no' },
        { candidate: 'a shorter log of a later term', lastIndex: 1, lastTerm: 3, answer: 'yes' },
        { candidate: 'a longer log of an earlier term', lastIndex: 9, lastTerm: 1, answer: 'no' },
      ])('says $answer to $candidate', ({ lastIndex, lastTerm, answer }) => {
        const member = new TestMember('a', { term: 3, log: [1, 1, 2] });
        expect(member.receive('b', { type: 'pre-vote', lastIndex, lastTerm }, 4).at(0)).toMatch(new RegExp(`pre-vote: ${answer}$`));
        expect(member.receive('b', { type: 'vote', lastIndex, lastTerm }, 4)).toEqual([`a→b term 4: vote: ${answer}`]);
      });
    });

    describe('counting (§5.2)', () => {
      it('leads with the votes of a majority', () => {
        const member = candidate();
        member.receive('b', yes);
        expect(member.raft.role).toBe('candidate');
        member.receive('c', yes);
        expect(member.standing).toMatchObject({ role: 'leader', term: 2, leader: 'a' });
      });

      it('takes half of four for no majority', () => {
        const member = new TestMember('a', { members: 'abcd' });
        member.tick(electionTicks);
        member.receive('b', preYes, 2);
        expect(member.raft.role).toBe('pre-candidate');
        member.receive('c', preYes, 2);
        expect(member.raft.role).toBe('candidate');
      });

      it('counts a member once, however often its answer comes', () => {
        const member = candidate();
        for (let times = 0; times < 3; times += 1) member.receive('b', yes);
        expect(member.raft.role).toBe('candidate');
      });

      it('keeps to the first answer of a member', () => {
        const member = candidate();
        for (const answer of [no, yes]) member.receive('b', answer);
        member.receive('c', yes);
        expect(member.raft.role).toBe('candidate');
        member.receive('d', yes);
        expect(member.raft.role).toBe('leader');
      });

      it('does not count strangers', () => {
        const member = candidate();
        for (const stranger of ['x', 'y', 'z']) member.receive(stranger, yes);
        expect(member.raft.role).toBe('candidate');
      });

      it('gives up when a majority refuses', () => {
        const member = candidate();
        for (const id of ['b', 'c', 'd']) member.receive(id, no);
        expect(member.standing).toMatchObject({ role: 'follower', term: 2 });
      });

      it('does not take the answer to a pre-vote for a vote', () => {
        const member = candidate();
        for (const id of ['d', 'e']) member.receive(id, preYes, 2);
        expect(member.raft.role).toBe('candidate');
      });

      it('tells everybody at once that it leads', () => {
        const member = candidate();
        member.receive('b', yes);
        const told = member.receive('c', yes);
        expect(told.map((text) => text.slice(0, 'a→b term 2'.length))).toEqual(['b', 'c', 'd', 'e'].map((to) => `a→${to} term 2`));
      });
    });

    describe('terms (§5.1)', () => {
      it.each(['candidate', 'leader'])('makes a %s follow whoever speaks in a newer term', (role) => {
        const member = role === 'leader' ? newLeader() : candidate();
        member.receive('b', heartbeat, 7);
        expect(member.standing).toMatchObject({ role: 'follower', term: 7, leader: 'b' });
        expect(member.disk).toMatchObject({ term: 7, vote: undefined });
      });

      it('makes a candidate follow the leader of its own term', () => {
        const member = candidate();
        member.receive('b', heartbeat);
        expect(member.standing).toMatchObject({ role: 'follower', term: 2, leader: 'b' });
      });

      it.each([heartbeat, append])('does not follow a leader of an older term that sends its $type, and lets it know', (message) => {
        const member = new TestMember('a', { term: 5 });
        const [answer] = member.receive('b', message, 4);
        expect(member.raft.leader).toBeUndefined();
        expect(answer).toMatch(/^a→b term 5: /);
      });

      it('lets a pre-candidate of an older term know, too', () => {
        const member = new TestMember('a', { term: 5 });
        expect(member.receive('b', { type: 'pre-vote', lastIndex: 9, lastTerm: 4 }, 5)).toEqual(['a→b term 5: pre-vote: no']);
        expect(member.receive('b', { type: 'pre-vote', lastIndex: 9, lastTerm: 4 }, 4)).toEqual(['a→b term 5: pre-vote: no']);
      });

      it('has no ear for votes of an older term, nor an answer to who asks for one', () => {
        const member = candidate();
        for (const id of ['b', 'c', 'd']) expect(member.receive(id, yes, 1)).toEqual([]);
        expect(member.raft.role).toBe('candidate');
        expect(member.receive('b', { type: 'vote', lastIndex: 9, lastTerm: 1 }, 1)).toEqual([]);
      });

      it('stands for nothing when it is not a member, but does not wait for a silent leader for ever', () => {
        const removed = new TestMember('x');
        removed.receive('b', heartbeat);
        expect(removed.tick(electionTicks)).toEqual([]);
        expect(removed.standing).toMatchObject({ role: 'follower', leader: undefined });
      });
    });

    describe('loyalty (§6; thesis 4.2.3 and 6.2)', () => {
      const request = { type: 'vote', lastIndex: 9, lastTerm: 9 } as const;

      it('ignores who wants to depose a leader that is well', () => {
        const member = new TestMember('a');
        member.receive('b', heartbeat);
        member.tick(electionTicks - 1);
        expect(member.receive('c', request, 9)).toEqual([]);
        expect(member.receive('c', { ...request, type: 'pre-vote' }, 9)).toEqual([]);
        expect(member.standing).toMatchObject({ term: 1, leader: 'b' });
      });

      it('votes again when the leader was silent for as long as an election takes', () => {
        const member = new TestMember('a', { patience: 0.9 });
        member.receive('b', heartbeat);
        member.tick(electionTicks);
        expect(member.receive('c', request, 9)).toEqual(['a→c term 9: vote: yes']);
      });

      it('votes at once when the leader itself wants another', () => {
        const member = new TestMember('a');
        member.receive('b', heartbeat);
        expect(member.receive('c', { ...request, transfer: true }, 2)).toEqual(['a→c term 2: vote: yes']);
      });

      it('is lost by a leader that hears no majority: it steps down', () => {
        const member = newLeader();
        member.tick(2 * electionTicks - 1);
        expect(member.standing).toMatchObject({ role: 'follower', leader: undefined, term: 2 });
      });

      it('is kept by a leader that hears a majority', () => {
        const member = newLeader({ members: 'abcde' });
        for (let beat = 0; beat < 5 * electionTicks; beat += 1) {
          member.tick();
          for (const id of ['b', 'c']) member.receive(id, { type: 'heartbeat-answer', round: 0 });
        }
        expect(member.raft.role).toBe('leader');
      });

      it('is lost by a leader that heard a majority once, and then no more', () => {
        const member = newLeader();
        for (const id of ['b', 'c']) member.receive(id, { type: 'heartbeat-answer', round: 0 });
        member.tick(3 * electionTicks - 1);
        expect(member.standing).toMatchObject({ role: 'follower', leader: undefined, term: 2 });
      });

      it('is not kept by one follower that answers a hundred times', () => {
        const member = newLeader({ members: 'abcde' });
        for (let beat = 0; beat < 5 * electionTicks; beat += 1) {
          member.tick();
          if (member.raft.role === 'leader') member.receive('b', { type: 'heartbeat-answer', round: 0 });
        }
        expect(member.raft.role).not.toBe('leader');
      });
    });
  }));
