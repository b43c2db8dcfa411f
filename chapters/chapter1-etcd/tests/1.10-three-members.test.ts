// Three members that are one etcd: clients talk to any of them. The first half holds for every cluster over the wire; at the end, what a
// member does with its disk and who may be a member are looked at by themselves.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { inOnePiece } from '#etcd/codec';
import type { Journal } from '#etcd/journal';
import { RaftMember } from '#etcd/raft/member';
import type { Body, Entry } from '#etcd/raft/messages';
import { openStorage } from '#etcd/raft/storage';
import { encodeRecord, Recovered } from '#etcd/raft/wire';
import { type Reconfiguration, withMember, withoutMember } from '#etcd/reconfiguration';
import { FakeClock, seededRandom } from '#kit/clock';
import { silentLogger } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import { describeEvent, type EtcdClient, failureOf, pair } from '#kit/testing/etcd-client';
import { eventually } from '#kit/testing/wait';
import { TestCluster, type TestMember } from './etcd-cluster.ts';

describe('etcd', () =>
  describe('1.10 three members', () => {
    beforeEach(() => NotImplemented.forget());

    const value = async (client: EtcdClient, key: string) => (await client.range({ key })).kvs.map(pair)[0];
    const timedOut = { code: 'UNAVAILABLE', details: 'etcdserver: request timed out' };
    /** Asks again until somebody takes it: what a leader takes with it into its grave is never answered. */
    const put = (client: EtcdClient, key: string, text: string) =>
      eventually(`${key}=${text} is taken`, () => client.put({ key, value: text }), { within: 9000 });

    describe('one etcd', () => {
      let cluster: TestCluster;
      beforeAll(async () => {
        NotImplemented.forget();
        cluster = await TestCluster.start('abc', { speed: 4 });
      });
      afterAll(() => cluster?.stop());
      const clients = () => cluster.members.map(({ client }) => client);

      it('takes a change on any member, and any member reads it at once', async () => {
        for (const [index, writer] of clients().entries()) {
          await writer.put({ key: 'color', value: `from-${index}` });
          for (const reader of clients()) expect(await value(reader, 'color')).toBe(`color=from-${index}`);
        }
      });

      it('counts revisions once for all, whoever takes the changes', async () => {
        const before = (await cluster.members[0]?.client.range({ key: 'none' }))?.header.revision ?? 0;
        const puts = Array.from({ length: 30 }, (_, index) => clients()[index % 3]?.put({ key: `count/${index}`, value: '' }));
        const revisions = (await Promise.all(puts)).map((answer) => answer?.header.revision ?? 0);
        expect(revisions.toSorted((left, right) => left - right)).toEqual(puts.map((_, index) => before + 1 + index));
      });

      it('answers a command that cannot be carried out with the same error everywhere, and goes on', async () => {
        for (const client of clients()) {
          expect(await failureOf(client.put({ key: 'leased', lease: 77 }))).toEqual({
            code: 'NOT_FOUND',
            details: 'etcdserver: requested lease not found',
          });
        }
        await clients()[0]?.put({ key: 'after', value: '1' });
      });

      it('agrees on who leads, in which term, and on the cluster’s id', async () => {
        const all = await Promise.all(clients().map((client) => client.status()));
        const of = <T>(look: (status: (typeof all)[number]) => T) => new Set(all.map(look)).size;
        expect({ leaders: of(({ leader }) => leader), terms: of(({ raftTerm }) => raftTerm) }).toEqual({ leaders: 1, terms: 1 });
        expect({ clusters: of(({ header }) => header.clusterId), members: of(({ header }) => header.memberId) }).toEqual({
          clusters: 1,
          members: 3,
        });
        expect(all.map(({ header }) => header.memberId)).toContain(all[0]?.leader);
        expect(all.map(({ header }) => header.raftTerm)).toEqual(all.map(({ raftTerm }) => raftTerm));
      });

      it('tells watchers of every member the same, in the same order', async () => {
        const streams = clients().map((client) => client.watch());
        try {
          for (const stream of streams) await stream.create({ key: 'watched' });
          await Promise.all(Array.from({ length: 12 }, (_, index) => clients()[index % 3]?.put({ key: 'watched', value: `${index}` })));
          const told = await Promise.all(streams.map(async (stream) => (await stream.events(12)).map(describeEvent)));
          expect(told[1]).toEqual(told[0]);
          expect(told[2]).toEqual(told[0]);
        } finally {
          for (const stream of streams) stream.close();
        }
      });

      it('holds the same on every member, also after a compaction', async () => {
        const { header } = (await clients()[0]?.put({ key: 'hashed', value: '1' })) ?? { header: { revision: 0 } };
        await clients()[1]?.compact(header.revision - 3);
        await eventually('all members have applied it', async () => {
          const hashes = await Promise.all(clients().map((client) => client.hashKv(header.revision)));
          return hashes.every(({ hash, compactRevision }) => hash === hashes[0]?.hash && compactRevision === header.revision - 3);
        });
      });

      it('lists its members with their names and URLs, on every member', async () => {
        const expected = cluster.members.map(({ name, peerUrl, url }) => ({ name, peerURLs: [peerUrl], clientURLs: [url] }));
        for (const client of clients()) {
          await eventually('all have said who they are', async () => {
            const { members } = await client.memberList();
            expect(members.toSorted((left, right) => (left.name < right.name ? -1 : 1))).toMatchObject(expected);
            return true;
          });
        }
      });

      it('keeps a lease alive through any member', async () => {
        const leases = [5, 6, 7];
        for (const ID of leases) await clients()[0]?.leaseGrant({ TTL: 60, ID });
        await clients()[1]?.put({ key: 'leased', lease: 5 });
        const left = async (ID: number) => (await clients()[2]?.leaseTimeToLive({ ID }))?.TTL ?? 0;
        await eventually('time passes', async () => (await Promise.all(leases.map(left))).every((TTL) => TTL < 57));
        for (const [index, client] of clients().entries()) {
          const ID = leases[index] as number;
          expect(await client.leaseKeepAlive(ID)).toMatchObject({ ID, TTL: 60 });
          expect(await left(ID)).toBeGreaterThanOrEqual(57);
          expect(await client.leaseTimeToLive({ ID: 5, keys: true })).toMatchObject({ grantedTTL: 60, keys: [Buffer.from('leased')] });
        }
      });

      it('expires a lease once for all', async () => {
        const streams = clients().map((client) => client.watch());
        try {
          for (const stream of streams) await stream.create({ key: 'lost' });
          const [first, second] = clients() as [EtcdClient, EtcdClient];
          await first.leaseGrant({ TTL: 2, ID: 8 });
          await second.put({ key: 'lost', value: '1', lease: 8 });
          for (const stream of streams) expect((await stream.events(2)).map(({ type }) => type)).toEqual(['PUT', 'DELETE']);
          for (const client of clients()) expect((await client.leaseTimeToLive({ ID: 8 })).TTL).toBe(-1);
        } finally {
          for (const stream of streams) stream.close();
        }
      });
    });

    describe('when members are lost', () => {
      let cluster: TestCluster | undefined;
      const start = async (options: Parameters<typeof TestCluster.start>[1] = {}) => {
        cluster = await TestCluster.start('abc', { speed: 4, ...options });
        return cluster;
      };
      afterEach(async () => {
        await cluster?.stop();
        cluster = undefined;
      });

      it('loses nothing with its leader, and goes on without it', async () => {
        const trio = await start();
        const first = await trio.leader();
        await first.client.put({ key: 'before', value: '1' });
        await first.kill();
        const second = await trio.leader();
        for (const { client } of trio.others(first)) {
          await put(client, 'after', '2');
          expect([await value(client, 'before'), await value(client, 'after')]).toEqual(['before=1', 'after=2']);
        }
        expect((await second.client.status()).raftTerm).toBeGreaterThan(1);
        await first.start();
        expect(await eventually('the first one is back', () => value(first.client, 'after'))).toBe('after=2');
      });

      it('remembers all that it has acknowledged when all members lose their power', async () => {
        const trio = await start();
        const acknowledged: string[] = [];
        for (let index = 0; index < 30; index++) {
          await (trio.members[index % 3] as TestMember).client.put({ key: `key/${index}`, value: 'x' });
          acknowledged.push(`key/${index}=x`);
        }
        for (const member of trio.members) await member.kill();
        for (const member of trio.members) await member.start();
        const leader = await trio.leader();
        const { kvs } = await leader.client.range({ key: 'key/', rangeEnd: 'key0' });
        expect(kvs.map(pair).toSorted()).toEqual(acknowledged.toSorted());
      });

      it('brings who comes back far behind up to the present with a snapshot, and its watchers too', async () => {
        const trio = await start({ snapshotAfterBytes: 2000, catchUpEntries: 10 });
        const leader = await trio.leader();
        const [lagging] = trio.others(leader) as [TestMember];
        const stream = lagging.client.watch();
        await stream.create({ key: 'key/7' });
        await leader.client.leaseGrant({ TTL: 1000, ID: 9 });
        await trio.cutOff(lagging);
        for (let round = 0; round < 6; round++) {
          await Promise.all(
            Array.from({ length: 20 }, (_, index) => leader.client.put({ key: `key/${index}`, value: `${round}`, lease: 9 })),
          );
        }
        expect((await lagging.client.range({ key: 'key/7', serializable: true })).count).toBe(0);
        trio.heal();
        await eventually('it has caught up', async () => (await value(lagging.client, 'key/7')) === 'key/7=5');
        expect((await stream.events(6)).map(({ kv }) => String(kv.value))).toEqual(['0', '1', '2', '3', '4', '5']);
        stream.close();
        const { revision } = (await leader.client.status()).header;
        expect((await lagging.client.hashKv(revision)).hash).toBe((await leader.client.hashKv(revision)).hash);
        expect((await lagging.client.leaseTimeToLive({ ID: 9, keys: true })).keys).toHaveLength(20);
        await lagging.kill();
        await lagging.start();
        expect(await eventually('it is back', () => value(lagging.client, 'key/7'))).toBe('key/7=5');
      });

      it('takes nothing without a majority, and says so; reads that may be old go on', async () => {
        const trio = await start();
        const leader = await trio.leader();
        await leader.client.put({ key: 'color', value: 'blue' });
        for (const other of trio.others(leader)) await other.stop();
        const [written, read] = await Promise.all([
          failureOf(leader.client.put({ key: 'color', value: 'red' })),
          failureOf(leader.client.range({ key: 'color' })),
        ]);
        expect({ written, read }).toEqual({ written: timedOut, read: timedOut });
        const old = await leader.client.range({ key: 'color', serializable: true });
        expect(old.kvs.map(pair)).toEqual(['color=blue']);
        // It finds out that it leads nobody an election's time later.
        await eventually('it says so', async () => (await leader.client.status()).errors.includes('etcdserver: no leader'));
        for (const other of trio.members) if (!other.isUp) await other.start();
        await put(leader.client, 'color', 'green');
      });

      it('ends a watch that requires a leader when there is none; one that does not waits, and misses nothing', async () => {
        const trio = await start();
        const leader = await trio.leader();
        const [patient, demanding] = [leader.client.watch(), leader.client.watch({ requireLeader: true })];
        for (const stream of [patient, demanding]) await stream.create({ key: 'color' });
        await put(leader.client, 'color', 'blue');
        expect((await demanding.events(1)).map(describeEvent)).toEqual((await patient.events(1)).map(describeEvent));
        for (const other of trio.others(leader)) await other.stop();
        const noLeader = { code: 'UNAVAILABLE', details: 'etcdserver: no leader' };
        expect(await failureOf(demanding.next('the end of a watch without a leader'))).toEqual(noLeader);
        expect(await failureOf(leader.client.watch({ requireLeader: true }).next())).toEqual(noLeader);
        for (const other of trio.members) if (!other.isUp) await other.start();
        await put(leader.client, 'color', 'green');
        expect((await patient.events(1)).map(({ kv }) => pair(kv))).toEqual(['color=green']);
        patient.close();
      });

      it('forgets what a leader took while it was cut off, and never shows it', async () => {
        const trio = await start();
        const first = await trio.leader();
        await first.client.put({ key: 'color', value: 'blue' });
        await trio.cutOff(first);
        const refused = failureOf(first.client.put({ key: 'color', value: 'alone' }));
        const second = await trio.leader(trio.others(first));
        await put(second.client, 'color', 'red');
        expect((await first.client.range({ key: 'color', serializable: true })).kvs.map(pair)).toEqual(['color=blue']);
        expect(await refused).toEqual(timedOut);
        trio.heal();
        for (const { client } of trio.members) {
          await eventually('it knows what the majority decided', async () => (await value(client, 'color')) === 'color=red');
        }
        const { kvs } = await first.client.range({ key: 'color' });
        expect(kvs[0]?.version).toBe(2);
      });

      it('gives every lease all its time again when another member leads', async () => {
        const trio = await start();
        const first = await trio.leader();
        await first.client.leaseGrant({ TTL: 1000, ID: 5 });
        // Every member knows the lease before it leads: what is granted afterwards is counted from the grant on.
        await first.client.put({ key: 'leased', lease: 5 });
        for (const { client } of trio.others(first)) {
          await eventually('it knows the lease', async () => (await client.range({ key: 'leased', serializable: true })).kvs.length === 1);
        }
        await first.stop();
        const second = await trio.leader();
        await eventually('the new leader counts', async () => (await second.client.leaseTimeToLive({ ID: 5 })).TTL > 990);
      });

      it('expires leases after its leader has changed', async () => {
        const trio = await start();
        const first = await trio.leader();
        await first.client.leaseGrant({ TTL: 4, ID: 5 });
        await first.client.put({ key: 'leased', lease: 5 });
        await first.stop();
        const second = await trio.leader();
        await eventually('it is gone', async () => (await value(second.client, 'leased')) === undefined);
      });

      it('gives the lead away when asked, to whom it was asked', async () => {
        const trio = await start();
        const first = await trio.leader();
        const [second] = trio.others(first) as [TestMember];
        const target = await second.exactId();
        expect(await failureOf(second.client.moveLeader(target))).toEqual({
          code: 'FAILED_PRECONDITION',
          details: 'etcdserver: not leader',
        });
        await first.client.moveLeader(target);
        expect((await trio.leader()).name).toBe(second.name);
      });
    });

    describe('members added and removed', () => {
      let cluster: TestCluster | undefined;
      const start = async (names: string) => {
        cluster = await TestCluster.start(names, { speed: 4 });
        return cluster;
      };
      afterEach(async () => {
        await cluster?.stop();
        cluster = undefined;
      });
      const membersOf = async ({ client }: TestMember) =>
        (await client.memberList()).members.map(({ name }) => name || 'unstarted').toSorted();
      /** Until the others have said who they are, and have been heard. */
      const grow = async (by: TestCluster, name: string) => {
        const member = await by.newMember(name);
        const leader = await by.leader(by.members.filter(({ isUp }) => isUp));
        await eventually(`${name} may be added`, () => leader.client.memberAdd(member.peerUrl));
        expect(await membersOf(leader)).toContain('unstarted');
        await by.join(member);
        await eventually(`${name} is one of them`, async () => (await membersOf(leader)).includes(name));
        return member;
      };

      it('grow one by one from one to three, and the new ones get everything', async () => {
        const growing = await start('a');
        const [a] = growing.members as [TestMember];
        await a.client.put({ key: 'color', value: 'blue' });
        const b = await grow(growing, 'b');
        const c = await grow(growing, 'c');
        expect(await value(b.client, 'color')).toBe('color=blue');
        expect(await membersOf(c)).toEqual(['a', 'b', 'c']);
        await a.kill();
        await put(c.client, 'color', 'red');
        expect(await value(b.client, 'color')).toBe('color=red');
      });

      it('are the same after all were stopped', async () => {
        const growing = await start('a');
        const b = await grow(growing, 'b');
        for (const member of growing.members) await member.kill();
        await Promise.all([growing.members[0]?.start(), growing.join(b)]);
        await eventually('both are back', async () => (await membersOf(b)).join() === 'a,b');
      });

      it('that are removed are told so and serve nobody, and the others go on', async () => {
        const trio = await start('abc');
        const leader = await trio.leader();
        const [removed, other] = trio.others(leader) as [TestMember, TestMember];
        const id = await removed.exactId();
        const stream = removed.client.watch();
        await stream.create({ key: 'color' });
        await eventually('it may be removed', () => other.client.memberRemove(id));
        expect(await membersOf(other)).toHaveLength(2);
        const gone = { code: 'UNAVAILABLE', details: 'etcdserver: the member has been permanently removed from the cluster' };
        await eventually('it is told', async () => {
          expect(await failureOf(removed.client.range({ key: 'color', serializable: true }))).toEqual(gone);
          return true;
        });
        expect(await failureOf(removed.client.put({ key: 'color', value: 'red' }))).toEqual(gone);
        expect(await failureOf(stream.next('the end of its watches'))).toEqual(gone);
        expect(await failureOf(removed.client.watch().next('the end of a new watch'))).toEqual(gone);
        await put(leader.client, 'color', 'blue');
        expect(await failureOf(other.client.memberRemove(id))).toEqual({ code: 'NOT_FOUND', details: 'etcdserver: member not found' });
      });

      it('may be the leader itself: the others find another', async () => {
        const trio = await start('abc');
        const first = await trio.leader();
        const rest = trio.others(first);
        const id = await first.exactId();
        await eventually('it may be removed', () => first.client.memberRemove(id));
        const second = await trio.leader(rest);
        await put(second.client, 'color', 'blue');
        expect(await membersOf(second)).toEqual(rest.map(({ name }) => name));
      });

      it('all vote: there are no learners, and nobody is one who could be promoted', async () => {
        const { client } = (await start('a')).members[0] as TestMember;
        expect(await failureOf(client.memberAddLearner('http://127.0.0.1:9'))).toEqual({
          code: 'UNIMPLEMENTED',
          details: expect.stringContaining('add a member that votes'),
        });
        const { members } = await client.memberList();
        expect(members).toHaveLength(1);
        expect((await failureOf(client.memberPromote(members[0]?.ID ?? ''))).details).toBe('etcdserver: can only promote a learner member');
        expect((await failureOf(client.memberPromote('77'))).details).toBe('etcdserver: member not found');
      });

      it('can be told to be somewhere else', async () => {
        const trio = await start('abc');
        const leader = await trio.leader();
        const [moving] = trio.others(leader) as [TestMember];
        const id = await moving.exactId();
        await moving.stop();
        await moving.move();
        await eventually('the change is made', () => leader.client.memberUpdate(id, moving.peerUrl));
        await put(leader.client, 'color', 'blue');
        await moving.start('existing');
        expect(await eventually('it is back', () => value(moving.client, 'color'))).toBe('color=blue');
      });

      it('belong to one cluster: another one’s data directory is refused', async () => {
        const one = await start('a');
        const [member] = one.members as [TestMember];
        await member.stop();
        await expect(member.start('new', `a=${member.peerUrl},z=http://127.0.0.1:9`)).rejects.toThrow('belongs to another cluster');
      });
    });

    describe('the order of things in a member', () => {
      /** A member of three whose disk takes as long as the test wants; what it does, in order. */
      function slowMember() {
        const done: string[] = [];
        let isWritten = () => {};
        const member = new RaftMember({
          id: 'a',
          durable: new Recovered(['a', 'b', 'c'].map((id) => ({ id }))),
          journal: {
            append: async ([record]) => {
              const recovered = new Recovered([]);
              recovered.add(record ?? Buffer.alloc(0));
              const { hardState, entries } = recovered;
              done.push(`write term ${hardState.term} vote ${hardState.vote} entries ${entries.map(({ index }) => index)}`);
              await new Promise<void>((resolve) => {
                isWritten = resolve;
              });
            },
          },
          send: (messages) => done.push(...messages.map(({ type, to }) => `send ${type} to ${to}`)),
          apply: ({ index }) => done.push(`apply ${index}`),
          install: ({ index }) => done.push(`install ${index}`),
          capture: () => [],
          clock: new FakeClock(),
          random: seededRandom(1),
          log: silentLogger,
        });
        const settle = async () => {
          for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
          if (NotImplemented.first) throw NotImplemented.first;
        };
        const receive = async (message: Body) => {
          member.receive({ from: 'b', to: 'a', term: 2, ...message });
          await settle();
          return done.splice(0);
        };
        const write = async () => {
          isWritten();
          await settle();
          return done.splice(0);
        };
        return { member, receive, write };
      }
      const append = (terms: number[], commit: number): Body => {
        const sent = terms.map((term, position) => ({ index: position + 1, term, data: Buffer.from('x') }));
        return { type: 'append', previousIndex: 0, previousTerm: 0, entries: sent, commit };
      };

      it('promises a vote only when it is on the disk', async () => {
        const { receive, write } = slowMember();
        expect(await receive({ type: 'vote', lastIndex: 0, lastTerm: 0 })).toEqual(['write term 2 vote b entries ']);
        expect(await write()).toEqual(['send vote-answer to b']);
      });

      it('acknowledges entries, and applies them, only when they are on the disk', async () => {
        const { receive, write } = slowMember();
        expect(await receive(append([1, 2, 2], 2))).toEqual(['write term 2 vote undefined entries 1,2,3']);
        expect(await write()).toEqual(['send append-answer to b', 'apply 1', 'apply 2']);
      });

      it('installs a snapshot when it is on the disk, and then applies what follows it', async () => {
        const { receive, write } = slowMember();
        const snapshot = { index: 7, term: 1, members: ['a', 'b', 'c'].map((id) => ({ id })), data: Buffer.from('state') };
        expect(await receive({ type: 'snapshot', snapshot })).toHaveLength(1);
        expect(await write()).toEqual(['send append-answer to b', 'install 7']);
        const later = {
          type: 'append',
          previousIndex: 7,
          previousTerm: 1,
          entries: [{ index: 8, term: 2, data: Buffer.from('x') }],
          commit: 8,
        } as const;
        expect(await receive(later)).toHaveLength(1);
        expect(await write()).toEqual(['send append-answer to b', 'apply 8']);
      });

      it('does not touch the disk when there is nothing to remember', async () => {
        const { receive, write } = slowMember();
        await receive(append([2], 0));
        await write();
        expect(await receive({ type: 'heartbeat', commit: 1, round: 1 })).toEqual(['send heartbeat-answer to b', 'apply 1']);
      });
    });

    describe('what a member finds on its disk', () => {
      const record = (turn: Parameters<typeof encodeRecord>[0]) => encodeRecord(turn);
      const entry = (index: number, term: number): Entry => ({ index, term, data: Buffer.from(`x${index}`) });
      const open = (records: Buffer[], snapshot?: Buffer[]) =>
        openStorage(async ({ restore, replay }) => {
          if (snapshot) restore(snapshot, 10);
          for (const each of records) replay(each);
          return {} as Journal;
        });
      const members = [{ id: 'a', peerUrls: ['http://127.0.0.1:1'] }];

      it('is what its turns have written, the later over the earlier', async () => {
        const { recovered, state } = await open([
          record({ hardState: { term: 1, vote: 'a' }, entries: [entry(1, 1), entry(2, 1), entry(3, 1)] }),
          record({ hardState: { term: 2, vote: undefined }, entries: [entry(2, 2)] }),
        ]);
        expect(recovered.hardState).toEqual({ term: 2, vote: undefined });
        expect(recovered.entries.map(({ index, term }) => `${index}/${term}`)).toEqual(['1/1', '2/2']);
        expect(state).toEqual([]);
      });

      it('is a snapshot’s turns and state, and the turns since', async () => {
        const snapshot = { index: 5, term: 1, members, data: Buffer.alloc(0) };
        const turns = record({
          identity: { memberId: '1', clusterId: '2' },
          hardState: { term: 1, vote: 'a' },
          snapshot,
          entries: [entry(6, 1)],
        });
        const { recovered, state } = await open([record({ entries: [entry(7, 1)] })], [turns, Buffer.from('one'), Buffer.from('two')]);
        expect(recovered.identity).toEqual({ memberId: '1', clusterId: '2' });
        expect(recovered.snapshot).toMatchObject({ index: 5, members });
        expect(recovered.entries.map(({ index }) => index)).toEqual([6, 7]);
        expect(state.map(String)).toEqual(['one', 'two']);
      });

      it('is the state that came from a leader, if that came last', async () => {
        const data = inOnePiece([Buffer.from('three')]);
        const first = record({ snapshot: { index: 5, term: 1, members, data: Buffer.alloc(0) } });
        const received = record({ snapshot: { index: 9, term: 2, members, data } });
        const { recovered, state } = await open([received, record({ entries: [entry(10, 2)] })], [first, Buffer.from('one')]);
        expect(recovered.entries.map(({ index }) => index)).toEqual([10]);
        expect(state.map(String)).toEqual(['three']);
      });
    });

    describe('who may come and go', () => {
      const url = (id: string) => `http://${id}:2380`;
      /** `'abc'`: three members that run; `silent` are not heard, `unstarted` have never run. */
      const cluster = (ids: string, { silent = '', unstarted = '' } = {}): Reconfiguration => ({
        members: [...ids].map((id) => ({ id, peerUrls: [url(id)] })),
        isStarted: (id) => !unstarted.includes(id),
        isHeard: (id) => !silent.includes(id) && !unstarted.includes(id),
        newId: ([first = '']) => first.slice('http://'.length, -':2380'.length),
      });
      const idsOf = (decide: () => { id: string }[]) => {
        try {
          return decide()
            .map(({ id }) => id)
            .join('');
        } catch (error) {
          if (error instanceof NotImplemented) throw error;
          return (error as Error).message;
        }
      };

      it.each([
        { which: 'a second member', before: 'a', is: 'ad' },
        { which: 'a fourth member', before: 'abc', is: 'abcd' },
        { which: 'a member while one is silent', before: 'abc', how: { silent: 'c' }, is: 'etcdserver: unhealthy cluster' },
        {
          which: 'another one before the last one has run',
          before: 'ab',
          how: { unstarted: 'b' },
          is: 'etcdserver: re-configuration failed due to not enough started members',
        },
        {
          which: 'a fourth before the third has run',
          before: 'abc',
          how: { unstarted: 'c' },
          is: 'etcdserver: re-configuration failed due to not enough started members',
        },
        {
          which: 'a fifth member when the fourth has not run and one is silent',
          before: 'abcx',
          how: { unstarted: 'x', silent: 'c' },
          is: 'etcdserver: unhealthy cluster',
        },
        { which: 'a member with another one’s URL', before: 'abc', urls: [url('b')], is: 'etcdserver: Peer URLs already exists' },
        {
          which: 'a member with one URL of its own and one of another',
          before: 'abc',
          urls: [url('d'), url('b')],
          is: 'etcdserver: Peer URLs already exists',
        },
        { which: 'a member without URLs', before: 'abc', urls: [], is: 'etcdserver: given member URLs are invalid' },
        { which: 'a member whose URL has no port', before: 'abc', urls: ['http://d'], is: 'etcdserver: given member URLs are invalid' },
        { which: 'a member whose URL is none', before: 'abc', urls: ['d:2380'], is: 'etcdserver: given member URLs are invalid' },
      ])('adding $which: $is', ({ before, how, urls = [url('d')], is }) => {
        expect(idsOf(() => withMember(cluster(before, how), urls))).toBe(is);
      });

      it('gives the new member the URLs that it was added with, behind the others', () => {
        expect(withMember(cluster('ab'), [url('d')]).at(-1)).toEqual({ id: 'd', peerUrls: [url('d')] });
      });

      it.each([
        { which: 'one of three', before: 'abc', id: 'b', is: 'ac' },
        { which: 'one that is silent', before: 'abc', how: { silent: 'b' }, id: 'b', is: 'ac' },
        { which: 'one while another is silent', before: 'abc', how: { silent: 'b' }, id: 'c', is: 'etcdserver: unhealthy cluster' },
        { which: 'one of five while another is silent', before: 'abcde', how: { silent: 'b' }, id: 'c', is: 'abde' },
        { which: 'one that never ran', before: 'abcd', how: { unstarted: 'd' }, id: 'd', is: 'abc' },
        { which: 'one of two', before: 'ab', id: 'b', is: 'a' },
        {
          which: 'the last one that has run',
          before: 'ab',
          how: { unstarted: 'b' },
          id: 'a',
          is: 'etcdserver: re-configuration failed due to not enough started members',
        },
        { which: 'the only one', before: 'a', id: 'a', is: 'etcdserver: re-configuration failed due to not enough started members' },
        { which: 'one that is no member', before: 'abc', id: 'x', is: 'etcdserver: member not found' },
      ])('removing $which: $is', ({ before, how, id, is }) => {
        expect(idsOf(() => withoutMember(cluster(before, how), id))).toBe(is);
      });
    });
  }));
