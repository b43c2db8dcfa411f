// How nodes reach this machine, and this machine a node. On Linux the nodes' network has its gateway here. Docker Desktop keeps
// the engine in a virtual machine: there nodes know us as host.docker.internal, and we reach them through a process of theirs.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import type Docker from 'dockerode';
import type { NodeContainer, NodeNetwork } from '#kit/node/node-container';

/**
 * Whether the engine's networks end on this machine, as they do on Linux: then the gateway's address can be listened on. (Node's list of
 * interfaces leaves a network out as long as nobody is in it.)
 */
export async function sharesNetwork({ gateway }: NodeNetwork): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(0, gateway);
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** Where a server must listen so that nodes reach it, and the address they reach it by. */
export interface MachineAddress {
  listen: string;
  reachedBy: string;
}

/** @param someNode is asked only where the network alone does not tell */
export async function machineAddress(network: NodeNetwork, someNode: () => Promise<NodeContainer>): Promise<MachineAddress> {
  if (await sharesNetwork(network)) return { listen: network.gateway, reachedBy: network.gateway };
  const node = await someNode();
  const answer = await node.shell.run('ping -c 1 -W 2 host.docker.internal || true');
  const address = /\((\d+\.\d+\.\d+\.\d+)\)/.exec(answer)?.[1];
  if (!address) throw new Error('the nodes know no way to this machine: neither the network’s gateway nor host.docker.internal answers');
  return { listen: '127.0.0.1', reachedBy: address };
}

/** Opens connections to ports of a node. */
export async function dialer(docker: Docker, network: NodeNetwork, node: NodeContainer): Promise<(port: number) => Duplex> {
  return (await sharesNetwork(network)) ? (port) => connect(port, node.ip) : (port) => connectThroughShell(docker, node, port);
}

function connectThroughShell(docker: Docker, node: NodeContainer, port: number): Duplex {
  const toNode = new PassThrough();
  const fromNode = new PassThrough();
  const pipe = async () => {
    const exec = await docker.getContainer(node.id).exec({ Cmd: ['nc', '127.0.0.1', String(port)], AttachStdin: true, AttachStdout: true });
    const stream = await exec.start({ hijack: true, stdin: true });
    docker.modem.demuxStream(stream, fromNode, new PassThrough().resume());
    stream.on('end', () => fromNode.end());
    toNode.pipe(stream);
  };
  pipe().catch((error) => fromNode.destroy(error));
  return Duplex.from({ writable: toNode, readable: fromNode });
}
