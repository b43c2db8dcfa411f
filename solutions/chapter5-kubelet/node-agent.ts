// The node's side of the kubelet: looks at the machine, joins the cluster, and keeps the heartbeat going.
// Kubernetes: pkg/kubelet/kubelet.go (Run), pkg/kubelet/kubelet_node_status.go (syncNodeStatus)

import type { NodeStatus } from 'kubernetes-types/core/v1';
import { type Node, Nodes } from '#kit/api';
import type { Client } from '#kit/client';
import type { ComponentContext } from '#kit/component';
import type { EventRecorder } from '#kit/events';
import { NotImplemented } from '#kit/not-implemented';
import { isNotFound } from '#kit/status';
import { heartbeatEveryMs, registerNode, renewLease, statusIsDue } from './node-heartbeat.ts';
import { type NodeIdentity, newNode, nodeStatus, type Observation } from './node-object.ts';
import type { ContainerRuntime } from './runtime.ts';

const retryAfterMs = 500;

export class NodeAgent {
  readonly #client: Client;
  readonly #identity: NodeIdentity;
  readonly #runtime: ContainerRuntime;
  readonly #events: EventRecorder;
  readonly #context: ComponentContext;
  readonly #stopping = new AbortController();
  #node: Node | undefined;
  #written: NodeStatus | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(client: Client, identity: NodeIdentity, runtime: ContainerRuntime, events: EventRecorder, context: ComponentContext) {
    this.#client = client;
    this.#identity = identity;
    this.#runtime = runtime;
    this.#events = events;
    this.#context = context;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const { clock, log } = this.#context;
    while (!signal.aborted) {
      let wait = heartbeatEveryMs;
      try {
        await this.#beat();
      } catch (error) {
        if (error instanceof NotImplemented) return log.error('this is not written yet', { error });
        log.warn('the node could not say that it is here; trying again', { error });
        wait = retryAfterMs;
      }
      await clock.sleep(wait, signal);
    }
  }

  async #beat(): Promise<void> {
    const observation = await this.#observe();
    this.#node ??= await this.#join(observation);
    await this.#hearWhatIsSaid();
    const node = this.#node;
    await Promise.all([renewLease(this.#client, node, this.#context.clock), this.#writeStatus(node, observation)]);
  }

  /** While a kubelet is not heard, others say Unknown for it. Then it speaks again, though nothing has changed on its machine. */
  async #hearWhatIsSaid(): Promise<void> {
    if (!this.#written) return;
    try {
      const node = await this.#client.get(Nodes, { name: this.#identity.name });
      if (readiness(node.status) === readiness(this.#written)) return;
      this.#node = node;
      this.#written = undefined;
    } catch (error) {
      // A node that somebody deleted is made anew only when its kubelet is started again.
      if (!isNotFound(error)) throw error;
    }
  }

  async #join({ machine }: Observation): Promise<Node> {
    const node = await registerNode(this.#client, newNode(this.#identity, machine?.architecture ?? 'amd64'));
    this.#events.event({ apiVersion: 'v1', kind: 'Node', ...node }, 'Normal', 'Starting', 'Starting kubelet.');
    return node;
  }

  async #writeStatus(node: Node, observation: Observation): Promise<void> {
    const { clock } = this.#context;
    const now = clock.now();
    const previous = this.#written ?? node.status ?? {};
    const status = nodeStatus(this.#identity, observation, previous, now);
    if (!statusIsDue(this.#written, status, now)) return;
    await this.#client.patch(Nodes, { name: this.#identity.name }, 'strategic-merge', { status }, { subresource: 'status' });
    this.#written = status;
    this.#tell(node, previous, status);
  }

  #tell(node: Node, before: NodeStatus, after: NodeStatus): void {
    if (readiness(before) === readiness(after)) return;
    const reason = readiness(after) === 'True' ? 'NodeReady' : 'NodeNotReady';
    const message = `Node ${this.#identity.name} status is now: ${reason}`;
    this.#events.event({ apiVersion: 'v1', kind: 'Node', ...node }, 'Normal', reason, message);
  }

  async #observe(): Promise<Observation> {
    try {
      return { machine: await this.#runtime.machine() };
    } catch (error) {
      return { problem: `container runtime is down: ${error instanceof Error ? error.message : error}` };
    }
  }
}

function readiness({ conditions = [] }: NodeStatus = {}): string | undefined {
  return conditions.find(({ type }) => type === 'Ready')?.status;
}
