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

interface Entry {
  pod: Pod;
  wanted: PodStatus;
  written: PodStatus;
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
    const entry = this.#entries.get(uid) ?? { pod, wanted: status, written: pod.status ?? {}, writing: undefined };
    this.#entries.set(uid, entry);
    entry.pod = pod;
    entry.wanted = status;
    entry.writing ??= this.#write(entry).finally(() => {
      entry.writing = undefined;
    });
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

  async #write(entry: Entry): Promise<void> {
    const { signal } = this.#stopping;
    const { name = '', namespace, uid } = entry.pod.metadata ?? {};
    while (!signal.aborted && !isDeepStrictEqual(entry.wanted, entry.written)) {
      const { wanted } = entry;
      try {
        const patch = { metadata: { uid }, status: statusPatch(entry.written, wanted) };
        await this.#client.patch(Pods, { name, namespace }, 'strategic-merge', patch, { subresource: 'status' });
        entry.written = wanted;
      } catch (error) {
        // Gone, or another pod has its name now: nobody is left to be told.
        if (isNotFound(error) || isConflict(error)) return;
        this.#context.log.warn('the status of a pod could not be written; trying again', { pod: name, namespace, error });
        await this.#context.clock.sleep(retryAfterMs, signal);
      }
    }
  }
}

/**
 * The strategic merge patch from one status to the next. Conditions are merged by type, so those of others stay, but of one's own what went away must be null; addresses are merged
 * by address, so old ones must be taken out by name.
 */
export function statusPatch(before: PodStatus, after: PodStatus): Record<string, unknown> {
  const removed = Object.keys(before).filter((key) => !(key in after));
  const patch: Record<string, unknown> = { ...after, ...Object.fromEntries(removed.map((key) => [key, null])) };
  if (after.conditions) patch.conditions = after.conditions.map((condition) => ({ reason: null, message: null, ...condition }));
  for (const field of ['podIPs', 'hostIPs'] as const) {
    const stale = (before[field] ?? []).filter(({ ip }) => !after[field]?.some((other) => other.ip === ip));
    if (stale.length && after[field]) patch[field] = [...after[field], ...stale.map(({ ip }) => ({ ip, $patch: 'delete' }))];
  }
  return patch;
}
