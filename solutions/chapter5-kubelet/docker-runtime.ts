// The runtime that is real: Docker Engine's API. Touches only containers with its own labels. What it knows comes from Docker's
// events, not from asking every second; after a lost connection it looks at everything once.
// Kubernetes: pkg/kubelet/dockershim (until 1.23), pkg/kubelet/pleg/evented.go

import { statfs } from 'node:fs/promises';
import { freemem } from 'node:os';
import { pipeline, type Readable } from 'node:stream';
import type Docker from 'dockerode';
import type { Clock } from '#kit/clock';
import type { Logger } from '#kit/log';
import { imageRecipes } from '#kit/node/image-recipes';
import { readLines } from '#kit/transport';
import { containerOptions, sandboxOptions } from './docker-config.ts';
import { demultiplexer } from './docker-logs.ts';
import { type Labels, podUidLabel, typeLabel } from './docker-names.ts';
import { emptyPod, type Known, knownOf, podsOf } from './docker-state.ts';
import type {
  ContainerRequest,
  ContainerRuntime,
  LogOptions,
  Machine,
  RuntimeContainer,
  RuntimePod,
  RuntimeSandbox,
  SandboxRequest,
} from './runtime.ts';

/** The network step (Kubernetes: a CNI plugin). */
export interface SandboxNetwork {
  allocate(used: Iterable<string>): string;
  attach(pid: number, ip: string): Promise<void>;
}

export interface DockerRuntimeOptions {
  docker: Docker;
  /** On every container of this node and no other; they are how the runtime finds its own again. */
  labels: Labels;
  network: SandboxNetwork;
  /** Makes or pulls an image that the engine doesn't have; does nothing when it has it. */
  ensureImage(name: string): Promise<void>;
  clock: Clock;
  log: Logger;
  pauseImage?: string;
}

const reconnectAfterMs = 1_000;

export class DockerRuntime implements ContainerRuntime {
  readonly name = 'docker';
  readonly #options: DockerRuntimeOptions;
  readonly #pauseImage: string;
  readonly #known = new Map<string, Known>();
  /** Addresses given to sandboxes that are being created. */
  readonly #reserved = new Set<string>();
  /** Containers that this runtime is starting: their start is no news. */
  readonly #starting = new Set<string>();
  readonly #listeners: ((podUid: string) => void)[] = [];
  readonly #stopping = new AbortController();
  #events: NodeJS.ReadableStream | undefined;
  #listening: Promise<void> = Promise.resolve();

  constructor(options: DockerRuntimeOptions) {
    this.#options = options;
    this.#pauseImage = options.pauseImage ?? 'kubekata/pause:1';
  }

  async start(): Promise<void> {
    await this.#reachable();
    await Promise.all([this.#options.ensureImage(this.#pauseImage), this.#listen()]);
    await this.#removeUnconnected();
    this.#listening = this.#follow();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#close();
    await this.#listening;
  }

  async machine(): Promise<Machine> {
    const [info, disk] = await Promise.all([this.#options.docker.info(), statfs('/')]);
    return {
      cpus: info.NCPU,
      memoryBytes: info.MemTotal,
      // This machine's, not the engine's: with Docker Desktop they differ.
      availableMemoryBytes: freemem(),
      diskBytes: disk.blocks * disk.bsize,
      availableDiskBytes: disk.bavail * disk.bsize,
      kernelVersion: info.KernelVersion,
      osImage: info.OperatingSystem,
      architecture: ({ x86_64: 'amd64', aarch64: 'arm64' } as Record<string, string>)[info.Architecture] ?? info.Architecture,
      containerRuntimeVersion: `docker://${info.ServerVersion}`,
      machineId: info.ID,
    };
  }

  pods(): RuntimePod[] {
    return [...podsOf(this.#known.values()).values()];
  }

  pod(uid: string): RuntimePod {
    const own = [...this.#known.values()].filter(({ podUid }) => podUid === uid);
    return podsOf(own).get(uid) ?? emptyPod(uid);
  }

  onChange(listener: (podUid: string) => void): void {
    this.#listeners.push(listener);
  }

  async hasImage(image: string): Promise<boolean> {
    try {
      await this.#options.docker.getImage(image).inspect();
      return true;
    } catch (error) {
      if (codeOf(error) === 404) return false;
      throw inDockersWords(error);
    }
  }

  async pullImage(image: string): Promise<void> {
    const { docker, ensureImage } = this.#options;
    try {
      // The course's own images are in no registry; the engine has them or they are made.
      if (image in imageRecipes || !(await this.hasImage(image))) return await ensureImage(image);
      const progress = await docker.pull(/[:@][^/]+$/.test(image) ? image : `${image}:latest`);
      await new Promise((resolve, reject) =>
        docker.modem.followProgress(progress, (error, result) => (error ? reject(error) : resolve(result))),
      );
    } catch (error) {
      throw inDockersWords(error);
    }
  }

  async createSandbox(request: SandboxRequest): Promise<RuntimeSandbox> {
    const { network, labels } = this.#options;
    const ip = network.allocate([...this.#reserved, ...this.#addresses()]);
    this.#reserved.add(ip);
    try {
      const id = await this.#create(sandboxOptions(request, this.#pauseImage, ip, labels));
      const sandbox: RuntimeSandbox = { id, attempt: request.attempt, ip, state: 'created' };
      this.#known.set(id, { ...podOf(request), kind: 'sandbox', sandbox });
      return sandbox;
    } finally {
      this.#reserved.delete(ip);
    }
  }

  async startSandbox(id: string): Promise<void> {
    try {
      const info = await this.#start(id);
      const known = this.#known.get(id);
      if (known?.kind !== 'sandbox') throw new Error('the sandbox disappeared while it started');
      await this.#options.network.attach(info.State.Pid, known.sandbox.ip);
    } catch (error) {
      // A sandbox that runs without a network must not be mistaken for a good one.
      await this.removeSandbox(id);
      throw error;
    }
  }

  removeSandbox(id: string): Promise<void> {
    return this.#remove(id);
  }

  async createContainer(request: ContainerRequest): Promise<RuntimeContainer> {
    const id = await this.#create(containerOptions(request, this.#options.labels));
    const known = await this.#inspect(id);
    if (known?.kind !== 'container') throw new Error(`the container ${id} disappeared as soon as it was created`);
    return known.container;
  }

  async startContainer(id: string): Promise<void> {
    await this.#start(id);
  }

  async stopContainer(id: string, gracePeriodSeconds: number): Promise<void> {
    await this.#options.docker.getContainer(id).stop({ t: gracePeriodSeconds }).catch(unless(304, 404));
    await this.#inspect(id);
  }

  removeContainer(id: string): Promise<void> {
    return this.#remove(id);
  }

  async logs(id: string, { follow, timestamps, tailLines, since }: LogOptions): Promise<Readable> {
    const { docker } = this.#options;
    const container = docker.getContainer(id);
    const { Config } = await container.inspect();
    const stream = await new Promise<Readable>((resolve, reject) => {
      const options = { follow, timestamps, stdout: true, stderr: true, tail: tailLines ?? 'all', since: (since ?? 0) / 1000 };
      docker.modem.dial(
        {
          path: `/containers/${id}/logs?`,
          method: 'GET',
          isStream: true,
          statusCodes: { 200: true, 404: 'no such container', 500: 'server error' },
          options,
        },
        (error: unknown, answer: unknown) => (error ? reject(inDockersWords(error)) : resolve(answer as Readable)),
      );
    });
    // A reader that goes away takes the connection with it.
    return Config.Tty ? stream : pipeline(stream, demultiplexer(), () => {});
  }

  async #reachable(): Promise<void> {
    try {
      await this.#options.docker.ping();
    } catch (error) {
      throw new Error(
        `Docker does not answer (${messageOf(error)}): install Docker Engine or Docker Desktop and start it, or use the hollow runtime, which needs none`,
      );
    }
  }

  async #create(options: Docker.ContainerCreateOptions): Promise<string> {
    const { docker } = this.#options;
    try {
      return (await docker.createContainer(options)).id;
    } catch (error) {
      if (codeOf(error) !== 409 || !options.name) throw inDockersWords(error);
    }
    // Made by a kubelet that ended before it could know: what it was is forgotten, its name is ours.
    const stale = await docker.getContainer(options.name).inspect();
    if (stale.Config.Labels[podUidLabel] !== options.Labels?.[podUidLabel]) {
      throw new Error(`the name ${options.name} belongs to a container that is not this cluster's: remove or rename that one`);
    }
    await this.#remove(stale.Id);
    return (await docker.createContainer(options)).id;
  }

  async #start(id: string): Promise<Docker.ContainerInspectInfo> {
    this.#starting.add(id);
    try {
      return await this.#startAndInspect(id);
    } finally {
      this.#starting.delete(id);
    }
  }

  async #startAndInspect(id: string): Promise<Docker.ContainerInspectInfo> {
    const container = this.#options.docker.getContainer(id);
    try {
      await container.start();
    } catch (error) {
      await this.#inspect(id);
      throw inDockersWords(error);
    }
    const info = await container.inspect();
    this.#note(info);
    return info;
  }

  async #remove(id: string): Promise<void> {
    const container = this.#options.docker.getContainer(id);
    // 409: somebody else is removing it just now.
    await container.remove({ force: true, v: true }).catch(unless(404, 409));
    this.#known.delete(id);
  }

  /** Looks at one container again; undefined when it is gone. */
  async #inspect(id: string): Promise<Known | undefined> {
    try {
      return this.#note(await this.#options.docker.getContainer(id).inspect());
    } catch (error) {
      if (codeOf(error) !== 404) throw error;
      this.#known.delete(id);
      return undefined;
    }
  }

  #note(info: Docker.ContainerInspectInfo): Known | undefined {
    const known = knownOf(info);
    if (known) this.#known.set(info.Id, known);
    return known;
  }

  *#addresses(): Iterable<string> {
    for (const known of this.#known.values()) if (known.kind === 'sandbox' && known.sandbox.state !== 'dead') yield known.sandbox.ip;
  }

  /** A kubelet that ended between starting a sandbox and connecting it left one in which nothing was ever started. */
  async #removeUnconnected(): Promise<void> {
    const unused = this.pods().flatMap(({ sandboxes, containers }) =>
      sandboxes.filter(({ id }) => !containers.some(({ sandboxId, state }) => sandboxId === id && state !== 'created')),
    );
    await Promise.all(unused.map(({ id }) => this.#remove(id)));
  }

  /** Subscribes first and looks second, so that nothing falls between. */
  async #listen(): Promise<void> {
    const { docker, labels } = this.#options;
    const label = [...Object.entries(labels).map(([key, value]) => `${key}=${value}`), typeLabel];
    const filters = JSON.stringify({ type: ['container'], event: ['start', 'die', 'destroy'], label });
    this.#events = await docker.getEvents({ filters } as unknown as Docker.GetEventsOptions);
    const present = await docker.listContainers({ all: true, filters: JSON.stringify({ label }) });
    const ids = new Set(present.map(({ Id }) => Id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    await Promise.all([...ids].map((id) => this.#inspect(id)));
  }

  async #follow(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        for await (const line of readLines(this.#events as AsyncIterable<Buffer> & NodeJS.ReadableStream)) {
          await this.#take(JSON.parse(line) as { Action: string; Actor: { ID: string; Attributes: Labels } });
        }
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
      await this.#listen();
      if (this.#stopping.signal.aborted) this.#close();
      for (const uid of new Set([...before, ...this.pods()].map(({ uid }) => uid))) this.#ring(uid);
    } catch (error) {
      this.#options.log.debug('Docker does not answer yet', { error });
    }
  }

  async #take({ Action, Actor }: { Action: string; Actor: { ID: string; Attributes: Labels } }): Promise<void> {
    const { ID: id, Attributes } = Actor;
    const known = this.#known.get(id);
    const state = known?.kind === 'sandbox' ? known.sandbox.state : known?.container.state;
    if (Action === 'start' && (this.#starting.has(id) || state === 'running')) return;
    if (Action === 'destroy') {
      if (!this.#known.delete(id)) return;
    } else await this.#inspect(id);
    this.#ring(Attributes[podUidLabel] ?? '');
  }

  #ring(podUid: string): void {
    for (const listener of this.#listeners) listener(podUid);
  }

  #close(): void {
    (this.#events as Readable | undefined)?.destroy();
  }
}

function podOf({ pod: { metadata } }: SandboxRequest) {
  return { podUid: metadata?.uid ?? '', podName: metadata?.name ?? '', podNamespace: metadata?.namespace ?? '' };
}

function codeOf(error: unknown): number | undefined {
  return (error as { statusCode?: number }).statusCode;
}

function unless(...codes: number[]): (error: unknown) => void {
  return (error) => {
    if (!codes.includes(codeOf(error) ?? 0)) throw inDockersWords(error);
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The engine's message without the client's frame around it. */
function inDockersWords(error: unknown): Error {
  const { json } = error as { json?: { message?: string } };
  return new Error(json?.message ?? messageOf(error), { cause: error });
}
