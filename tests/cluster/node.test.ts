// What the kubelet and kube-proxy stand on: a node's shell and the pods' network, on the real Docker Engine.

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Docker from 'dockerode';
import { sweep } from '#cluster/sweep';
import { testClusterName } from '#cluster/test-clusters';
import { ensureImage } from '#kit/node/images';
import { clusterLabel, connectNodes, createNode, createNodeNetwork, type NodeContainer } from '#kit/node/node-container';
import { PodNetwork } from '#kit/node/pod-network';

describe('nodes as containers', () => {
  const docker = new Docker();
  const cluster = testClusterName();
  const nodes: NodeContainer[] = [];
  let gateway: string;

  beforeAll(async () => {
    const network = await createNodeNetwork(docker, { cluster });
    gateway = network.gateway;
    nodes.push(
      ...(await Promise.all(
        [1, 2].map((index) => createNode(docker, { cluster, name: `node-${index}`, network, podCidr: `10.244.${index}.0/24` })),
      )),
    );
    await connectNodes(nodes, '10.244.0.0/16');
  });
  afterAll(async () => {
    for (const node of nodes) node.shell.close();
    await sweep(docker, cluster);
  });

  const node = (index: number) => nodes[index] as NodeContainer;

  /** A pod: pause holds the namespaces, the app joins them. Returns its address, and the process that holds its network. */
  async function runPod(on: NodeContainer): Promise<{ ip: string; pid: number }> {
    await Promise.all(['kubekata/pause:1', 'kubekata/echo:v1'].map((image) => ensureImage(docker, image)));
    const labels = { [clusterLabel]: cluster };
    const pause = await docker.createContainer({ Image: 'kubekata/pause:1', Labels: labels, HostConfig: { NetworkMode: 'none' } });
    await pause.start();
    const network = new PodNetwork(on.shell, on.podCidr);
    const ip = network.allocate([]);
    const pid = (await pause.inspect()).State.Pid;
    await network.attach(pid, ip);
    const app = await docker.createContainer({
      Image: 'kubekata/echo:v1',
      Labels: labels,
      HostConfig: { NetworkMode: `container:${pause.id}` },
    });
    await app.start();
    return { ip, pid };
  }

  it('has a shell that takes scripts with input, one after the other, and tells output from errors', async () => {
    const { shell } = node(0);
    const [first, second, failed] = await Promise.allSettled([
      shell.run('read line; echo "got $line"', 'a line'),
      shell.run('hostname'),
      shell.run('echo partly; echo why >&2; exit 3'),
    ]);
    expect(first).toEqual({ status: 'fulfilled', value: 'got a line\n' });
    expect(second).toEqual({ status: 'fulfilled', value: 'node-1\n' });
    expect(failed).toMatchObject({ status: 'rejected', reason: { exitCode: 3, stderr: 'why\n' } });
  });

  it('passes a megabyte of input through the shell whole', async () => {
    const text = `${'0123456789abcdef'.repeat(65_536)}\n`;
    expect(await node(0).shell.run('wc -c', text)).toBe(`${text.length}\n`);
  });

  it('connects a pod with its own node, with pods of another node, and with the machine beyond', async () => {
    const [near, far] = [await runPod(node(0)), await runPod(node(1))];
    const fetchEcho = (ip: string) => `timeout 5 wget -qO- http://${ip}:8080`;
    const inPod = (script: string) => node(0).shell.run(`nsenter -t ${near.pid} -n ${script}`);
    expect(await node(0).shell.run(fetchEcho(near.ip))).toMatch(/^echo v1 from /);
    expect(await inPod(fetchEcho(far.ip))).toMatch(/^echo v1 from /);
    expect(await inPod(`ping -c 1 -W 5 ${gateway}`)).toContain('1 packets received');
  });
});
