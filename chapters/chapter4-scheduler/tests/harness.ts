// A cluster for the scheduler's tests: a control plane, a scheduler where a test starts one, and nodes that are nothing but objects.
// Each test begins with no node and no pod.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { Events, type KubernetesObject, type Node, Nodes, type Pod, Pods, type Resource } from '#kit/api';
import { Client } from '#kit/client';
import type { RunningComponent } from '#kit/component';
import { NotImplemented } from '#kit/not-implemented';
import { ApiError } from '#kit/status';
import { startTestControlPlane, type TestControlPlane } from '#kit/testing/control-plane';
import { FastClock } from '#kit/testing/fast-clock';
import type { WaitOptions } from '#kit/testing/wait';
import { startScheduler } from '#scheduler';
import { SchedulerCache } from '#scheduler/cache';
import type { Snapshot } from '#scheduler/schedule';

/** Above what any step here takes, below what a learner is willing to wait. */
const patience: WaitOptions = { within: 5_000 };

/** How many times as fast the scheduler's clock goes: a pod that fits nowhere is left alone for a second. */
const haste = 20;

/** Nodes, and pods that are on them, as the scheduler's core sees them. */
export function snapshotOf(nodes: Node[], podsOnThem: Pod[] = []): Snapshot {
  const cache = new SchedulerCache();
  for (const node of nodes) cache.setNode(node);
  for (const [index, pod] of podsOnThem.entries()) {
    cache.setPod({ ...pod, metadata: { ...pod.metadata, uid: pod.metadata?.uid ?? `uid-${index}` } });
  }
  return cache.snapshot();
}

/** `accepted`, or the reason of the API server's refusal. */
export async function answerTo(request: Promise<unknown>): Promise<string> {
  try {
    await request;
    return 'accepted';
  } catch (error) {
    if (error instanceof ApiError) return error.reason;
    throw error;
  }
}

export interface WrittenRequest {
  /** `POST /api/v1/…` */
  line: string;
  body: unknown;
}

/** Every request that `act` makes of an API server that says yes to everything. */
export async function requestsOfClient(act: (client: Client) => Promise<void>): Promise<WrittenRequest[]> {
  const requests: WrittenRequest[] = [];
  const server = createServer(async (request, response) => {
    requests.push({ line: `${request.method} ${request.url}`, body: JSON.parse(await text(request)) });
    response.writeHead(201, { 'content-type': 'application/json' }).end('{"kind":"Status","apiVersion":"v1","status":"Success"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new Client({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, userAgent: 'test' });
  try {
    await act(client);
    return requests;
  } finally {
    client.close();
    await new Promise((resolve) => server.close(resolve));
  }
}

export class SchedulerCluster {
  #plane: TestControlPlane | undefined;
  #scheduler: RunningComponent | undefined;

  /** Starts the control plane before the tests of the enclosing describe, and clears up after each. */
  static forTheseTests(): SchedulerCluster {
    const cluster = new SchedulerCluster();
    beforeAll(async () => {
      cluster.#plane = await startTestControlPlane();
    });
    beforeEach(() => {
      NotImplemented.forget();
      cluster.#plane?.beginStory();
    });
    afterEach(() => cluster.clear());
    afterAll(async () => {
      await cluster.#plane?.stop();
    });
    return cluster;
  }

  get plane(): TestControlPlane {
    if (!this.#plane) throw new Error('the control plane is not started');
    return this.#plane;
  }

  get client(): Client {
    return this.plane.client;
  }

  /** Resolves with the scheduler's URL. */
  async startScheduler(): Promise<string> {
    const { client, context } = this.plane;
    this.#scheduler = await startScheduler({ client, listen: { host: '127.0.0.1', port: 0 }, ...context, clock: new FastClock(haste) });
    return this.#scheduler.url;
  }

  /** Creates them, status and all, one after the other. */
  async nodes(...nodes: Node[]): Promise<void> {
    for (const node of nodes) await this.#createWithStatus(Nodes, node);
  }

  /** Creates it, with its phase if it has one. */
  pod(pod: Pod): Promise<Pod> {
    return this.#createWithStatus(Pods, pod);
  }

  read(name: string): Promise<Pod> {
    return this.client.get(Pods, { name, namespace: 'default' });
  }

  eventually<T>(what: string, check: () => T | Promise<T>) {
    return this.plane.eventually(what, check, patience);
  }

  /** Waits until the pod is bound; resolves with its node's name. */
  nodeOf(name: string): Promise<string> {
    return this.eventually(`pod ${name} has a node`, async () => (await this.read(name)).spec?.nodeName);
  }

  /** Waits until the scheduler has said that the pod fits nowhere; resolves with what it said. */
  reasonForPending(name: string): Promise<string> {
    return this.eventually(`pod ${name} has the condition PodScheduled=False with reason Unschedulable`, async () => {
      const condition = (await this.read(name)).status?.conditions?.find(({ type }) => type === 'PodScheduled');
      return condition?.status === 'False' && condition.reason === 'Unschedulable' ? condition.message : undefined;
    });
  }

  /** Waits for an event about the pod; resolves with its message. */
  eventAbout(name: string, reason: string): Promise<string> {
    return this.eventually(`an event ${reason} about pod ${name}`, async () => {
      const { items } = await this.client.list(Events, { namespace: 'default' });
      return items.find((event) => event.involvedObject.name === name && event.reason === reason)?.message;
    });
  }

  /** The reasons of all events about the pod. */
  async eventsAbout(name: string): Promise<string[]> {
    const { items } = await this.client.list(Events, { namespace: 'default' });
    return items.filter(({ involvedObject }) => involvedObject.name === name).map(({ reason = '' }) => reason);
  }

  async setPhase(name: string, phase: 'Running' | 'Succeeded' | 'Failed'): Promise<void> {
    await this.client.patch(Pods, { name, namespace: 'default' }, 'merge', { status: { phase } }, { subresource: 'status' });
  }

  async deletePod(name: string): Promise<void> {
    await this.client.delete(Pods, { name, namespace: 'default' }, { gracePeriodSeconds: 0 });
  }

  /** Stops the scheduler and deletes everything a test may have made. Harmless on a cluster that never started. */
  async clear(): Promise<void> {
    await this.#scheduler?.stop();
    this.#scheduler = undefined;
    if (!this.#plane) return;
    for (const resource of [Pods, Nodes, Events] as Resource<KubernetesObject>[]) {
      const { items } = await this.client.list(resource);
      await Promise.all(
        items.map(({ metadata }) =>
          this.client.delete(resource, { name: metadata?.name ?? '', namespace: metadata?.namespace }, { gracePeriodSeconds: 0 }),
        ),
      );
    }
  }

  /** As everywhere in Kubernetes, create ignores some kinds' status; it is written in a second step. */
  async #createWithStatus<T extends KubernetesObject & { status?: unknown }>(resource: Resource<T>, object: T): Promise<T> {
    const created = await this.client.create(resource, object);
    if (!object.status || Object.keys(object.status).length === 0) return created;
    const { name = '', namespace } = created.metadata ?? {};
    return this.client.patch(resource, { name, namespace }, 'merge', { status: object.status }, { subresource: 'status' });
  }
}
