// Three Raft members with real sockets and a real clock: what the simulation cannot show. Each keeps a map of keys and values.

import { afterEach, describe, expect, it } from '@jest/globals';
import { RaftMember } from '#etcd/raft/member';
import type { Member } from '#etcd/raft/messages';
import type { PeerTls } from '#etcd/raft/peer-rpc';
import { Peers } from '#etcd/raft/peers';
import { Recovered } from '#etcd/raft/wire';
import { systemClock, systemRandom } from '#kit/clock';
import { silentLogger } from '#kit/log';
import { createCertificateAuthority } from '#kit/pki';
import { eventually } from '#kit/testing/wait';
import { check, type Recorded } from './checker.ts';

class Host {
  readonly id: string;
  readonly #cluster: Trio;
  /** What is on its disk: outlives a stop. */
  readonly #records: Buffer[] = [];
  #peers: Peers | undefined;
  #member: RaftMember | undefined;
  values = new Map<string, string>();
  /** Every proposal that was carried out here, `key=value`. */
  applied = new Set<string>();
  port = 0;

  constructor(id: string, cluster: Trio) {
    this.id = id;
    this.#cluster = cluster;
  }

  async listen(): Promise<void> {
    this.#peers = new Peers({
      ...peersOf(this.id, this.#cluster.tls),
      receive: (message) => this.#member?.receive(message),
    });
    await this.#peers.listen({ host: '127.0.0.1', port: this.port });
    this.port = this.#peers.port;
  }

  start(members: readonly Member[]): void {
    const durable = new Recovered(members);
    for (const record of this.#records) durable.add(record);
    this.values = new Map();
    this.applied = new Set();
    this.#peers?.know(members.filter(({ id }) => id !== this.id));
    this.#member = new RaftMember({
      id: this.id,
      durable,
      journal: { append: async (payloads) => void this.#records.push(...payloads) },
      send: (messages) => this.#peers?.send(messages),
      apply: ({ data }) => {
        const text = Buffer.from(data).toString();
        const [key, value] = text.split('=');
        this.applied.add(text);
        if (key && value !== undefined) this.values.set(key, value);
      },
      install: () => {},
      capture: () => [],
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
      tickMs: 15,
    });
  }

  get member(): RaftMember {
    if (!this.#member) throw new Error(`${this.id} is down`);
    return this.#member;
  }

  get isUp(): boolean {
    return this.#member !== undefined;
  }

  /** The others hear and see nothing of it any more, but it goes on. */
  cutOff(): void {
    this.#peers?.stop();
    this.#peers = undefined;
  }

  async stop(): Promise<void> {
    this.cutOff();
    await this.#member?.stop();
    this.#member = undefined;
  }
}

function peersOf(memberId: string, tls: PeerTls | undefined) {
  const refuse = () => {
    throw new Error('nobody asks here');
  };
  const identity = { memberId, clusterId: 'trio' };
  return { identity, tls, clock: systemClock, log: silentLogger, answer: refuse, isRemoved: () => false, onRemoved: refuse };
}

class Trio {
  readonly tls: PeerTls | undefined;
  readonly hosts: Host[] = ['a', 'b', 'c'].map((id) => new Host(id, this));

  constructor(tls?: PeerTls) {
    this.tls = tls;
  }

  get members(): Member[] {
    return this.hosts.map(({ id, port }) => ({ id, peerUrls: [`http://127.0.0.1:${port}`] }));
  }

  async start(): Promise<this> {
    for (const host of this.hosts) await host.listen();
    for (const host of this.hosts) host.start(this.members);
    return this;
  }

  async restart(host: Host): Promise<void> {
    await host.stop();
    await host.listen();
    host.start(this.members);
  }

  leader(among = this.hosts): Promise<Host> {
    return eventually('a leader', () => among.find((host) => host.isUp && host.member.raft.role === 'leader'), { within: 5000 });
  }

  /** Until it is carried out: what a leader takes with it into its grave is proposed again. */
  async put(host: Host, key: string, value: string): Promise<void> {
    let polls = 0;
    await eventually(
      `${key}=${value} in ${host.id}`,
      () => {
        if (polls++ % 30 === 0 && !host.member.propose(Buffer.from(`${key}=${value}`))) polls = 0;
        return host.applied.has(`${key}=${value}`);
      },
      { within: 8000 },
    );
  }

  async stop(): Promise<void> {
    for (const host of this.hosts) await host.stop();
  }
}

describe('three Raft members over the network', () => {
  let trio: Trio | undefined;
  afterEach(async () => {
    await trio?.stop();
    trio = undefined;
  });

  it('elect a leader, and know everything that any of them was told', async () => {
    trio = await new Trio().start();
    const { hosts } = trio;
    await trio.leader();
    for (const host of hosts) await trio.put(host, `from-${host.id}`, '1');
    await eventually('all to know all', () => hosts.every(({ values }) => values.size === 3));
  });

  it('lose the leader and go on; who comes back catches up', async () => {
    trio = await new Trio().start();
    const first = await trio.leader();
    await trio.put(first, 'color', 'blue');
    await first.stop();
    const rest = trio.hosts.filter((host) => host !== first);
    const second = await trio.leader(rest);
    await trio.put(second, 'color', 'red');
    await trio.restart(first);
    await eventually('it knows what it missed', () => first.values.get('color') === 'red');
  });

  it('remember everything when all were down', async () => {
    trio = await new Trio().start();
    await trio.put(await trio.leader(), 'color', 'blue');
    for (const host of trio.hosts) await host.stop();
    for (const host of trio.hosts) await host.listen();
    for (const host of trio.hosts) host.start(trio.members);
    await eventually('all remember', () => trio?.hosts.every(({ values }) => values.get('color') === 'blue'));
  });

  it('read what was written, on whichever member', async () => {
    trio = await new Trio().start();
    const leader = await trio.leader();
    for (const host of trio.hosts) {
      await trio.put(leader, 'color', `for-${host.id}`);
      await host.member.caughtUp();
      expect(host.values.get('color')).toBe(`for-${host.id}`);
    }
  });

  it('do not read from a leader that is cut off, and it steps down', async () => {
    trio = await new Trio().start();
    const first = await trio.leader();
    await trio.put(first, 'color', 'blue');
    first.cutOff();
    const second = await trio.leader(trio.hosts.filter((host) => host !== first));
    await trio.put(second, 'color', 'red');
    await expect(first.member.caughtUp(100)).rejects.toThrow('no leader has confirmed');
    await eventually('it steps down', () => first.member.raft.role !== 'leader');
  });

  it('hear only who shows a certificate of their authority, and is of their cluster', async () => {
    const [own, other] = [await createCertificateAuthority('peers'), await createCertificateAuthority('strangers')];
    const pair = await own.issue({ commonName: 'peer', hosts: ['127.0.0.1'], usages: ['client', 'server'] });
    const strangers = await other.issue({ commonName: 'peer', hosts: ['127.0.0.1'], usages: ['client', 'server'] });
    const tls = { serving: { ...pair, clientCa: own.cert }, client: { ...pair, ca: own.cert } };
    trio = await new Trio(tls).start();
    await trio.put(await trio.leader(), 'color', 'blue');
    const heartbeat = (term: number) => ({ from: 'x', to: 'a', term, type: 'heartbeat', commit: 0, round: 0 }) as const;
    const speakers = [
      { client: { ...strangers, ca: own.cert }, clusterId: 'trio', term: 9999 },
      { client: { ...pair, ca: own.cert }, clusterId: 'another', term: 999 },
      { client: { ...pair, ca: own.cert }, clusterId: 'trio', term: 99 },
    ].map(({ client, clusterId, term }) => {
      const identity = { memberId: 'x', clusterId };
      const speaker = new Peers({ ...peersOf('x', { ...tls, client }), identity, receive: () => {} });
      speaker.know(trio?.members ?? []);
      speaker.send([heartbeat(term)]);
      return speaker;
    });
    try {
      const [a] = trio.hosts;
      await eventually('who belongs here is heard', () => (a?.member.raft.term ?? 0) >= 99);
      expect(a?.member.raft.term).toBeLessThan(999);
    } finally {
      for (const speaker of speakers) speaker.stop();
    }
  });

  it('give a linearizable history while leaders die', async () => {
    trio = await new Trio().start();
    const history: Recorded[] = [];
    const answered = (type: string) => history.filter((operation) => operation.type === type && Number.isFinite(operation.answered)).length;
    let isOver = false;
    const client = async (host: Host, name: string) => {
      for (let turn = 0; !isOver; turn += 1) {
        const key = `k${turn % 2}`;
        const called = performance.now();
        if (turn % 3 === 0) {
          const value = `${name}-${turn}`;
          const isTaken = host.isUp && host.member.propose(Buffer.from(`${key}=${value}`));
          for (let wait = 0; wait < 20 && isTaken && !host.applied.has(`${key}=${value}`); wait += 1) await systemClock.sleep(10);
          // Who gets no answer does not know: the put may still be carried out, at any time from now on.
          const answered = host.applied.has(`${key}=${value}`) ? performance.now() : Number.POSITIVE_INFINITY;
          if (isTaken) history.push({ type: 'put', key, value, client: name, called, answered });
        } else if (host.isUp) {
          const isRead = await host.member.caughtUp(300).then(
            () => true,
            () => false,
          );
          if (isRead && host.isUp)
            history.push({ type: 'get', key, value: host.values.get(key), client: name, called, answered: performance.now() });
        }
        await systemClock.sleep(10);
      }
    };
    const clients = trio.hosts.map((host, index) => client(host, `client-${index}`));
    try {
      for (let death = 0; death < 3; death += 1) {
        const leader = await trio.leader();
        await eventually('clients are answered', () => answered('get') > 5 * death + 5 && answered('put') > 2 * death + 2);
        await leader.stop();
        await trio.leader(trio.hosts.filter((host) => host !== leader));
        await trio.restart(leader);
      }
    } finally {
      isOver = true;
      await Promise.all(clients);
    }
    expect(check(history)).toEqual({ linearizable: true });
  }, 30_000);
});
