// The scheduler as a component: follows nodes and pods, gives every pod that has none a node, and serves /healthz and /metrics.
// It may be stopped and started at any time: all it knows it reads from the API server.
// Kubernetes: cmd/kube-scheduler, pkg/scheduler/scheduler.go

import { runController } from '#controller-manager/controller';
import { Informer } from '#controller-manager/informer';
import { WorkQueue } from '#controller-manager/work-queue';
import { Nodes, Pods } from '#kit/api';
import type { Client } from '#kit/client';
import type { ComponentContext, ListenAddress, RunningComponent } from '#kit/component';
import { EventRecorder } from '#kit/events';
import { serveHealth } from '#kit/health-server';
import { SchedulerCache } from './cache.ts';
import { nodeHandler, podHandler } from './event-handlers.ts';
import { SchedulerMetrics } from './metrics.ts';
import { Scheduler } from './scheduler.ts';
import { UnschedulablePods } from './unschedulable-pods.ts';
import { schedulerName } from './which-pods.ts';

export interface SchedulerOptions extends ComponentContext {
  client: Client;
  /** Where /healthz and /metrics are served, over HTTP. */
  listen: ListenAddress;
}

/** So many bindings may be on their way to the API server at the same time. */
const concurrentBindings = 16;

export async function startScheduler({ client, listen, ...context }: SchedulerOptions): Promise<RunningComponent> {
  const nodes = new Informer(client, Nodes, context);
  const pods = new Informer(client, Pods, context);
  const cache = new SchedulerCache();
  const queue = new WorkQueue(context);
  const unschedulable = new UnschedulablePods(context.clock, queue);
  const events = new EventRecorder(client, schedulerName, context);
  const metrics = new SchedulerMetrics();
  const pod = (key: string) => pods.get(key);
  const scheduler = new Scheduler({ client, clock: context.clock, pod, cache, unschedulable, events, metrics });

  nodes.onChange(nodeHandler({ cache, queue, unschedulable }));
  pods.onChange(podHandler({ cache, queue, unschedulable }));

  let synced = false;
  const health = await serveHealth({
    listen,
    unhealthy: () => (synced ? undefined : 'the caches are not filled yet'),
    metrics: () => metrics.text({ active: queue.length, unschedulable: unschedulable.size }),
  });
  let controller: { stop(): Promise<void> } | undefined;
  const stop = async () => {
    await controller?.stop();
    await Promise.all([nodes.stop(), pods.stop()]);
    await events.flush();
    await health.stop();
  };
  try {
    // Nodes and pods first, decisions after: half a picture would put pods on nodes that are full.
    await Promise.all([nodes.start(), pods.start()]);
    synced = true;
  } catch (error) {
    await stop();
    throw error;
  }
  const reconcile = (key: string) => scheduler.scheduleOne(key);
  controller = runController({ name: schedulerName, queue, workers: concurrentBindings, log: context.log, reconcile });
  return { url: health.url, stop };
}
