// All component processes of a cluster, by title (`kubelet (node-1)`): prepared, then started with their flags, and stopped
// together. It knows which chapter each belongs to, and so whose code it runs.

import { join } from 'node:path';
import type { Layout } from '#cluster/layout';
import { ComponentProcess, type FlagsFor } from '#cluster/supervisor';
import type { Clock } from '#kit/clock';

const chapterOf: Record<string, number> = {
  etcd: 1,
  'kube-apiserver': 2,
  'kube-controller-manager': 3,
  'kube-scheduler': 4,
  kubelet: 5,
  'kube-proxy': 6,
  dns: 6,
};

export interface ProcessesOptions {
  layout: Layout;
  /** Chapters that are taken from the learner instead of the reference. */
  mine: Set<number>;
  clock: Clock;
  /** A component serves: its name, where, whose. */
  ready(row: { title: string; url: string; mine: boolean }): void;
  /** A component died, or is back. */
  notice(text: string): void;
}

export class ComponentProcesses {
  readonly #options: ProcessesOptions;
  readonly #processes = new Map<string, ComponentProcess>();
  readonly #ready = new Set<string>();

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  /** Lets them load their modules, in the background. */
  prepare(...titles: string[]): void {
    const { layout, clock, notice } = this.#options;
    for (const title of titles) {
      const process = new ComponentProcess({
        title,
        component: componentOf(title),
        cluster: layout.cluster,
        logFile: join(layout.logs, `${title.replace(/ \((.*)\)/, '-$1')}.log`),
        condition: this.#isMine(title) ? `learner-${chapterOf[componentOf(title)]}` : undefined,
        clock,
        notice,
      });
      this.#processes.set(title, process);
    }
  }

  /** Resolves when the component serves; it must have been prepared. */
  async start(title: string, flags: FlagsFor): Promise<ComponentProcess> {
    const process = this.#processes.get(title);
    if (!process) throw new Error(`${title} was not prepared`);
    await process.start(flags);
    this.#ready.add(title);
    this.#options.ready({ title, url: process.url, mine: this.#isMine(title) });
    return process;
  }

  /** The titles of those that do not serve yet. */
  waiting(): string[] {
    return [...this.#processes.keys()].filter((title) => !this.#ready.has(title));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#processes.values()].map((process) => process.stop()));
  }

  #isMine(title: string): boolean {
    return this.#options.mine.has(chapterOf[componentOf(title)] ?? 0);
  }
}

/** `kubelet (node-1)` → `kubelet` */
function componentOf(title: string): string {
  return title.replace(/ .*/, '');
}
