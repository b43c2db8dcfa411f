// Tells the API server the pods' statuses. Writing never holds up the work on pods: write() returns at once, one write a pod is
// under way, and of what comes meanwhile only the newest counts. What the server doesn't take is tried again until it does.
// Kubernetes: pkg/kubelet/status/status_manager.go

import { isDeepStrictEqual } from 'node:util';
import type { PodStatus } from 'kubernetes-types/core/v1';
import { type Pod, Pods } from '#kit/api';
import type { Client } from '#kit/client';
import type { ComponentContext } from '#kit/component';
import { isConflict, isNotFound } from '#kit/status';

const retryAfterMs = 1_000;

/** The conditions that are a kubelet's to write. Kubernetes: pkg/kubelet/types/pod_status.go, PodConditionByKubelet */
const own = ['PodReadyToStartContainers', 'PodScheduled', 'Initialized', 'ContainersReady', 'Ready'];

interface Entry {
  pod: Pod;
  wanted: PodStatus;
  written: PodStatus;
  /** The pod's resourceVersion that came of it. */
  version: number;
  writing: Promise<void> | undefined;
}

export class StatusWriter {
  readonly #client: Client;
  readonly #context: ComponentContext;
  readonly #entries = new Map<string, Entry>();
  readonly #stopping = new AbortController();

  constructor(client: Client, context: ComponentContext) {
    this.#client = client;
    this.#context = context;
  }

  /** The newest status that was asked for, or undefined when there was none in this process. */
  latest(uid: string): PodStatus | undefined {
    return this.#entries.get(uid)?.wanted;
  }

  write(pod: Pod, status: PodStatus): void {
    const uid = pod.metadata?.uid ?? '';
    const entry = this.#entries.get(uid) ?? {
      pod,
      wanted: status,
      written: pod.status ?? {},
      version: versionOf(pod),
      writing: undefined,
    };
    this.#entries.set(uid, entry);
    entry.pod = pod;
    entry.wanted = status;
    this.#begin(entry);
  }

  /** The API server has the pod so. What somebody else has written over is written again: the node controller calls pods unready, too. */
  seen(pod: Pod): void {
    const entry = this.#entries.get(pod.metadata?.uid ?? '');
    if (!entry || versionOf(pod) <= entry.version || says(pod, entry.written)) return;
    entry.written = { ...entry.written, conditions: pod.status?.conditions ?? [] };
    this.#begin(entry);
  }

  /** Resolves when the newest status is written (or the pod is gone). */
  async flush(uid: string): Promise<void> {
    await this.#entries.get(uid)?.writing;
  }

  forget(uid: string): void {
    this.#entries.delete(uid);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#entries.values()].map(({ writing }) => writing));
  }

  #begin(entry: Entry): void {
    entry.writing ??= this.#write(entry).finally(() => {
      entry.writing = undefined;
    });
  }

  async #write(entry: Entry): Promise<void> {
    const { signal } = this.#stopping;
    const { name = '', namespace, uid } = entry.pod.metadata ?? {};
    while (!signal.aborted && !isDeepStrictEqual(entry.wanted, entry.written)) {
      const { wanted } = entry;
      try {
        const patch = { metadata: { uid }, status: statusPatch(entry.written, wanted) };
        const pod = await this.#client.patch(Pods, { name, namespace }, 'strategic-merge', patch, { subresource: 'status' });
        Object.assign(entry, { written: wanted, version: versionOf(pod) });
      } catch (error) {
        // Gone, or another pod has its name now: nobody is left to be told.
        if (isNotFound(error) || isConflict(error)) return;
        this.#context.log.warn('the status of a pod could not be written; trying again', { pod: name, namespace, error });
        await this.#context.clock.sleep(retryAfterMs, signal);
      }
    }
  }
}

/** Later versions of one object are larger numbers. */
function versionOf({ metadata }: Pod): number {
  return Number(metadata?.resourceVersion);
}

/** Whether the pod still has the conditions of a kubelet as the status has them. */
function says(pod: Pod, { conditions = [] }: PodStatus): boolean {
  const said = new Map(pod.status?.conditions?.map(({ type, status }) => [type, status]));
  return conditions.every(({ type, status }) => !own.includes(type) || said.get(type) === status);
}

/**
 * The strategic merge patch from one status to the next. Conditions are merged by type: those of others are left to them, and of one's own
 * what went away must be null. Addresses are merged by address, so old ones must be taken out by name.
 */
export function statusPatch(before: PodStatus, after: PodStatus): Record<string, unknown> {
  const removed = Object.keys(before).filter((key) => !(key in after));
  const patch: Record<string, unknown> = { ...after, ...Object.fromEntries(removed.map((key) => [key, null])) };
  const conditions = after.conditions?.filter(({ type }) => own.includes(type));
  if (conditions) patch.conditions = conditions.map((condition) => ({ reason: null, message: null, ...condition }));
  for (const field of ['podIPs', 'hostIPs'] as const) {
    const stale = (before[field] ?? []).filter(({ ip }) => !after[field]?.some((other) => other.ip === ip));
    if (stale.length && after[field]) patch[field] = [...after[field], ...stale.map(({ ip }) => ({ ip, $patch: 'delete' }))];
  }
  return patch;
}
