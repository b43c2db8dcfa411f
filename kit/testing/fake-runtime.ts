// A container runtime for tests: hollow, but it keeps a diary, lacks images it was told to lack, fails where it was told to, and
// holds a step back until the test lets it go on.

import { HollowRuntime } from '#kubelet/hollow-runtime';
import type { ContainerRequest, Machine, RuntimeContainer, RuntimeSandbox, SandboxRequest } from '#kubelet/runtime';

export type Step = 'createSandbox' | 'startSandbox' | 'createContainer' | 'startContainer' | 'pullImage';

export class FakeRuntime extends HollowRuntime {
  /** What was asked of it, in order: `createContainer web`, `startSandbox`, `pullImage nginx:1`, … */
  readonly diary: string[] = [];
  /** The requests of createContainer, in order. */
  readonly requests: ContainerRequest[] = [];
  /** The requests of createSandbox, in order. */
  readonly sandboxRequests: SandboxRequest[] = [];
  /** Seconds of grace that stopContainer was given, in order. */
  readonly graces: number[] = [];
  /** Names of images that the machine doesn't have. */
  readonly missingImages = new Set<string>();
  /** While set, the runtime does not answer questions about the machine. */
  down: string | undefined;
  readonly #failures = new Map<Step, string>();
  readonly #held = new Map<Step, { reached: () => void; wait: Promise<void> }>();
  readonly #names = new Map<string, string>();

  /** From now on the step fails with this message; undefined: it works again. */
  fail(step: Step, message: string | undefined): void {
    if (message === undefined) this.#failures.delete(step);
    else this.#failures.set(step, message);
  }

  /** The step waits until `release` is called. `reached` resolves when the step is asked for. */
  hold(step: Step): { reached: Promise<void>; release: () => void } {
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    this.#held.set(step, { reached: reached.resolve, wait: released.promise });
    return {
      reached: reached.promise,
      release: () => {
        this.#held.delete(step);
        released.resolve();
      },
    };
  }

  override async machine(): Promise<Machine> {
    if (this.down !== undefined) throw new Error(this.down);
    return super.machine();
  }

  override async hasImage(image: string): Promise<boolean> {
    return !this.missingImages.has(image);
  }

  override async pullImage(image: string): Promise<void> {
    await this.#step('pullImage', image);
    this.missingImages.delete(image);
  }

  override async createSandbox(request: SandboxRequest): Promise<RuntimeSandbox> {
    await this.#step('createSandbox');
    this.sandboxRequests.push(request);
    return super.createSandbox(request);
  }

  override async startSandbox(id: string): Promise<void> {
    await this.#step('startSandbox');
    await super.startSandbox(id);
    this.diary.push('sandbox connected');
  }

  override async removeSandbox(id: string): Promise<void> {
    this.diary.push('removeSandbox');
    await super.removeSandbox(id);
  }

  override async createContainer(request: ContainerRequest): Promise<RuntimeContainer> {
    await this.#step('createContainer', request.container.name);
    this.requests.push(request);
    const created = await super.createContainer(request);
    this.#names.set(created.id, created.name);
    return created;
  }

  override async startContainer(id: string): Promise<void> {
    const name = this.#names.get(id) ?? id;
    try {
      await this.#step('startContainer', name);
    } catch (error) {
      // As Docker does: a container that can't be started has ended at once.
      await super.startContainer(id);
      this.exit(id, 128);
      throw error;
    }
    await super.startContainer(id);
  }

  override async stopContainer(id: string, gracePeriodSeconds: number): Promise<void> {
    this.diary.push(`stopContainer ${this.#names.get(id) ?? id}`);
    this.graces.push(gracePeriodSeconds);
    await super.stopContainer(id, gracePeriodSeconds);
  }

  override async removeContainer(id: string): Promise<void> {
    this.diary.push(`removeContainer ${this.#names.get(id) ?? id}`);
    await super.removeContainer(id);
  }

  async #step(step: Step, what = ''): Promise<void> {
    this.diary.push(`${step} ${what}`.trim());
    const held = this.#held.get(step);
    held?.reached();
    await held?.wait;
    const failure = this.#failures.get(step);
    if (failure !== undefined) throw new Error(failure);
  }
}
