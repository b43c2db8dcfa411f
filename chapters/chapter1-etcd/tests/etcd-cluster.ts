// Some etcd members in one process, with real sockets between them, on disks in memory. A member can be killed (its disk loses what
// was not synced), started again, and cut off from the others. Their clock may go faster than ours.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEtcd } from '#etcd';
import { seededRandom, systemRandom } from '#kit/clock';
import type { RunningComponent } from '#kit/component';
import { freePorts } from '#kit/free-ports';
import { type Logger, silentLogger } from '#kit/log';
import { EtcdClient } from '#kit/testing/etcd-client';
import { FastClock } from '#kit/testing/fast-clock';
import { eventually } from '#kit/testing/wait';
import { PowerFailureDisk } from './power-failure.ts';

export interface TestClusterOptions {
  /** With 4, elections begin after a quarter of a second instead of a whole one. */
  speed?: number;
  snapshotAfterBytes?: number;
  catchUpEntries?: number;
  log?: Logger;
}

export class TestMember {
  readonly name: string;
  peerPort: number;
  readonly #cluster: TestCluster;
  readonly #dataDir: string;
  disk = new PowerFailureDisk();
  #server: RunningComponent | undefined;
  #client: EtcdClient | undefined;

  constructor(name: string, peerPort: number, dataDir: string, cluster: TestCluster) {
    this.name = name;
    this.peerPort = peerPort;
    this.#dataDir = dataDir;
    this.#cluster = cluster;
  }

  get peerUrl(): string {
    return `http://127.0.0.1:${this.peerPort}`;
  }

  get isUp(): boolean {
    return this.#server !== undefined;
  }

  get client(): EtcdClient {
    if (!this.#client) throw new Error(`${this.name} is down`);
    return this.#client;
  }

  get url(): string {
    return this.#server?.url ?? '';
  }

  async start(initialClusterState: 'new' | 'existing' = 'new', initialCluster = this.#cluster.initialCluster): Promise<void> {
    const { snapshotAfterBytes, catchUpEntries, log = silentLogger } = this.#cluster.options;
    this.#server = await startEtcd({
      name: this.name,
      dataDir: this.#dataDir,
      disk: this.disk,
      listen: { host: '127.0.0.1', port: 0 },
      clock: this.#cluster.clock,
      random: systemRandom,
      log,
      ...(snapshotAfterBytes === undefined ? {} : { snapshotAfterBytes }),
      cluster: {
        listenPeers: { host: '127.0.0.1', port: this.peerPort },
        initialCluster,
        initialClusterState,
        passes: ({ from, to }) => this.#cluster.passes(from, to),
        ...(catchUpEntries === undefined ? {} : { catchUpEntries }),
      },
    });
    this.#client = new EtcdClient(this.#server.url);
  }

  async stop(): Promise<void> {
    this.#client?.close();
    const server = this.#server;
    this.#client = undefined;
    this.#server = undefined;
    await server?.stop();
  }

  /** Like a power failure: nothing more is written, and what was not synced may be lost. */
  async kill(): Promise<void> {
    this.disk.failAfter(0);
    const disk = this.disk.afterPowerFailure(seededRandom(this.peerPort));
    await this.stop();
    this.disk = disk;
  }

  /** To another port; only while it is down. */
  async move(): Promise<void> {
    [this.peerPort = 0] = await freePorts(1);
  }

  async id(): Promise<number> {
    return Number(await this.exactId());
  }

  /** All 64 bits. */
  async exactId(): Promise<string> {
    return (await this.client.memberList()).header.memberId;
  }
}

export class TestCluster {
  readonly members: TestMember[] = [];
  readonly options: TestClusterOptions;
  readonly clock: FastClock;
  readonly #folder: string;
  /** Ids of members that hear nobody and are heard by nobody. */
  readonly #cut = new Set<number>();
  #initial: TestMember[] = [];

  private constructor(folder: string, options: TestClusterOptions) {
    this.#folder = folder;
    this.options = options;
    this.clock = new FastClock(options.speed ?? 1);
  }

  /** Resolves when the members have a leader. */
  static async start(names: string, options: TestClusterOptions = {}): Promise<TestCluster> {
    const cluster = new TestCluster(await mkdtemp(join(tmpdir(), 'kubekata-etcd-')), options);
    try {
      for (const name of names) await cluster.newMember(name);
      cluster.#initial = [...cluster.members];
      await Promise.all(cluster.members.map((member) => member.start()));
      await cluster.leader();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  get initialCluster(): string {
    return this.#initial.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
  }

  /** Not started yet, and nobody knows of it. */
  async newMember(name: string): Promise<TestMember> {
    const [port = 0] = await freePorts(1);
    const member = new TestMember(name, port, join(this.#folder, name), this);
    this.members.push(member);
    return member;
  }

  /** Lets it start in this cluster, which has been told of it. */
  async join(member: TestMember): Promise<void> {
    await member.start('existing', `${this.initialCluster},${member.name}=${member.peerUrl}`);
  }

  others(member: TestMember): TestMember[] {
    return this.members.filter((other) => other !== member && other.isUp);
  }

  /** The member that leads, when it and a majority of these members say so. */
  leader(among = this.members.filter(({ isUp }) => isUp)): Promise<TestMember> {
    const look = async () => {
      const standings = await Promise.all(among.map(async (member) => ({ member, status: await member.client.status() })));
      const leads = ({ status }: (typeof standings)[number]) => status.leader === status.header.memberId;
      const agree = standings.filter(({ status }) => status.leader === standings.find(leads)?.status.leader).length;
      return agree > this.members.length / 2 || agree === among.length ? standings.find(leads)?.member : undefined;
    };
    // An election needs several members to get their turn in time, and on a busy machine that may take more than one try.
    return eventually('a leader that the members agree on', look, { within: 20_000 });
  }

  async cutOff(member: TestMember): Promise<void> {
    this.#cut.add(await member.id());
  }

  heal(): void {
    this.#cut.clear();
  }

  passes(from: string, to: string): boolean {
    return !this.#cut.has(Number(from)) && !this.#cut.has(Number(to));
  }

  async stop(): Promise<void> {
    for (const member of this.members) await member.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
