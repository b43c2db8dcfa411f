// The runtime that only pretends: containers "run" at once, addresses are made up, logs say so. For thousands of nodes on one
// machine, for machines without Docker, and for tests. Nothing survives the process.
// Kubernetes: pkg/kubemark/hollow_kubelet.go

import { Readable } from 'node:stream';
import type { Clock } from '#kit/clock';
import { containerHash } from './docker-names.ts';
import { emptyPod } from './docker-state.ts';
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
} from './runtime.ts';

export interface HollowRuntimeOptions {
  /** Pods get addresses of it, from .2 on: `10.244.1.0/24` */
  podCidr: string;
  clock: Clock;
  machine?: Partial<Machine>;
}

const gibibyte = 2 ** 30;

export class HollowRuntime implements ContainerRuntime {
  readonly name = 'hollow';
  readonly #options: HollowRuntimeOptions;
  readonly #pods = new Map<string, RuntimePod>();
  readonly #listeners: ((podUid: string) => void)[] = [];
  #ids = 0;

  constructor(options: HollowRuntimeOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  async machine(): Promise<Machine> {
    return {
      cpus: 8,
      memoryBytes: 16 * gibibyte,
      availableMemoryBytes: 8 * gibibyte,
      diskBytes: 100 * gibibyte,
      availableDiskBytes: 50 * gibibyte,
      kernelVersion: 'hollow',
      osImage: 'hollow',
      architecture: 'amd64',
      containerRuntimeVersion: 'hollow://1.0.0',
      machineId: 'hollow',
      ...this.#options.machine,
    };
  }

  pods(): RuntimePod[] {
    return [...this.#pods.keys()].map((uid) => this.pod(uid));
  }

  /** A copy: what the kubelet holds does not change under its hands. */
  pod(uid: string): RuntimePod {
    return structuredClone(this.#pods.get(uid) ?? emptyPod(uid));
  }

  onChange(listener: (podUid: string) => void): void {
    this.#listeners.push(listener);
  }

  async hasImage(_image: string): Promise<boolean> {
    return true;
  }

  async pullImage(_image: string): Promise<void> {}

  async createSandbox({ pod, attempt }: SandboxRequest): Promise<RuntimeSandbox> {
    const { uid = '', name, namespace } = pod.metadata ?? {};
    const sandbox: RuntimeSandbox = { id: this.#newId(), attempt, ip: this.#freeAddress(), state: 'created' };
    const state = this.#pods.get(uid) ?? emptyPod(uid, name, namespace);
    state.sandboxes.unshift(sandbox);
    this.#pods.set(uid, state);
    return { ...sandbox };
  }

  async startSandbox(id: string): Promise<void> {
    this.#sandbox(id).state = 'running';
  }

  async removeSandbox(id: string): Promise<void> {
    this.#forget(id);
  }

  async createContainer({ pod, container, attempt, sandbox }: ContainerRequest): Promise<RuntimeContainer> {
    const created: RuntimeContainer = {
      id: this.#newId(),
      name: container.name,
      attempt,
      sandboxId: sandbox.id,
      image: container.image ?? '',
      imageId: `hollow://${container.image}`,
      hash: containerHash(container),
      state: 'created',
      createdAt: this.#options.clock.now(),
    };
    this.#pods.get(pod.metadata?.uid ?? '')?.containers.unshift(created);
    return { ...created };
  }

  async startContainer(id: string): Promise<void> {
    Object.assign(this.#container(id), { state: 'running', startedAt: this.#options.clock.now() });
  }

  async stopContainer(id: string, _gracePeriodSeconds: number): Promise<void> {
    this.exit(id, 0);
  }

  async removeContainer(id: string): Promise<void> {
    this.#forget(id);
  }

  async logs(id: string, { timestamps }: LogOptions): Promise<Readable> {
    const { name } = this.#container(id);
    const time = timestamps ? `${new Date(this.#options.clock.now()).toISOString()} ` : '';
    return Readable.from([`${time}the hollow runtime only pretends to run ${name}: there is no process and no output\n`]);
  }

  async exec(id: string): Promise<ContainerProcess> {
    throw new Error(`the hollow runtime only pretends to run ${this.#container(id).name}: there is no process, and none can be started`);
  }

  async attach(id: string): Promise<ContainerProcess> {
    throw new Error(`the hollow runtime only pretends to run ${this.#container(id).name}: there is no process to attach to`);
  }

  /** Lets a container end, as if its process had. */
  exit(id: string, exitCode: number): void {
    const container = this.#container(id);
    if (container.state !== 'running') return;
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    Object.assign(container, { state: 'exited', exitCode, reason, finishedAt: this.#options.clock.now() });
    this.#ring((state) => state.containers.includes(container));
  }

  async dial(_sandboxId: string, _host: string, port: number): Promise<ContainerProcess> {
    throw new Error(`nothing listens on port ${port}: this pod only pretends to run`);
  }

  /** Lets a sandbox die, as if its pause process had been killed. */
  killSandbox(id: string): void {
    const sandbox = this.#sandbox(id);
    sandbox.state = 'dead';
    this.#ring((state) => state.sandboxes.includes(sandbox));
  }

  #sandbox(id: string): RuntimeSandbox {
    const found = [...this.#pods.values()].flatMap(({ sandboxes }) => sandboxes).find((sandbox) => sandbox.id === id);
    if (!found) throw new Error(`there is no sandbox ${id}`);
    return found;
  }

  #container(id: string): RuntimeContainer {
    const found = [...this.#pods.values()].flatMap(({ containers }) => containers).find((container) => container.id === id);
    if (!found) throw new Error(`there is no container ${id}`);
    return found;
  }

  #forget(id: string): void {
    for (const [uid, state] of this.#pods) {
      state.sandboxes = state.sandboxes.filter((sandbox) => sandbox.id !== id);
      state.containers = state.containers.filter((container) => container.id !== id);
      if (state.sandboxes.length + state.containers.length === 0) this.#pods.delete(uid);
    }
  }

  #ring(concerns: (state: RuntimePod) => boolean): void {
    for (const [uid, state] of this.#pods) if (concerns(state)) for (const listener of this.#listeners) listener(uid);
  }

  #newId(): string {
    return (++this.#ids).toString(16).padStart(64, '0');
  }

  #freeAddress(): string {
    const sandboxes = [...this.#pods.values()].flatMap(({ sandboxes }) => sandboxes);
    const used = new Set(sandboxes.filter(({ state }) => state !== 'dead').map(({ ip }) => ip));
    const [a = '10', b = '244', c = '0'] = this.#options.podCidr.split('.');
    for (let host = 2; host < 255; host++) if (!used.has(`${a}.${b}.${c}.${host}`)) return `${a}.${b}.${c}.${host}`;
    throw new Error(`no pod address is free in ${this.#options.podCidr}`);
  }
}
