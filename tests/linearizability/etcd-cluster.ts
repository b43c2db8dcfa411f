// Three etcd members as processes, and what can happen to them: kill -9, a stopped process, a cut or frozen wire, no peers at all.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '#kit/free-ports';
import { EtcdClient } from '#kit/testing/etcd-client';
import { eventually, withDeadline } from '#kit/testing/wait';
import { CuttableWire } from './cuttable-wire.ts';
import type { MemberSettings } from './etcd-member-process.ts';

export class EtcdMember {
  readonly name: string;
  /** From its peers to it. */
  readonly wire: CuttableWire;
  readonly #settings: MemberSettings;
  #process: ChildProcess | undefined;
  #client: EtcdClient | undefined;

  constructor(settings: MemberSettings, wire: CuttableWire) {
    this.name = settings.name;
    this.#settings = settings;
    this.wire = wire;
  }

  /** To its present life; a call fails when that is over. */
  get client(): EtcdClient | undefined {
    return this.#client;
  }

  async start(): Promise<void> {
    const program = join(process.cwd(), 'tests/linearizability/etcd-member-process.ts');
    this.#process = fork(program, [JSON.stringify(this.#settings)], { execArgv: [] });
    const told = once(this.#process, 'message') as Promise<[{ url?: string; failed?: string }]>;
    const [{ url, failed }] = await withDeadline(`${this.name} starts`, told, { within: 60_000 });
    if (!url) throw new Error(`${this.name} does not start: ${failed}`);
    this.#client = new EtcdClient(url);
  }

  async kill(): Promise<void> {
    this.#client?.close();
    this.#client = undefined;
    const child = this.#process;
    this.#process = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  goOn(): void {
    this.#process?.kill('SIGCONT');
  }

  isolate(isolated: boolean): void {
    this.#process?.send({ isolated });
  }

  async isLeader(): Promise<boolean> {
    const status = await this.#client?.status().catch(() => undefined);
    return status !== undefined && status.leader !== 0 && status.leader === status.header.memberId;
  }
}

export class EtcdCluster {
  readonly members: EtcdMember[];
  readonly #folder: string;

  private constructor(members: EtcdMember[], folder: string) {
    this.members = members;
    this.#folder = folder;
  }

  static async start(): Promise<EtcdCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'kubekata-etcd-'));
    const names = ['a', 'b', 'c'];
    const ports = await freePorts(names.length);
    const wires = await Promise.all(ports.map((port) => CuttableWire.to(port)));
    const initialCluster = names.map((name, index) => `${name}=http://127.0.0.1:${wires[index]?.port}`).join(',');
    const members = names.map((name, index) => {
      const listenPeers = { host: '127.0.0.1', port: ports[index] as number };
      const dataDir = join(folder, name);
      return new EtcdMember(
        { name, dataDir, listenPeers, initialCluster, heartbeatMs: 30, snapshotAfterBytes: 50_000 },
        wires[index] as CuttableWire,
      );
    });
    const cluster = new EtcdCluster(members, folder);
    try {
      await Promise.all(members.map((member) => member.start()));
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  leader(): Promise<EtcdMember> {
    const look = async () => {
      const answers = await Promise.all(this.members.map((member) => member.isLeader()));
      return this.members.find((_, index) => answers[index]);
    };
    return eventually('a leader', look, { within: 15_000 });
  }

  async stop(): Promise<void> {
    for (const member of this.members) {
      member.goOn();
      await member.kill();
      await member.wire.stop();
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
