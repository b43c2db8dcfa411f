// kube-proxy: one for each node. It follows all Services and EndpointSlices and makes its node's iptables send what is
// addressed to a Service to one of the Service's pods. It never touches a packet: the kernel does, by these rules. So when it
// stops, the rules stay, and connections go on.

import { Informer } from '#controller-manager/informer';
import { EndpointSlices, Services } from '#kit/api';
import type { Client } from '#kit/client';
import type { ComponentContext, ListenAddress, RunningComponent } from '#kit/component';
import { serveHealth } from '#kit/health-server';
import type { NodeShell } from '#kit/node/shell';
import { SyncMetrics } from './metrics.ts';
import { NodeTables } from './node-tables.ts';
import { planServicePorts } from './plan.ts';
import { SyncLoop } from './sync-loop.ts';
import { type ClusterAddresses, tablesFor } from './tables.ts';

export interface KubeProxyOptions extends ClusterAddresses, ComponentContext {
  client: Client;
  nodeName: string;
  /** Where iptables-restore runs: inside the node's network namespace. Not closed here. */
  shell: NodeShell;
  /** /healthz and /metrics, over HTTP. */
  listen: ListenAddress;
}

/** The real one waits a second, for nodes with ten thousand Services; ours are smaller, and someone is watching. */
const minSyncIntervalMs = 100;
const retryAfterMs = 1_000;

/** Resolves when both caches are filled and the first sync is asked for; /healthz says when the rules are there. */
export async function startKubeProxy(options: KubeProxyOptions): Promise<RunningComponent> {
  const { client, nodeName, shell, listen, clock, log } = options;
  const services = new Informer(client, Services, options);
  const slices = new Informer(client, EndpointSlices, options);
  const nodeTables = new NodeTables(shell);
  const metrics = new SyncMetrics(clock);

  const sync = async () => {
    const wanted = tablesFor(planServicePorts(services.list(), slices.list(), nodeName), options);
    await nodeTables.write(wanted);
    return wanted;
  };
  const loop = new SyncLoop({ sync: () => metrics.observe(sync), minIntervalMs: minSyncIntervalMs, retryAfterMs, clock, log });

  // Rules made from half the objects would cut off the other half: the first sync waits for both lists.
  let listed = false;
  const changed = () => {
    if (listed) loop.request();
  };
  for (const informer of [services, slices]) informer.onChange({ added: changed, updated: changed, deleted: changed });

  const health = await serveHealth({ listen, unhealthy: () => metrics.unhealthy(), metrics: () => metrics.text() });
  const stop = async () => {
    await Promise.all([services.stop(), slices.stop(), loop.stop()]);
    await health.stop();
  };
  try {
    await Promise.all([services.start(), slices.start()]);
    listed = true;
    loop.request();
  } catch (error) {
    await stop();
    throw error;
  }
  log.info('kube-proxy follows Services and EndpointSlices', { node: nodeName, url: health.url });
  return { url: health.url, stop };
}
