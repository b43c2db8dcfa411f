// What the kubelet asks of a container runtime, and what it is told back. The kubelet decides; a runtime only obeys and reports.
// Every method rejects with the runtime's own words when it fails. What a runtime knows is read at once, without waiting: it
// keeps its picture up to date by itself and rings when something changed.
// Kubernetes: the CRI, staging/src/k8s.io/cri-api/pkg/apis/runtime/v1/api.proto

import type { Readable, Writable } from 'node:stream';
import type { Container, Pod } from '#kit/api';

export interface ContainerRuntime {
  /** Stands before every id in a status: `docker` gives `docker://4f53cda18c2b…`. */
  readonly name: string;

  /** Learns what runs already and makes ready what every pod needs. Once, before anything else. */
  start(): Promise<void>;
  /** Stops listening. Containers go on running. */
  stop(): Promise<void>;
  /** What this machine has. Rejects when the runtime does not answer: the node is not ready then. */
  machine(): Promise<Machine>;

  /** Every pod with a sandbox or container of this node, also dead ones. */
  pods(): RuntimePod[];
  /** The pod's sandboxes and containers; both lists are empty when it has none. */
  pod(uid: string): RuntimePod;
  /** Calls back when a container or sandbox of the pod started, died or disappeared. Before start(). */
  onChange(listener: (podUid: string) => void): void;

  hasImage(image: string): Promise<boolean>;
  /** Fetches the image, also when it is here already. */
  pullImage(image: string): Promise<void>;

  /** Makes the sandbox and chooses the pod's address; nothing runs yet, but containers may be created for it. */
  createSandbox(request: SandboxRequest): Promise<RuntimeSandbox>;
  /** Runs the sandbox and connects it to the network. Containers may start when this has resolved. */
  startSandbox(id: string): Promise<void>;
  /** Kills and forgets the sandbox; its address is free again. */
  removeSandbox(id: string): Promise<void>;

  createContainer(request: ContainerRequest): Promise<RuntimeContainer>;
  startContainer(id: string): Promise<void>;
  /** Asks the container to end (SIGTERM), and kills it when it still runs after the grace period. */
  stopContainer(id: string, gracePeriodSeconds: number): Promise<void>;
  removeContainer(id: string): Promise<void>;

  /** What the container wrote to standard output and error, in order. */
  logs(id: string, options: LogOptions): Promise<Readable>;

  /** Starts a command in a running container, beside the container's own process. */
  exec(id: string, command: string[], options: StreamOptions): Promise<ContainerProcess>;
  /** Connects to the container's own process, which goes on when the connection ends. */
  attach(id: string, options: StreamOptions): Promise<ContainerProcess>;
  /**
   * Connects to a port in the network of a running sandbox, at an address of its own. Rejects when it can't be reached:
   * `dial tcp 127.0.0.1:9: connect: connection refused`. What goes wrong later is on the standard error, and in the exit code.
   */
  dial(sandboxId: string, host: string, port: number): Promise<ContainerProcess>;
}

export interface Machine {
  cpus: number;
  memoryBytes: number;
  availableMemoryBytes: number;
  diskBytes: number;
  availableDiskBytes: number;
  /** `6.1.0-18-amd64` */
  kernelVersion: string;
  /** `Debian GNU/Linux 12 (bookworm)` */
  osImage: string;
  /** As Go says it: `amd64`, `arm64`. */
  architecture: string;
  /** `docker://28.0.1` */
  containerRuntimeVersion: string;
  /** The same after every boot. */
  machineId: string;
}

/** What the runtime has of one pod. */
export interface RuntimePod {
  uid: string;
  name: string;
  namespace: string;
  /** Newest first. */
  sandboxes: RuntimeSandbox[];
  /** Newest first; several with the same name are attempts of the same container. */
  containers: RuntimeContainer[];
}

export interface RuntimeSandbox {
  id: string;
  /** 0, 1, 2, …: a pod whose sandbox died gets another. */
  attempt: number;
  ip: string;
  state: 'created' | 'running' | 'dead';
}

export interface RuntimeContainer {
  id: string;
  name: string;
  /** How often the container was started before this one. */
  attempt: number;
  sandboxId: string;
  /** As the pod's spec names it. */
  image: string;
  imageId: string;
  /** Of the spec it was made from; see `containerHash`. */
  hash: string;
  state: 'created' | 'running' | 'exited';
  /** Milliseconds since the epoch. */
  createdAt: number;
  startedAt?: number;
  /** The rest only when it has exited. */
  finishedAt?: number;
  exitCode?: number;
  /** `Completed`, `Error`, `OOMKilled`, `StartError` */
  reason?: string;
  message?: string;
}

export interface SandboxRequest {
  pod: Pod;
  attempt: number;
  hostname: string;
  dns: PodDns;
}

/** Becomes the pod's /etc/resolv.conf; empty lists leave it to the runtime. */
export interface PodDns {
  servers: string[];
  searches: string[];
  options: string[];
}

export interface ContainerRequest {
  pod: Pod;
  container: Container;
  attempt: number;
  sandbox: RuntimeSandbox;
  env: EnvironmentVariable[];
  /** Replaces the image's entrypoint, unless empty. */
  command: string[];
  /** Replaces the image's command, unless empty. */
  args: string[];
}

export interface EnvironmentVariable {
  name: string;
  value: string;
}

export interface LogOptions {
  /** Goes on until the container ends or the reader goes away. */
  follow: boolean;
  /** Every line begins with its time. */
  timestamps: boolean;
  /** Only so many of the last lines. */
  tailLines?: number;
  /** Only what was written since; milliseconds since the epoch. */
  since?: number;
}

/** Which of a process's streams are wanted. */
export interface StreamOptions {
  stdin: boolean;
  stdout: boolean;
  /** Never with a terminal, which has one output. */
  stderr: boolean;
  tty: boolean;
}

/** A process and its streams; those that nobody wanted are empty. Both outputs must be read, or it will wait. */
export interface ContainerProcess {
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  resize(size: TerminalSize): Promise<void>;
  /** To be asked when the outputs have ended; resolves when the process has. 0 for one that was attached to. */
  exitCode(): Promise<number>;
  /** Lets the connection go: the process hears the end of its input. */
  close(): void;
}

/** In characters. */
export interface TerminalSize {
  width: number;
  height: number;
}

/** The newest attempt of a container of the pod. */
export function newestContainer(state: RuntimePod, name: string): RuntimeContainer | undefined {
  return state.containers.find((container) => container.name === name);
}
