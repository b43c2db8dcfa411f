// The cluster's timeline: what happened to the objects that matter, in order, one line each. A wait that gives up prints the
// last of it, so that a red test shows how far the story went. Tests that share a cluster begin it anew, each for itself.

import {
  Deployments,
  EndpointSlices,
  Events,
  type KubernetesObject,
  keyOf,
  Nodes,
  Pods,
  ReplicaSets,
  type Resource,
  Services,
} from '#kit/api';
import type { Client } from '#kit/client';
import { systemClock } from '#kit/clock';

const watched: Resource<KubernetesObject>[] = [Nodes, Pods, ReplicaSets, Deployments, Services, EndpointSlices, Events];
const linesToTell = 40;

export class Timeline {
  #lines: string[] = [];
  readonly #stopping = new AbortController();
  #started = systemClock.now();
  readonly #watches: Promise<void>[];

  constructor(client: Client) {
    this.#watches = watched.map((resource) => this.#follow(client, resource));
  }

  /** Forgets what happened until now, and counts the seconds from now on. */
  begin(): void {
    this.#lines = [];
    this.#started = systemClock.now();
  }

  /** The last lines, newest last. */
  story(): string {
    return this.#lines.slice(-linesToTell).join('\n') || '(nothing yet)';
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#watches);
  }

  async #follow(client: Client, resource: Resource<KubernetesObject>): Promise<void> {
    const { signal } = this.#stopping;
    try {
      for await (const { type, object } of client.watch(resource, { signal })) {
        const seconds = ((systemClock.now() - this.#started) / 1000).toFixed(2);
        this.#lines.push(`  +${seconds}s ${type.padEnd(8)} ${resource.kind} ${keyOf(object)} ${summary(object)}`);
      }
    } catch (error) {
      this.#lines.push(`  the timeline can't watch ${resource.plural}: ${error instanceof Error ? error.message : error}`);
    }
  }
}

/** The few fields of an object that tell its story. */
function summary(object: KubernetesObject): string {
  const { spec, status, reason, message, endpoints } = object as {
    spec?: Record<string, unknown>;
    status?: Record<string, unknown>;
    reason?: string;
    message?: string;
    endpoints?: { addresses: string[]; conditions?: { ready?: boolean } }[];
  };
  const facts: Record<string, unknown> = {
    deleting: object.metadata?.deletionTimestamp,
    node: spec?.nodeName,
    phase: status?.phase,
    podIP: status?.podIP,
    replicas: spec?.replicas,
    ready: status?.readyReplicas,
    clusterIP: spec?.clusterIP,
    endpoints: endpoints
      ?.map(({ addresses, conditions }) => `${addresses[0]}${conditions?.ready === false ? '(not ready)' : ''}`)
      .join(','),
    reason,
    message,
  };
  return Object.entries(facts)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
