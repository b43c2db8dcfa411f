// An API server over an etcd, each a process, with wires before both: everything that can happen to who reads and writes. Both keep their
// addresses when they are killed and started again.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '#kit/client';
import { createCertificateAuthority } from '#kit/pki';
import { EtcdClient, prefixEnd } from '#kit/testing/etcd-client';
import { withDeadline } from '#kit/testing/wait';
import type { ApiServerSettings } from './api-server-process.ts';
import { CuttableWire } from './cuttable-wire.ts';

/** A program of these tests that tells where it serves, and is killed without a warning. */
class Killable {
  readonly #start: () => ChildProcess;
  #child: ChildProcess | undefined;

  constructor(start: () => ChildProcess) {
    this.#start = start;
  }

  /** Resolves with its URL. */
  async start(): Promise<string> {
    this.#child = this.#start();
    const told = once(this.#child, 'message') as Promise<[string]>;
    const ended = once(this.#child, 'exit').then(([code, signal]) => Promise.reject(new Error(`it ended with ${code ?? signal}`)));
    ended.catch(() => {}); // It will be killed.
    const [url] = await withDeadline('the process tells where it serves', Promise.race([told, ended]), { within: 60_000 });
    return url;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}

const portOf = (url: string) => Number(new URL(url).port);
const program = (name: string) => join(process.cwd(), 'tests', name);

export class FaultyApiServer {
  /** Of those who watch. */
  readonly wire: CuttableWire;
  /** From the API server to etcd. */
  readonly etcdWire: CuttableWire;
  /** An administrator who watches, and one whose wire is never cut. */
  readonly clients: { watching: Client; writing: Client };
  readonly #etcd: Killable;
  readonly #apiServer: Killable;
  readonly #wires: { etcd: CuttableWire; watching: CuttableWire; writing: CuttableWire };
  readonly #cleanUp: (() => unknown)[];
  #etcdUrl: string;

  private constructor(parts: {
    etcd: Killable;
    apiServer: Killable;
    wires: { etcd: CuttableWire; watching: CuttableWire; writing: CuttableWire };
    clients: { watching: Client; writing: Client };
    etcdUrl: string;
    cleanUp: (() => unknown)[];
  }) {
    this.#etcd = parts.etcd;
    this.#apiServer = parts.apiServer;
    this.#wires = parts.wires;
    this.wire = parts.wires.watching;
    this.etcdWire = parts.wires.etcd;
    this.clients = parts.clients;
    this.#etcdUrl = parts.etcdUrl;
    this.#cleanUp = parts.cleanUp;
  }

  static async start(): Promise<FaultyApiServer> {
    const cleanUp: (() => unknown)[] = [];
    try {
      const folder = await mkdtemp(join(tmpdir(), 'kubekata-faulty-'));
      cleanUp.push(() => rm(folder, { recursive: true, force: true }));
      const etcd = new Killable(() => fork(program('cluster/etcd-process.ts'), [folder], { execArgv: [] }));
      cleanUp.push(() => etcd.kill());
      const etcdUrl = await etcd.start();
      const wireTo = async (url: string) => {
        const wire = await CuttableWire.to(portOf(url));
        cleanUp.push(() => wire.stop());
        return wire;
      };
      const etcdWire = await wireTo(etcdUrl);

      const authority = await createCertificateAuthority('kubekata-test');
      const serving = await authority.issue({ commonName: 'kube-apiserver', hosts: ['127.0.0.1'], usages: ['server'] });
      const admin = await authority.issue({ commonName: 'admin', organizations: ['system:masters'], usages: ['client'] });
      const settings: ApiServerSettings = {
        etcdUrl: `http://127.0.0.1:${etcdWire.port}`,
        tls: { ...serving, clientCa: authority.cert },
      };
      const apiServer = new Killable(() => {
        const child = fork(program('linearizability/api-server-process.ts'), [], { execArgv: [] });
        child.send(settings);
        return child;
      });
      cleanUp.push(() => apiServer.kill());
      const url = await apiServer.start();
      const wires = { etcd: etcdWire, watching: await wireTo(url), writing: await wireTo(url) };
      const clientOn = ({ port }: CuttableWire, userAgent: string) => {
        const client = new Client({ server: `https://127.0.0.1:${port}`, tls: { ca: authority.cert, ...admin }, userAgent });
        cleanUp.push(() => client.close());
        return client;
      };
      const clients = { watching: clientOn(wires.watching, 'watcher'), writing: clientOn(wires.writing, 'writer') };
      return new FaultyApiServer({ etcd, apiServer, wires, clients, etcdUrl, cleanUp });
    } catch (error) {
      for (const step of cleanUp.reverse()) await step();
      throw error;
    }
  }

  async killEtcd(): Promise<void> {
    await this.#etcd.kill();
    this.#etcdUrl = await this.#etcd.start();
    this.etcdWire.leadTo(portOf(this.#etcdUrl));
  }

  async killApiServer(): Promise<void> {
    await this.#apiServer.kill();
    const port = portOf(await this.#apiServer.start());
    this.#wires.watching.leadTo(port);
    this.#wires.writing.leadTo(port);
  }

  /** Etcd forgets everything but what there is now. */
  compact(): Promise<void> {
    return this.#withEtcd(async (etcd) => {
      const { header } = await etcd.range({ key: 'now' });
      await etcd.compact(header.revision);
    });
  }

  /** What was ever below this prefix, in order, up to a revision that changed something there; etcd must have forgotten nothing. */
  history(prefix: string, last: number): Promise<Stored[]> {
    return this.#withEtcd(async (etcd) => {
      const watch = etcd.watch();
      try {
        await watch.create({ key: prefix, rangeEnd: prefixEnd(prefix), startRevision: 1 });
        const found: Stored[] = [];
        while ((found.at(-1)?.revision ?? 0) < last) {
          const { events } = await watch.next(`the history up to ${last}`);
          for (const { type, kv } of events) {
            found.push({ isThere: type === 'PUT', key: kv.key.toString(), value: kv.value.toString(), revision: kv.modRevision });
          }
        }
        return found;
      } finally {
        watch.close();
      }
    });
  }

  async stop(): Promise<void> {
    for (const step of this.#cleanUp.reverse()) await step();
  }

  async #withEtcd<T>(use: (etcd: EtcdClient) => Promise<T>): Promise<T> {
    const etcd = new EtcdClient(this.#etcdUrl);
    try {
      return await use(etcd);
    } finally {
      etcd.close();
    }
  }
}

export interface Stored {
  /** False for the moment from which on it is not there any more. */
  isThere: boolean;
  key: string;
  value: string;
  revision: number;
}
