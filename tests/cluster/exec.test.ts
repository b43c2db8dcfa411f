// Into a container from outside: kubectl exec, attach and cp by way of API server, kubelet and Docker; and the same WebSocket by
// hand where kubectl can't be made to show a thing.

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { WebSocket } from 'ws';
import type { Pod } from '#kit/api';
import type { ClientConfig } from '#kit/client';
import { readKubeconfig } from '#kit/kubeconfig';
import { TestCluster } from '#kit/testing/cluster';
import { kubectlPath } from '#kit/testing/kubectl';
import { withDeadline } from '#kit/testing/wait';
import { attachToContainer } from '#kubelet/docker-process';
import { Terminal } from './terminal.ts';

jest.setTimeout(60_000);

const image = 'kubekata/busybox:1';
const sleeps = ['sleep', '1000000'];
const pods: Pod[] = [
  { metadata: { name: 'box' }, spec: { containers: [{ name: 'box', image, command: sleeps }] } },
  { metadata: { name: 'patient' }, spec: { containers: [{ name: 'patient', image, command: sleeps }] } },
  {
    metadata: { name: 'pair' },
    spec: {
      restartPolicy: 'Never',
      containers: [
        { name: 'up', image, command: sleeps },
        { name: 'done', image, command: ['true'] },
      ],
    },
  },
  {
    metadata: { name: 'reader' },
    spec: { containers: [{ name: 'reader', image, stdin: true, command: ['sh', '-c', 'while read line; do echo "got $line"; done'] }] },
  },
  {
    metadata: { name: 'talker' },
    spec: {
      restartPolicy: 'Never',
      containers: [
        { name: 'talker', image, stdin: true, tty: true, command: ['sh', '-c', 'while read line; do echo "got $line"; done; tty'] },
      ],
    },
  },
  { metadata: { name: 'nowhere' }, spec: { nodeSelector: { no: 'node' }, containers: [{ name: 'app', image }] } },
].map((pod) => ({ apiVersion: 'v1', kind: 'Pod', ...pod }));

describe('exec, attach and cp', () => {
  let cluster: TestCluster;
  let folder: string;
  let config: ClientConfig;
  /** Connections that one test opened: ended after it, also when it failed. */
  const opened: WebSocket[] = [];
  const terminals: Terminal[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kubekata-exec-'));
    cluster = await TestCluster.start(['--nodes', '1']);
    config = readKubeconfig(cluster.kubeconfig, 'test');
    await cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: pods }));
    await cluster.kubectl('wait --for=condition=Ready pod/box pod/patient pod/reader pod/talker --timeout=30s');
    await cluster.kubectl([
      'wait',
      '--for=jsonpath={.status.containerStatuses[1].state.terminated.reason}=Completed',
      'pod/pair',
      '--timeout=30s',
    ]);
  });
  afterEach(() => {
    for (const socket of opened.splice(0)) socket.terminate();
    for (const terminal of terminals.splice(0)) terminal.close();
  });
  afterAll(async () => {
    await cluster?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const exec = (command: string, input?: string, flags: string[] = []) =>
    cluster.kubectlOutcome(['exec', 'box', ...(input === undefined ? [] : ['-i']), ...flags, '--', 'sh', '-c', command], input);

  const shell = (command: string) => ['sh', '-c', command];

  /** A connection to a pod's subresource, and what came on each of its channels. */
  async function connect(path: string, streams: string[], command: string[] = [], protocols = ['v5.channel.k8s.io']) {
    const query = new URLSearchParams(streams.map((name): [string, string] => [name, 'true']));
    for (const word of command) query.append('command', word);
    const url = `${config.server.replace('https', 'wss')}/api/v1/namespaces/default/pods/${path}?${query}`;
    const socket = new WebSocket(url, protocols, config.tls);
    opened.push(socket);
    const received: Record<number, string> = {};
    socket.on('message', (data: Buffer) => {
      const channel = data.readUInt8(0);
      received[channel] = (received[channel] ?? '') + data.subarray(1);
    });
    const closed = once(socket, 'close');
    await withDeadline('the handshake', once(socket, 'open'));
    const send = (channel: number, content: string | Buffer) => socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(content)]));
    return { socket, received, send, ended: () => withDeadline('the end of the connection', closed) };
  }

  const processesInBox = async () => (await exec('ps -o args')).stdout;

  describe('kubectl exec', () => {
    it('keeps output, errors and exit code apart', async () => {
      const outcome = await exec('echo out; echo err >&2; exit 42');
      expect(outcome).toEqual({ code: 42, stdout: 'out\n', stderr: 'err\ncommand terminated with exit code 42\n' });
    });

    it('passes input on, and its end', async () => {
      expect(await exec('cat; echo over', 'hi\n')).toMatchObject({ code: 0, stdout: 'hi\nover\n' });
    });

    it('says what the container runtime says of a command that does not exist', async () => {
      const { code, stdout, stderr } = await cluster.kubectlOutcome(['exec', 'box', '--', 'nosuch']);
      expect(code).not.toBe(0);
      expect(stdout + stderr).toContain('"nosuch": executable file not found');
    });

    it.each([
      ['a pod that is not there', ['gone'], 'pods "gone" not found'],
      ['a container that is not there', ['pair', '-c', 'other'], 'container other is not valid for pod pair'],
      ['a container that has ended', ['pair', '-c', 'done'], 'container "done" is not running: Completed'],
      ['a pod without a node', ['nowhere'], 'pod nowhere does not have a host assigned'],
    ])('refuses %s', async (_, target, message) => {
      const { code, stderr } = await cluster.kubectlOutcome(['exec', ...target, '--', 'ls']);
      expect(code).toBe(1);
      expect(stderr).toContain(message);
    });

    it('brings 50 MB of output whole', async () => {
      const { stdout: sum } = await exec('head -c 38000000 /dev/urandom | base64 > /big; sha256sum < /big');
      const { stdout } = await exec('cat /big');
      expect(stdout.length).toBeGreaterThan(50_000_000);
      expect(createHash('sha256').update(stdout).digest('hex')).toBe(sum.slice(0, 64));
    });
  });

  it('kubectl cp copies there and back', async () => {
    const [there, back] = [join(folder, 'there'), join(folder, 'back')];
    const content = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 7919) % 256));
    await writeFile(there, content);
    await cluster.kubectl(['cp', there, 'box:/copy']);
    await cluster.kubectl(['cp', 'box:/copy', back]);
    expect((await readFile(back)).equals(content)).toBe(true);
  });

  it('kubectl run -i brings the input to the container, and the output and exit code back', async () => {
    const flags = ['-i', '--rm', '--quiet', '--restart=Never', `--image=${image}`];
    const outcome = await cluster.kubectlOutcome(['run', 'once', ...flags, '--', 'sh', '-c', 'cat; exit 3'], 'hello\n');
    expect(outcome).toMatchObject({ code: 3, stdout: 'hello\n' });
  });

  it('attaching to what has just ended is refused, so that kubectl shows the log in its place', async () => {
    const container = await cluster.docker.createContainer({ Image: image, Cmd: ['true'] });
    try {
      await container.start();
      await container.wait();
      const attached = attachToContainer(container, { stdin: true, stdout: true, stderr: true, tty: false });
      await expect(attached).rejects.toThrow('the container is not running: exited');
    } finally {
      await container.remove({ force: true });
    }
  });

  it('kubectl run -i shows what a container has to say that ends at once', async () => {
    for (const round of ['1', '2', '3', '4']) {
      const flags = ['-i', '--rm', '--quiet', '--restart=Never', `--image=${image}`];
      expect(await cluster.kubectlOutcome(['run', `quick-${round}`, ...flags, '--', 'echo', 'done'])).toMatchObject({ stdout: 'done\n' });
    }
  });

  describe('at a terminal', () => {
    /** Every line that is typed has been answered before the next is. */
    async function talk(args: string[], lines: [typed: string, answer: string][]) {
      const terminal = new Terminal([kubectlPath(), ...args], { KUBECONFIG: cluster.kubeconfig, KUBECACHEDIR: join(folder, 'cache') });
      terminals.push(terminal);
      for (const [typed, answer] of lines) {
        terminal.type(typed);
        await cluster.eventually(`the answer to ${JSON.stringify(typed)}`, () => terminal.shown.includes(answer), {
          story: () => `shown:\n${terminal.shown}`,
        });
      }
      return { terminal, code: await withDeadline('the end of kubectl', terminal.ended, { within: 30_000 }) };
    }

    it('kubectl attach -it talks with the process that runs already, which has a terminal, too', async () => {
      const { code } = await talk(
        ['attach', '-it', 'talker'],
        [
          ['hello\r', 'hello\r\ngot hello\r\n'],
          ['again\r', 'got again\r\n'],
          ['\u0004', '/dev/pts/0\r\n'],
        ],
      );
      expect(code).toBe(0);
    });

    it('kubectl exec -it begins one, and ends as it ends', async () => {
      const { code, terminal } = await talk(
        ['exec', '-it', 'box', '--', 'sh'],
        [
          ['tty\r', '/dev/pts/'],
          ['echo $((6 * 7))\r', '42\r\n'],
          ['exit 5\r', 'exit code 5'],
        ],
      );
      expect({ code, shown: terminal.shown }).toEqual({ code: 5, shown: expect.stringContaining('exit 5') });
    });

    it('kubectl run -it makes a pod for as long as somebody is there', async () => {
      const { code } = await talk(
        ['run', 'visited', '-it', '--rm', '--restart=Never', `--image=${image}`, '--', 'sh'],
        [
          ['\r', '# '],
          ['echo $((6 * 7))\r', '42\r\n'],
          ['exit\r', 'pod "visited" deleted'],
        ],
      );
      expect(code).toBe(0);
      expect(await cluster.kubectl('get pod visited --ignore-not-found')).toBe('');
    });
  });

  describe('the WebSocket', () => {
    it('talks with the process that runs already, which outlives it', async () => {
      for (const word of ['once', 'twice']) {
        const { socket, received, send } = await connect('reader/attach', ['stdin', 'stdout']);
        send(0, `${word}\n`);
        await cluster.eventually('the container answers', () => received[1]?.includes(`got ${word}\n`));
        socket.terminate();
      }
    });

    it('gives a terminal its size, and every new one', async () => {
      const { received, send, ended } = await connect('box/exec', ['stdin', 'stdout', 'tty'], shell('read line; stty size; exit 5'));
      send(4, '{"Width":80,"Height":24}');
      send(4, '{"Height": 31, "Width": 101}');
      await cluster.eventually('the terminal has the last size', async () => (await exec('stty size -F /dev/pts/0')).stdout === '31 101\n');
      send(0, '\n');
      await ended();
      expect(received[1]).toContain('31 101');
      expect(JSON.parse(received[3] ?? '')).toMatchObject({
        status: 'Failure',
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: '5' }] },
      });
    });

    it('ends the input, and nothing else, when the client closes its channel', async () => {
      const { received, send, ended } = await connect('box/exec', ['stdin', 'stdout'], shell('cat; echo over'));
      send(0, 'hi\n');
      send(255, Buffer.of(0));
      await ended();
      expect(received).toMatchObject({ 1: 'hi\nover\n', 3: JSON.stringify({ metadata: {}, status: 'Success' }) });
    });

    it('speaks the fourth version to a client that knows no newer one', async () => {
      const { socket, received, ended } = await connect('box/exec', ['stdout'], shell('echo hi'), ['v4.channel.k8s.io', 'channel.k8s.io']);
      await ended();
      expect(socket.protocol).toBe('v4.channel.k8s.io');
      expect(received[1]).toBe('hi\n');
    });

    it('ends the input of a process when its client goes away', async () => {
      const { socket } = await connect('box/exec', ['stdin', 'stdout'], ['cat', '-']);
      const runs = async () => /^cat -$/m.test(await processesInBox());
      await cluster.eventually('the process runs', runs);
      socket.terminate();
      await cluster.eventually('the process has ended', async () => !(await runs()));
    });

    it('makes a process wait whose client does not read', async () => {
      const { socket } = await connect('box/exec', ['stdout'], ['dd', 'if=/dev/zero', 'bs=1M', 'count=5000']);
      socket.pause();
      const written = async () => {
        const { stdout } = await exec("for p in /proc/[0-9]*; do grep -q '^dd' $p/cmdline && awk '/^wchar/ {print $2}' $p/io; done");
        return Number(stdout);
      };
      await cluster.eventually('the process waits', async () => {
        const before = await written();
        return before > 0 && before < 500_000_000 && (await written()) === before;
      });
    });
  });

  describe('kubectl debug', () => {
    const debug = (args: string[], input?: string) => cluster.kubectlOutcome(['debug', '--profile=general', ...args], input);

    it('adds a container to a pod that runs, which sees the processes of the one that it is to look into', async () => {
      const args = ['patient', '-i', '--quiet', '--container=look', '--target=patient', `--image=${image}`];
      const outcome = await debug([...args, '--', 'sh', '-c', 'read word; echo $word; tr "\\0" " " < /proc/1/cmdline'], 'hello\n');
      expect(outcome.stdout).toBe('hello\nsleep 1000000 ');
      const status =
        '{.status.ephemeralContainerStatuses[0].state.terminated.exitCode} {.status.phase} {.status.containerStatuses[0].restartCount}';
      await cluster.eventually('its end is told', async () => {
        return (await cluster.kubectl(['get', 'pod', 'patient', '-o', `jsonpath=${status}`])) === '0 Running 0';
      });
      expect(await cluster.kubectl('logs patient -c look')).toContain('hello');
    });

    it('takes none back, and changes none', async () => {
      const path = '/api/v1/namespaces/default/pods/patient/ephemeralcontainers';
      const pod: Pod = JSON.parse(await cluster.kubectl(['get', '--raw', path]));
      const [look = { name: '' }] = pod.spec?.ephemeralContainers ?? [];
      const put = async (containers: object[]) => {
        const body = { ...pod, spec: { ...pod.spec, ephemeralContainers: containers } };
        return (await cluster.kubectlOutcome(['replace', '--raw', path, '-f', '-'], JSON.stringify(body))).stderr;
      };
      expect(await put([])).toContain('existing ephemeral containers "look" may not be removed');
      expect(await put([{ ...look, image: 'other' }])).toContain('existing ephemeral containers "look" may not be changed');
      const refused = await put([look, { name: 'patient', image, targetContainerName: 'nobody', ports: [{ containerPort: 80 }] }]);
      expect(refused).toContain('spec.ephemeralContainers[1].name: Duplicate value: "patient"');
      expect(refused).toContain('spec.ephemeralContainers[1].targetContainerName: Not found: "nobody"');
      expect(refused).toContain('spec.ephemeralContainers[1].ports: Forbidden: cannot be set for an Ephemeral Container');
    });

    it('makes a copy of a pod, whose containers see each other’s processes', async () => {
      const args = ['patient', '-i', '--quiet', '--copy-to=copy', '--share-processes', '--container=look', `--image=${image}`];
      const look = 'read word; until grep -q sleep /proc/[0-9]*/cmdline; do sleep 0.1; done; echo $word';
      expect((await debug([...args, '--', 'sh', '-c', look], 'seen\n')).stdout).toBe('seen\n');
    });
  });

  describe('kubectl by SPDY, as it was before 1.30', () => {
    const bySpdy = (args: string[], input?: string) => cluster.kubectlOutcome(args, input, { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false' });

    it('keeps output, errors and exit code apart, and passes input on', async () => {
      const outcome = await bySpdy(['exec', '-i', 'box', '--', 'sh', '-c', 'cat; echo err >&2; exit 42'], 'hi\n');
      expect(outcome).toEqual({ code: 42, stdout: 'hi\n', stderr: 'err\ncommand terminated with exit code 42\n' });
    });

    it('brings much output whole', async () => {
      const { stdout } = await bySpdy(['exec', 'box', '--', 'sh', '-c', 'seq 1 500000']);
      expect(createHash('sha256').update(stdout).digest('hex')).toBe(
        createHash('sha256')
          .update(Array.from({ length: 500_000 }, (_, index) => `${index + 1}\n`).join(''))
          .digest('hex'),
      );
    });

    it('hears what the container runtime says of a command that does not exist', async () => {
      const { code, stdout, stderr } = await bySpdy(['exec', 'box', '--', 'nosuch']);
      expect(code).not.toBe(0);
      expect(stdout + stderr).toContain('"nosuch": executable file not found');
    });

    it('talks with the process that runs already', async () => {
      const attached = await bySpdy(['run', 'old', '-i', '--rm', '--quiet', '--restart=Never', `--image=${image}`, '--', 'cat'], 'hello\n');
      expect(attached).toMatchObject({ code: 0, stdout: 'hello\n' });
    });
  });
});
