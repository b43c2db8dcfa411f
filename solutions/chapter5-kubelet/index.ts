// The kubelet: one on every node. It sees to it that the pods bound to its node run as their specs say, and tells the truth about
// them and about the node. It decides nothing about which pods those are.
// Kubernetes: cmd/kubelet, pkg/kubelet

import type { Client } from '#kit/client';
import type { ComponentContext, ListenAddress, RunningComponent, ServingTls } from '#kit/component';
import { EventRecorder } from '#kit/events';
import { NodeAgent } from './node-agent.ts';
import { startNodeApi } from './node-api.ts';
import { NodeApiAccess } from './node-api-access.ts';
import { PodLoop } from './pod-loop.ts';
import type { ContainerRuntime } from './runtime.ts';
import { Volumes } from './volumes.ts';

export { DockerRuntime, type DockerRuntimeOptions } from './docker-runtime.ts';
export { HollowRuntime, type HollowRuntimeOptions } from './hollow-runtime.ts';
export type { ContainerRuntime } from './runtime.ts';

export interface KubeletOptions extends ComponentContext {
  /** Of the user `system:node:<nodeName>`, group `system:nodes`. */
  client: Client;
  nodeName: string;
  /** The node's address in the nodes' network. */
  nodeIp: string;
  /** The node's share of the pods' addresses. */
  podCidr: string;
  runtime: ContainerRuntime;
  /** Of the node API. */
  listen: ListenAddress;
  tls: Required<ServingTls>;
  /** The DNS service's address. */
  clusterDns: string;
  /** `cluster.local` */
  clusterDomain: string;
  /** Where the pods' volumes lie. Absent: pods have none, as suits a runtime that pretends. */
  disk?: KubeletDisk;
}

export interface KubeletDisk {
  /** Absolute. */
  rootDirectory: string;
  /** Removes a folder, with what containers wrote into it as whatever user. */
  removeFolder(folder: string): Promise<void>;
}

/** Resolves when the node API listens; joining the cluster goes on in the background until it succeeds. */
export async function startKubelet(options: KubeletOptions): Promise<RunningComponent> {
  const { client, nodeName, nodeIp, podCidr, runtime, disk, listen, tls, clock, random, log } = options;
  const context: ComponentContext = { clock, random, log };
  const events = new EventRecorder(client, 'kubelet', context, { host: nodeName });
  const dns = { server: options.clusterDns, domain: options.clusterDomain };
  const volumes = disk && new Volumes({ client, clock, ...disk });
  const pods = new PodLoop({ client, nodeName, nodeIp, runtime, volumes, dns, events }, context);
  await runtime.start();
  const access = new NodeApiAccess({ client, nodeName, clock });
  const api = await startNodeApi({ listen, tls, runtime, pods, access, clock, log });
  const agent = new NodeAgent(client, { name: nodeName, ip: nodeIp, podCidr, port: api.port }, runtime, events, context);
  agent.start();
  pods.start();
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await Promise.all([api.stop(), agent.stop(), pods.stop()]);
    await events.flush();
    await runtime.stop();
  };
  return {
    url: api.url,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}
