// A node with pods for tests of Services: a real node container, whose pods are processes in network namespaces of their own,
// attached as the kubelet attaches a pod. Each answers every connection with its name and the address that the connection
// seems to come from. Connections are real, through the kernel's real iptables.

import Docker from 'dockerode';
import { sweepAbandoned, testClusterName } from '#cluster/test-clusters';
import { createNode, createNodeNetwork, type NodeContainer } from '#kit/node/node-container';
import { PodNetwork } from '#kit/node/pod-network';
import type { NodeShell } from '#kit/node/shell';

const podCidr = '10.244.1.0/24';
const podPort = 8080;

export type Answer =
  /** `from`: the answering pod's name; `source`: the client's address as that pod saw it. */
  | { outcome: 'answered'; from: string; source: string }
  /** Refused at once: the client knows that nobody is there. */
  | { outcome: 'refused' }
  /** Nothing came back within two seconds. */
  | { outcome: 'no answer' };

/** Somebody with an address who can connect to others. */
export interface TestPeer {
  readonly ip: string;
  /** @param target `10.96.0.20:80`; connects `times` times, one after the other */
  connect(target: string, times?: number): Promise<Answer[]>;
}

export interface TestPod extends TestPeer {
  readonly name: string;
  /** Where it listens (TCP). */
  readonly port: number;
}

export interface ServiceNode extends TestPeer {
  readonly name: string;
  readonly shell: NodeShell;
  /** Connects all of them at the same time; the answers are in the attempts' order. */
  connectAtOnce(attempts: { from: TestPeer; to: string }[]): Promise<Answer[]>;
  /** Starts a pod that answers with this name. */
  pod(name: string): Promise<TestPod>;
  /** A machine that is no pod and no node; the node is its router. Its address is outside the pods' range. */
  outsider(): Promise<TestPeer>;
  stop(): Promise<void>;
}

/** Rejects with what to install when there is no Docker. */
export async function startServiceNode(name = 'node-1'): Promise<ServiceNode> {
  const docker = new Docker();
  await docker.ping().catch((cause) => {
    throw new Error(
      'this test needs a running Docker Engine, to try the rules on real connections, and none answers. ' +
        'On Debian and Ubuntu `npm run setup -- --yes` installs and starts it; elsewhere install Docker Desktop and start it.',
      { cause },
    );
  });
  await sweepAbandoned(docker);
  const cluster = testClusterName();
  const network = await createNodeNetwork(docker, { cluster });
  try {
    const container = await createNode(docker, { cluster, name, network, podCidr });
    return new NodeWithPods(container, () => container.remove().then(() => network.remove()));
  } catch (error) {
    await network.remove();
    throw error;
  }
}

class Peer implements TestPeer {
  readonly ip: string;
  readonly shell: NodeShell;
  /** What comes before a command that is to run in this peer's network namespace. */
  readonly #enter: string;

  constructor(shell: NodeShell, ip: string, enter: string) {
    this.shell = shell;
    this.ip = ip;
    this.#enter = enter;
  }

  async connect(target: string, times = 1): Promise<Answer[]> {
    const output = await this.shell.run(`for i in $(seq ${times}); do ${this.attempt(target)}; done`);
    return output.trimEnd().split('\n').map(readAnswer);
  }

  /** A shell command that writes one line. */
  attempt(target: string): string {
    return `echo "$(${this.#enter} nc -w 2 ${target.replace(':', ' ')} </dev/null 2>&1)"`;
  }
}

class NodeWithPods extends Peer implements ServiceNode {
  readonly name: string;
  readonly #network: PodNetwork;
  readonly #pods: { pid: number; ip: string }[] = [];
  readonly #remove: () => Promise<void>;

  constructor({ name, ip, shell }: NodeContainer, remove: () => Promise<void>) {
    super(shell, ip, '');
    this.name = name;
    this.#network = new PodNetwork(shell, podCidr);
    this.#remove = remove;
  }

  async pod(name: string): Promise<TestPod> {
    // Whoever is asked tells its name and, from its own socket table, who asked. busybox calls a server that stays -ll or -lk.
    const peer = `$4 ~ /:${podPort}$/ && /ESTABLISHED|CLOSE_WAIT/ { sub(/:[0-9]+$/, "", $5); sub(/^::ffff:/, "", $5); print $5; exit }`;
    const answer = `echo "${name} $(netstat -tn | awk '${peer}')"`;
    const server = `unshare -n nc $(nc --help 2>&1 | grep -o -e '-l[lk]') -p ${podPort} -e sh -c '${answer.replaceAll("'", `'\\''`)}'`;
    const ip = this.#network.allocate(this.#pods.map((pod) => pod.ip));
    return Object.assign(await this.#attach(server, ip), { name, port: podPort });
  }

  outsider(): Promise<TestPeer> {
    return this.#attach('unshare -n sleep 2147483647', '192.0.2.77');
  }

  async connectAtOnce(attempts: { from: TestPeer; to: string }[]): Promise<Answer[]> {
    const lines = attempts.map(({ from, to }, index) => `(echo "${index} $(${(from as Peer).attempt(to)})") &`);
    const output = await this.shell.run([...lines, 'wait'].join('\n'));
    const answers = new Map(output.split('\n').map((line) => [Number.parseInt(line, 10), readAnswer(line.replace(/^\d+ /, ''))]));
    return attempts.map((_, index) => answers.get(index) ?? { outcome: 'no answer' });
  }

  async stop(): Promise<void> {
    await this.shell.run(`kill -9 ${this.#pods.map(({ pid }) => pid).join(' ')} 2>/dev/null || true`);
    await this.#remove();
  }

  async #attach(command: string, ip: string): Promise<Peer> {
    // The namespace is there once it differs from the node's own.
    const pid = Number(
      await this.shell.run(`
        ${command} </dev/null >/dev/null 2>&1 &
        while [ "$(readlink /proc/$!/ns/net)" = "$(readlink /proc/$$/ns/net)" ]; do sleep 0.01; done
        echo $!`),
    );
    this.#pods.push({ pid, ip });
    await this.#network.attach(pid, ip);
    return new Peer(this.shell, ip, `nsenter -t ${pid} -n`);
  }
}

function readAnswer(line: string): Answer {
  if (/refused/i.test(line)) return { outcome: 'refused' };
  const [, from, source] = /^(\S+) ([\d.]+)$/.exec(line) ?? [];
  return from !== undefined && source !== undefined ? { outcome: 'answered', from, source } : { outcome: 'no answer' };
}
