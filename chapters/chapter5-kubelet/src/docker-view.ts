// What Docker has of this node's pods, kept up to date by Docker's events: nobody asks every second. After a lost connection it
// looks at everything once, so nothing is missed. Sees only containers with this node's labels.
// Kubernetes: pkg/kubelet/pleg/evented.go, pkg/kubelet/container/cache.go

import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import type { Clock } from '#kit/clock';
import type { Logger } from '#kit/log';
import { readLines } from '#kit/transport';
import { codeOf } from './docker-errors.ts';
import { type Labels, podUidLabel, typeLabel } from './docker-names.ts';
import { emptyPod, type Known, knownOf, podsOf } from './docker-state.ts';
import type { RuntimePod } from './runtime.ts';

export interface DockerViewOptions {
  docker: Docker;
  labels: Labels;
  clock: Clock;
  log: Logger;
}

interface DockerEvent {
  Action: string;
  Actor: { ID: string; Attributes: Labels };
}

const reconnectAfterMs = 1_000;

export class DockerView {
  readonly #options: DockerViewOptions;
  readonly #known = new Map<string, Known>();
  /** Containers that this kubelet is starting itself: their start is no news. */
  readonly #starting = new Set<string>();
  readonly #listeners: ((podUid: string) => void)[] = [];
  readonly #stopping = new AbortController();
  #events: NodeJS.ReadableStream | undefined;
  #following: Promise<void> = Promise.resolve();

  constructor(options: DockerViewOptions) {
    this.#options = options;
  }

  onChange(listener: (podUid: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Resolves when everything that is there was looked at. */
  async start(): Promise<void> {
    await this.#lookAtAll();
    this.#following = this.#follow();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#close();
    await this.#following;
  }

  all(): Iterable<Known> {
    return this.#known.values();
  }

  get(id: string): Known | undefined {
    return this.#known.get(id);
  }

  pods(): RuntimePod[] {
    return [...podsOf(this.#known.values()).values()];
  }

  pod(uid: string): RuntimePod {
    const own = [...this.#known.values()].filter(({ podUid }) => podUid === uid);
    return podsOf(own).get(uid) ?? emptyPod(uid);
  }

  set(id: string, known: Known): void {
    this.#known.set(id, known);
  }

  forget(id: string): void {
    this.#known.delete(id);
  }

  /** Looks at one container; undefined when it is gone. */
  async look(id: string): Promise<Docker.ContainerInspectInfo | undefined> {
    try {
      const info = await this.#options.docker.getContainer(id).inspect();
      const known = knownOf(info);
      if (known) this.#known.set(info.Id, known);
      return info;
    } catch (error) {
      if (codeOf(error) !== 404) throw error;
      this.#known.delete(id);
      return undefined;
    }
  }

  /** Runs `start`, then looks at the container, whether it started or not. */
  async starting(id: string, start: () => Promise<unknown>): Promise<Docker.ContainerInspectInfo | undefined> {
    this.#starting.add(id);
    try {
      await start();
    } catch (error) {
      await this.look(id);
      throw error;
    } finally {
      this.#starting.delete(id);
    }
    return this.look(id);
  }

  /** Subscribes first and looks second, so that nothing falls between. */
  async #lookAtAll(): Promise<void> {
    const { docker, labels } = this.#options;
    const label = [...Object.entries(labels).map(([key, value]) => `${key}=${value}`), typeLabel];
    const filters = JSON.stringify({ type: ['container'], event: ['start', 'die', 'destroy'], label });
    this.#events = await docker.getEvents({ filters } as unknown as Docker.GetEventsOptions);
    const present = await docker.listContainers({ all: true, filters: JSON.stringify({ label }) });
    const ids = new Set(present.map(({ Id }) => Id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    await Promise.all([...ids].map((id) => this.look(id)));
  }

  async #follow(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        for await (const line of readLines(this.#events as unknown as AsyncIterable<Buffer>)) await this.#take(JSON.parse(line));
        if (!signal.aborted) throw new Error('Docker ended the stream of events');
      } catch (error) {
        if (signal.aborted) return;
        log.warn('lost the connection to Docker; trying again', { error });
        await clock.sleep(reconnectAfterMs, signal);
        await this.#reconnect();
      }
    }
  }

  async #reconnect(): Promise<void> {
    try {
      const before = this.pods();
      await this.#lookAtAll();
      if (this.#stopping.signal.aborted) this.#close();
      for (const uid of new Set([...before, ...this.pods()].map(({ uid }) => uid))) this.#ring(uid);
    } catch (error) {
      this.#options.log.debug('Docker does not answer yet', { error });
    }
  }

  async #take({ Action, Actor: { ID: id, Attributes } }: DockerEvent): Promise<void> {
    const known = this.#known.get(id);
    const state = known?.kind === 'sandbox' ? known.sandbox.state : known?.container.state;
    if (Action === 'start' && (this.#starting.has(id) || state === 'running')) return;
    if (Action === 'destroy') {
      // What this kubelet removed itself is forgotten already.
      if (!this.#known.delete(id)) return;
    } else await this.look(id);
    this.#ring(Attributes[podUidLabel] ?? '');
  }

  #ring(podUid: string): void {
    for (const listener of this.#listeners) listener(podUid);
  }

  #close(): void {
    (this.#events as Readable | undefined)?.destroy();
  }
}
