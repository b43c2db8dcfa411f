// The runtime that is real: Docker Engine's API. Touches only containers with this node's labels.
// Kubernetes: pkg/kubelet/dockershim (until 1.23); since then containerd and CRI-O speak the CRI themselves

import { statfs } from 'node:fs/promises';
import { freemem } from 'node:os';
import { pipeline, type Readable } from 'node:stream';
import type Docker from 'dockerode';
import { imageRecipes } from '#kit/node/image-recipes';
import { containerOptions, sandboxOptions } from './docker-config.ts';
import { dialInNetwork } from './docker-dial.ts';
import { codeOf, inDockersWords, unlessCode } from './docker-errors.ts';
import { demultiplexer } from './docker-logs.ts';
import { podUidLabel } from './docker-names.ts';
import { attachToContainer, execInContainer } from './docker-process.ts';
import { DockerView, type DockerViewOptions } from './docker-view.ts';
import { targetOf } from './ephemeral-containers.ts';
import type {
  ContainerProcess,
  ContainerRequest,
  ContainerRuntime,
  LogOptions,
  Machine,
  RuntimeContainer,
  RuntimePod,
  RuntimeSandbox,
  SandboxRequest,
  StreamOptions,
} from './runtime.ts';
import { mountsOf } from './volume-folders.ts';

/** The network step (Kubernetes: a CNI plugin). */
export interface SandboxNetwork {
  allocate(used: Iterable<string>): string;
  attach(pid: number, ip: string): Promise<void>;
}

/** `labels` are on every container of this node and no other; they are how the runtime finds its own again. */
export interface DockerRuntimeOptions extends DockerViewOptions {
  network: SandboxNetwork;
  /** Makes or pulls an image that the engine doesn't have; does nothing when it has it. */
  ensureImage(name: string): Promise<void>;
  pauseImage?: string;
  /** A container that sees the host's processes and has busybox: from there the runtime enters a pod's network. */
  nodeContainer: string;
  /** Where the pods' volumes lie. */
  rootDirectory?: string;
}

export class DockerRuntime implements ContainerRuntime {
  readonly name = 'docker';
  readonly #docker: Docker;
  readonly #options: DockerRuntimeOptions;
  readonly #pauseImage: string;
  readonly #view: DockerView;
  /** Addresses of sandboxes that are being created. */
  readonly #reserved = new Set<string>();

  constructor(options: DockerRuntimeOptions) {
    this.#docker = options.docker;
    this.#options = options;
    this.#pauseImage = options.pauseImage ?? 'kubekata/pause:1';
    this.#view = new DockerView(options);
  }

  async start(): Promise<void> {
    await this.#docker.ping().catch((error) => {
      const remedy = 'install Docker Engine or Docker Desktop and start it, or use the hollow runtime, which needs none';
      throw new Error(`Docker does not answer (${inDockersWords(error).message}): ${remedy}`);
    });
    await Promise.all([this.#options.ensureImage(this.#pauseImage), this.#view.start()]);
    await this.#connectUnused();
  }

  stop(): Promise<void> {
    return this.#view.stop();
  }

  async machine(): Promise<Machine> {
    const [info, disk] = await Promise.all([this.#docker.info(), statfs('/')]);
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
    return this.#view.pods();
  }

  pod(uid: string): RuntimePod {
    return this.#view.pod(uid);
  }

  onChange(listener: (podUid: string) => void): void {
    this.#view.onChange(listener);
  }

  async hasImage(image: string): Promise<boolean> {
    try {
      await this.#docker.getImage(image).inspect();
      return true;
    } catch (error) {
      if (codeOf(error) === 404) return false;
      throw inDockersWords(error);
    }
  }

  async pullImage(image: string): Promise<void> {
    try {
      // The course's own images are in no registry: the engine has them or they are made.
      if (image in imageRecipes || !(await this.hasImage(image))) return await this.#options.ensureImage(image);
      const progress = await this.#docker.pull(/[:@][^/]+$/.test(image) ? image : `${image}:latest`);
      await new Promise((resolve, reject) =>
        this.#docker.modem.followProgress(progress, (error, result) => (error ? reject(error) : resolve(result))),
      );
    } catch (error) {
      throw inDockersWords(error);
    }
  }

  async createSandbox(request: SandboxRequest): Promise<RuntimeSandbox> {
    if (request.pod.spec?.hostNetwork)
      throw new Error('this kubelet gives every pod a network of its own: hostNetwork is not supported yet');
    const ip = this.#options.network.allocate([...this.#reserved, ...this.#addresses()]);
    this.#reserved.add(ip);
    try {
      const id = await this.#create(sandboxOptions(request, this.#pauseImage, ip, this.#options.labels));
      const sandbox: RuntimeSandbox = { id, attempt: request.attempt, ip, state: 'created' };
      const { uid = '', name = '', namespace = '' } = request.pod.metadata ?? {};
      this.#view.set(id, { podUid: uid, podName: name, podNamespace: namespace, kind: 'sandbox', sandbox });
      return sandbox;
    } finally {
      this.#reserved.delete(ip);
    }
  }

  async startSandbox(id: string): Promise<void> {
    try {
      const info = await this.#start(id);
      await this.#connect(id, info?.State.Pid);
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
    const options = containerOptions(request, this.#options.labels);
    const host = { ...options.HostConfig, ...this.#processes(request), Mounts: await this.#mounts(request) };
    const id = await this.#create({ ...options, HostConfig: host });
    await this.#view.look(id);
    const known = this.#view.get(id);
    if (known?.kind !== 'container') throw new Error(`the container ${id} disappeared as soon as it was created`);
    return known.container;
  }

  async startContainer(id: string): Promise<void> {
    await this.#start(id);
  }

  async stopContainer(id: string, gracePeriodSeconds: number): Promise<void> {
    // 304: it has ended already.
    await this.#docker.getContainer(id).stop({ t: gracePeriodSeconds }).catch(unlessCode(304, 404));
    await this.#view.look(id);
  }

  removeContainer(id: string): Promise<void> {
    return this.#remove(id);
  }

  async logs(id: string, { follow, timestamps, tailLines, since }: LogOptions): Promise<Readable> {
    const { Config } = await this.#docker.getContainer(id).inspect();
    const stream = await new Promise<Readable>((resolve, reject) => {
      // The client's own logs() reads the whole output into memory unless it follows.
      const options = { follow, timestamps, stdout: true, stderr: true, tail: tailLines ?? 'all', since: (since ?? 0) / 1000 };
      const statusCodes = { 200: true, 404: 'no such container', 500: 'server error' };
      const request = { path: `/containers/${id}/logs?`, method: 'GET', isStream: true, statusCodes, options };
      this.#docker.modem.dial(request, (error: unknown, answer: unknown) =>
        error ? reject(inDockersWords(error)) : resolve(answer as Readable),
      );
    });
    // A reader that goes away takes the connection with it.
    return Config.Tty ? stream : pipeline(stream, demultiplexer(), () => {});
  }

  async exec(id: string, command: string[], options: StreamOptions): Promise<ContainerProcess> {
    try {
      return await execInContainer(this.#docker.getContainer(id), command, options, this.#options.clock);
    } catch (error) {
      throw inDockersWords(error);
    }
  }

  async attach(id: string, options: StreamOptions): Promise<ContainerProcess> {
    try {
      return await attachToContainer(this.#docker.getContainer(id), options);
    } catch (error) {
      throw inDockersWords(error);
    }
  }

  async dial(sandboxId: string, host: string, port: number): Promise<ContainerProcess> {
    const { nodeContainer, clock } = this.#options;
    const { State } = await this.#docker.getContainer(sandboxId).inspect();
    return dialInNetwork(this.#docker.getContainer(nodeContainer), State.Pid, host, port, clock);
  }

  /** Whose processes the container sees: its own, the whole pod's, or those of the container that it is to look into. */
  #processes({ pod, container, sandbox }: ContainerRequest): { PidMode?: string } {
    const target = targetOf(container, this.pod(pod.metadata?.uid ?? '')) ?? (pod.spec?.shareProcessNamespace ? sandbox.id : undefined);
    return target === undefined ? {} : { PidMode: `container:${target}` };
  }

  async #mounts({ pod, container, env }: ContainerRequest): Promise<Docker.MountSettings[]> {
    const { rootDirectory } = this.#options;
    const [first] = container.volumeMounts ?? [];
    if (!first) return [];
    if (!rootDirectory) throw new Error(`this kubelet was given no folder for volumes, and the container wants one at ${first.mountPath}`);
    const mounts = await mountsOf(pod, container, env, rootDirectory);
    return mounts.map(({ source, target, readOnly }) => ({ Type: 'bind', Source: source, Target: target, ReadOnly: readOnly }));
  }

  async #create(options: Docker.ContainerCreateOptions): Promise<string> {
    try {
      return (await this.#docker.createContainer(options)).id;
    } catch (error) {
      if (codeOf(error) !== 409 || !options.name) throw inDockersWords(error);
    }
    // Made by a kubelet that ended before it could know. The name is the same, so it is the same thing: make it anew.
    const { Id, Config } = await this.#docker.getContainer(options.name).inspect();
    if (Config.Labels[podUidLabel] !== options.Labels?.[podUidLabel]) {
      throw new Error(`the name ${options.name} belongs to a container that is not this cluster's: remove or rename that one`);
    }
    await this.#remove(Id);
    return (await this.#docker.createContainer(options)).id;
  }

  async #start(id: string): Promise<Docker.ContainerInspectInfo | undefined> {
    try {
      return await this.#view.starting(id, () => this.#docker.getContainer(id).start());
    } catch (error) {
      throw inDockersWords(error);
    }
  }

  async #connect(id: string, pid: number | undefined): Promise<void> {
    const known = this.#view.get(id);
    if (known?.kind !== 'sandbox' || !pid) throw new Error('the sandbox ended while it was being connected');
    await this.#options.network.attach(pid, known.sandbox.ip);
  }

  async #remove(id: string): Promise<void> {
    // 409: somebody else is removing it just now.
    await this.#docker.getContainer(id).remove({ force: true, v: true }).catch(unlessCode(404, 409));
    this.#view.forget(id);
  }

  *#addresses(): Iterable<string> {
    for (const known of this.#view.all()) if (known.kind === 'sandbox' && known.sandbox.state !== 'dead') yield known.sandbox.ip;
  }

  /**
   * A kubelet that ended between starting a sandbox and connecting it left one that runs without a network. Connecting twice
   * hurts nobody where no container was started yet.
   */
  async #connectUnused(): Promise<void> {
    for (const { sandboxes, containers } of this.pods()) {
      for (const { id, state } of sandboxes) {
        const used = containers.some((container) => container.sandboxId === id && container.state !== 'created');
        if (state !== 'running' || used) continue;
        const info = await this.#view.look(id);
        await this.#connect(id, info?.State.Pid).catch(() => this.#remove(id));
      }
    }
  }
}
