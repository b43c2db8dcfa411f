// Clients that hang up in the middle of exec, port-forward or the proxy, as they do when somebody presses Ctrl-C: the container hears of it, and
// the kubelet goes on as if nothing had happened. It once ended, and whoever asked it for something at that moment heard EOF.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { WebSocket } from 'ws';
import type { ClientConfig } from '#kit/client';
import { readKubeconfig } from '#kit/kubeconfig';
import { TestCluster } from '#kit/testing/cluster';
import { kubectlPath } from '#kit/testing/kubectl';
import { withDeadline } from '#kit/testing/wait';

jest.setTimeout(60_000);

/** Listens to whoever comes, says nothing, and tells when they go. */
const listener = 'echo came >&2; cat >/dev/null; echo left >&2';
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'box' },
  spec: { containers: [{ name: 'box', image: 'kubekata/busybox:1', command: ['nc', '-ll', '-p', '7000', '-e', 'sh', '-c', listener] }] },
};

describe('a client that leaves in the middle', () => {
  let cluster: TestCluster;
  let config: ClientConfig;
  const opened: WebSocket[] = [];
  const running: ChildProcess[] = [];

  beforeAll(async () => {
    cluster = await TestCluster.start(['--nodes', '1']);
    config = readKubeconfig(cluster.kubeconfig, 'test');
    await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(pod));
    await cluster.kubectl('wait --for=condition=Ready pod/box --timeout=30s');
  });
  afterEach(() => {
    for (const socket of opened.splice(0)) socket.terminate();
    for (const child of running.splice(0)) child.kill('SIGKILL');
  });
  afterAll(() => cluster?.stop());

  const kubeletLog = () =>
    readFileSync(join(cluster.folder, 'logs', 'kubelet-node-1.log'), 'utf8')
      .split('\n')
      .filter(Boolean);
  const told = async (word: string) => (await cluster.kubectl('logs box')).split('\n').filter((line) => line === word).length;

  async function connect(subresource: string, query: [string, string][], protocol: string): Promise<WebSocket> {
    const search = new URLSearchParams(query);
    const url = `${config.server.replace('https', 'wss')}/api/v1/namespaces/default/pods/box/${subresource}?${search}`;
    const socket = new WebSocket(url, protocol, config.tls);
    opened.push(socket);
    await withDeadline('the handshake', once(socket, 'open'));
    return socket;
  }

  function kubectl(args: string[], webSockets: boolean) {
    const environment = { KUBECTL_PORT_FORWARD_WEBSOCKETS: `${webSockets}`, KUBECTL_REMOTE_COMMAND_WEBSOCKETS: `${webSockets}` };
    const child = spawn(kubectlPath(), ['--kubeconfig', cluster.kubeconfig, ...args], { env: { ...process.env, ...environment } });
    running.push(child);
    return child;
  }

  /** Resolves when the container has heard of both. */
  async function comesAndLeaves(come: () => Promise<() => unknown>): Promise<void> {
    const [came, left] = [await told('came'), await told('left')];
    const leave = await come();
    await cluster.eventually('the container has a visitor', async () => (await told('came')) > came);
    await leave();
    await cluster.eventually('the visitor has left', async () => (await told('left')) > left);
  }

  const execQuery = (...streams: string[]): [string, string][] => [
    ...streams.map((name): [string, string] => [name, 'true']),
    ...['sh', '-c', `(${listener}) 2>/proc/1/fd/2`].map((word): [string, string] => ['command', word]),
  ];

  it.each<[string, () => Promise<() => unknown>]>([
    [
      'a port-forward, in a WebSocket of channels',
      async () => {
        const socket = await connect('portforward', [['ports', '7000']], 'v4.channel.k8s.io');
        return () => socket.terminate();
      },
    ],
    [
      'a port-forward, with a goodbye',
      async () => {
        const socket = await connect('portforward', [['ports', '7000']], 'v4.channel.k8s.io');
        return () => socket.close();
      },
    ],
    [
      'a request through the proxy',
      async () => {
        const over = new AbortController();
        const path = '/api/v1/namespaces/default/pods/box:7000/proxy/';
        const request = cluster.client.send({ method: 'GET', path, signal: over.signal });
        const ended = request.catch((error: Error) => error);
        return async () => {
          over.abort();
          expect(await ended).toMatchObject({ name: 'AbortError' });
        };
      },
    ],
    [
      'a command that has all its streams',
      async () => {
        const socket = await connect('exec', execQuery('stdin', 'stdout', 'stderr'), 'v5.channel.k8s.io');
        return () => socket.terminate();
      },
    ],
    ...[true, false].map((webSockets): [string, () => Promise<() => unknown>] => [
      `kubectl port-forward, by ${webSockets ? 'WebSocket' : 'SPDY alone'}`,
      async () => {
        const child = kubectl(['port-forward', 'box', ':7000'], webSockets);
        const [said] = (await withDeadline('kubectl to listen', once(child.stdout, 'data'), { within: 15_000 })) as [Buffer];
        const socket = createConnection(Number(/127\.0\.0\.1:(\d+)/.exec(String(said))?.[1]), '127.0.0.1');
        await once(socket, 'connect');
        return () => child.kill('SIGKILL') && once(socket.resume(), 'close');
      },
    ]),
    ...[true, false].map((webSockets): [string, () => Promise<() => unknown>] => [
      `kubectl exec, by ${webSockets ? 'WebSocket' : 'SPDY alone'}`,
      async () => {
        const child = kubectl(['exec', '-i', 'box', '--', 'sh', '-c', `(${listener}) 2>/proc/1/fd/2`], webSockets);
        return () => child.kill('SIGKILL');
      },
    ]),
    [
      'a command that has its input only',
      async () => {
        const socket = await connect('exec', execQuery('stdin'), 'v5.channel.k8s.io');
        return () => socket.terminate();
      },
    ],
  ])('harms nobody: %s', async (_, come) => {
    await comesAndLeaves(come);
  });

  it('and the kubelet is the one that it was', () => {
    // What is not a line of its log is the cry of a process that ends.
    expect(kubeletLog().filter((line) => !line.startsWith('{'))).toEqual([]);
  });
});
