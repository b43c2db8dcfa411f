// An etcd for wire tests, and a client that speaks etcd's protocol and nothing more: no retries, no caching, no interpretation.
// The server is `#etcd` in this process, in a temporary folder; with KATA_TARGET=upstream it is the real etcd. With
// KATA_ETCD_TRANSPORT=lean it speaks HTTP/2 by hand.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEtcd } from '#etcd';
import { systemClock, systemRandom } from '#kit/clock';
import type { RunningComponent } from '#kit/component';
import { createLogger, silentLogger, stderrSink } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import { EtcdClient } from '#kit/testing/etcd-client';
import { isUpstream, startUpstreamEtcd } from '#kit/testing/upstream-etcd';

export interface EtcdUnderTest {
  readonly url: string;
  readonly client: EtcdClient;
  /** Another client on a connection of its own; `stop` closes it. */
  connect(): EtcdClient;
  /** Stops the server and starts it again with the same data; `url` and `client` are new then. */
  restart(): Promise<void>;
  /** Stops the server and removes its data. */
  stop(): Promise<void>;
}

let ahead: EtcdUnderTest | undefined;

/** Starts the one that the next `startEtcdUnderTest` gives. */
export async function startAhead(): Promise<void> {
  ahead = await start(false);
}

/** What a server that is not durable yet keeps is lost when it stops: tests of that ask for `durable`, and get NotImplemented. */
export async function startEtcdUnderTest({ durable = false } = {}): Promise<EtcdUnderTest> {
  const ready = durable ? undefined : ahead;
  if (ready) ahead = undefined;
  return ready ?? start(durable);
}

async function start(durable: boolean): Promise<EtcdUnderTest> {
  NotImplemented.forget();
  const dataDir = await mkdtemp(join(tmpdir(), 'kubekata-etcd-'));
  const clients: EtcdClient[] = [];
  let server: RunningComponent | undefined;

  const stopServer = async () => {
    for (const client of clients.splice(0)) client.close();
    await server?.stop();
    server = undefined;
  };
  const connect = () => {
    const client = new EtcdClient(under.url);
    clients.push(client);
    return client;
  };
  const under = { url: '', client: undefined as unknown as EtcdClient, connect, restart, stop };
  async function startServer() {
    server = isUpstream ? await startUpstreamEtcd(dataDir) : await startHere(dataDir);
    if (durable && NotImplemented.first) throw NotImplemented.first;
    NotImplemented.forget();
    under.url = server.url;
    under.client = connect();
  }
  async function restart() {
    await stopServer();
    await startServer();
  }
  async function stop() {
    await stopServer();
    await rm(dataDir, { recursive: true, force: true });
  }

  try {
    await startServer();
    return under;
  } catch (error) {
    await stop();
    throw error;
  }
}

function startHere(dataDir: string): Promise<RunningComponent> {
  const log = process.env.KUBEKATA_LOG ? createLogger('etcd', stderrSink) : silentLogger;
  const transport = process.env.KATA_ETCD_TRANSPORT === 'lean' ? 'lean' : 'grpc-js';
  return startEtcd({ dataDir, listen: { host: '127.0.0.1', port: 0 }, transport, clock: systemClock, random: systemRandom, log });
}
