// A node: a small container that owns a network namespace, as a machine would. Pods are attached to it (pod-network.ts),
// kube-proxy writes its rules into it, and a Docker network of the cluster's own connects the nodes.

import type Docker from 'dockerode';
import { ensureImage } from '#kit/node/images';
import { type NodeShell, openNodeShell } from '#kit/node/shell';

/** Every container and network of a cluster carries it, with the cluster's name: clean-up goes by this label alone. */
export const clusterLabel = 'kubekata.cluster';
/** With the node's name, on the node's container and on every container of its pods. */
export const nodeLabel = 'kubekata.node';
export const toolsImage = 'kubekata/tools:1';

export interface NodeNetwork {
  name: string;
  /** The machine's own address in it (on Linux). */
  gateway: string;
  remove(): Promise<void>;
}

export interface NodeContainer {
  id: string;
  name: string;
  /** Its address in the nodes' network. */
  ip: string;
  podCidr: string;
  shell: NodeShell;
  remove(): Promise<void>;
}

/** The nodes' network: the first 172.30.N.0/24 that no other network of the engine or the machine uses. */
export async function createNodeNetwork(docker: Docker, { cluster }: { cluster: string }): Promise<NodeNetwork> {
  const name = `${cluster}-nodes`;
  for (let third = 0; third < 256; third++) {
    const gateway = `172.30.${third}.1`;
    try {
      const network = await docker.createNetwork({
        Name: name,
        CheckDuplicate: true,
        Labels: { [clusterLabel]: cluster },
        IPAM: { Driver: 'default', Config: [{ Subnet: `172.30.${third}.0/24`, Gateway: gateway }] },
        Options: { 'com.docker.network.driver.mtu': '1400' },
      });
      return { name, gateway, remove: () => network.remove().then(() => {}) };
    } catch (error) {
      if (!/overlap/i.test(String(error))) throw error;
    }
  }
  throw new Error('every network from 172.30.0.0/24 to 172.30.255.0/24 is in use: remove some with `docker network prune`');
}

export interface NodeContainerOptions {
  cluster: string;
  /** The node's name; the container is `<cluster>-<name>`. */
  name: string;
  network: NodeNetwork;
  /** `10.244.1.0/24` */
  podCidr: string;
}

export async function createNode(docker: Docker, { cluster, name, network, podCidr }: NodeContainerOptions): Promise<NodeContainer> {
  await ensureImage(docker, toolsImage);
  const container = await docker.createContainer({
    name: `${cluster}-${name}`,
    Hostname: name,
    Image: toolsImage,
    Labels: { [clusterLabel]: cluster, [nodeLabel]: name },
    HostConfig: {
      NetworkMode: network.name,
      // The host's process ids, so that `nsenter -t <pid>` finds the pods' network namespaces.
      PidMode: 'host',
      CapAdd: ['NET_ADMIN', 'NET_RAW', 'SYS_ADMIN', 'SYS_PTRACE'],
      SecurityOpt: ['apparmor=unconfined'],
      Sysctls: { 'net.ipv4.ip_forward': '1', 'net.ipv4.conf.all.route_localnet': '1', 'net.ipv4.conf.default.route_localnet': '1' },
    },
  });
  const remove = () => container.remove({ force: true }).then(() => {});
  try {
    await container.start();
    const { NetworkSettings } = await container.inspect();
    const ip = NetworkSettings.Networks[network.name]?.IPAddress;
    if (!ip) throw new Error(`the node ${name} got no address in the network ${network.name}`);
    const shell = await openNodeShell(docker, container.id);
    const node: NodeContainer = {
      id: container.id,
      name,
      ip,
      podCidr,
      shell,
      remove: () => {
        shell.close();
        return remove();
      },
    };
    return node;
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * Lets pods reach pods of other nodes and, behind their node's address, the world outside. Call it on all nodes together.
 * @param clusterCidr the addresses of all pods: `10.244.0.0/16`
 */
export async function connectNodes(nodes: NodeContainer[], clusterCidr: string): Promise<void> {
  await Promise.all(
    nodes.map((node) => {
      const routes = nodes
        .filter((other) => other !== node)
        .map((other) => `/usr/sbin/ip route replace ${other.podCidr} via ${other.ip} dev eth0`);
      const masquerade = `POSTROUTING -s ${clusterCidr} ! -d ${clusterCidr} -o eth0 -j MASQUERADE`;
      return node.shell.run(
        ['set -e', ...routes, `iptables -w -t nat -C ${masquerade} 2>/dev/null || iptables -w -t nat -A ${masquerade}`].join('\n'),
      );
    }),
  );
}
