// Whether and when a container that ended starts again.
// Kubernetes: pkg/kubelet/container/helpers.go (ShouldContainerBeRestarted), client-go/util/flowcontrol/backoff.go

import type { Pod } from '#kit/api';
import type { RuntimeContainer } from './runtime.ts';

const firstDelayMs = 10_000;
const longestDelayMs = 300_000;

/** By the pod's restartPolicy. A container that was created and never started may always be made again. */
export function mayRestart(pod: Pod, container: RuntimeContainer): boolean {
  if (container.state === 'running') return false;
  if (container.state === 'created') return true;
  const policy = pod.spec?.restartPolicy ?? 'Always';
  return policy === 'Always' || (policy === 'OnFailure' && container.exitCode !== 0);
}

/**
 * Delays that grow: the first repetition is at once, the next after 10 s, 20 s, … and never more than 5 min. Who ran for 10 min
 * without another failure starts anew.
 */
export class RetryDelays {
  readonly #delays = new Map<string, { ms: number; since: number }>();

  /** How long `key` must wait after what ended or failed at `time`. 0 when this is the first time. */
  delayAfter(key: string, time: number): number {
    const entry = this.#delays.get(key);
    return !entry || time - entry.since > 2 * longestDelayMs ? 0 : entry.ms;
  }

  /** `key` is tried again at `now`, after a failure at `failedAt`. */
  retried(key: string, failedAt: number, now: number): void {
    const ms = this.delayAfter(key, failedAt) * 2 || firstDelayMs;
    this.#delays.set(key, { ms: Math.min(ms, longestDelayMs), since: now });
  }

  forget(key: string): void {
    this.#delays.delete(key);
  }
}
