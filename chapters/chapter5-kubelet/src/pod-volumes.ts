// When one pod's volumes are looked after: before its containers start, and every minute while they run; again after a growing while
// when something is missing.
// Kubernetes: the kubelet's syncFrequency; pkg/kubelet/volumemanager (WaitForAttachAndMount), pkg/util/goroutinemap/exponentialbackoff

import type { Pod } from '#kit/api';
import type { Clock } from '#kit/clock';
import { VolumeProblem, type Volumes } from './volumes.ts';

const refreshAfterMs = 60_000;
const firstDelayMs = 500;
const longestDelayMs = 122_000;

export interface PodVolumesOptions {
  /** Absent where nothing is mounted. */
  volumes: Volumes | undefined;
  clock: Clock;
  /** Tells people that something is in the way. */
  warn(reason: string, message: string): void;
}

export class PodVolumes {
  readonly #options: PodVolumesOptions;
  #due = 0;
  #delayMs = firstDelayMs;

  constructor(options: PodVolumesOptions) {
    this.#options = options;
  }

  /** Whether the containers that are to start have what they mount; and when to ask again. Milliseconds since the epoch. */
  async ready(pod: Pod, isNeeded: boolean): Promise<{ ready: boolean; askAgainAt?: number }> {
    const { volumes, clock, warn } = this.#options;
    if (!volumes || !pod.spec?.volumes?.length) return { ready: true };
    if (!isNeeded && clock.now() < this.#due) return { ready: true, askAgainAt: this.#due };
    try {
      await volumes.mount(pod);
      this.#due = clock.now() + refreshAfterMs;
      this.#delayMs = firstDelayMs;
    } catch (error) {
      if (!(error instanceof VolumeProblem)) throw error;
      warn('FailedMount', `MountVolume.SetUp failed for volume "${error.volume}" : ${error.message}`);
      this.#due = clock.now() + this.#delayMs;
      this.#delayMs = Math.min(this.#delayMs * 2, longestDelayMs);
      // What runs already goes on with what it has.
      return { ready: !isNeeded, askAgainAt: this.#due };
    }
    return { ready: true, askAgainAt: this.#due };
  }

  /** Its containers are gone. */
  async remove(pod: Pod): Promise<void> {
    await this.#options.volumes?.unmount(pod.metadata?.uid ?? '');
  }
}
