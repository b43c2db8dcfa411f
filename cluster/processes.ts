// All component processes of a cluster, by title (`kubelet (node-1)`): prepared, then started with their flags, and stopped
// together. It knows which chapter each belongs to, and so whose code it runs.

import { join } from 'node:path';
import type { Layout } from '#cluster/layout';
import { memoryFlags } from '#cluster/memory-flags';
import { ComponentProcess, type FlagsFor } from '#cluster/supervisor';
import { type Voice, voiceOf } from '#cluster/voice';
import type { Clock } from '#kit/clock';
import { chapters } from '../tools/chapters.ts';

/** A learner's component that does not serve by then is started again. */
const servesWithinMs = 20_000;

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
  /** The title of the component that waits for a debugger; '' for none. */
  inspect: string;
  clock: Clock;
  /** A component serves: its name, where, whose. */
  ready(row: { title: string; url: string; mine: boolean }): void;
  /** A component died, or is back. */
  notice(text: string): void;
}

/** A title as in the start-up table, or nothing. */
export function isTitle(text: string): boolean {
  const [, component = '', , place = ''] = /^([\w-]+)( \((.+)\))?$/.exec(text) ?? [];
  if (component === 'kubelet' || component === 'kube-proxy') return /^node-\d+$/.test(place);
  return component in chapterOf && (place === '' || (component === 'etcd' && /^etcd-\d+$/.test(place)));
}

/** The port that Node's debuggers look at. */
const debuggerPort = 9229;

export class ComponentProcesses {
  readonly #options: ProcessesOptions;
  readonly #processes = new Map<string, { process: ComponentProcess; voice: Voice }>();
  readonly #ready = new Set<string>();

  constructor(options: ProcessesOptions) {
    this.#options = options;
  }

  /** Lets them load their modules, in the background. */
  prepare(...titles: string[]): void {
    const { layout, clock, notice, inspect } = this.#options;
    for (const title of titles) {
      const mine = this.isMine(title);
      const voice = voiceOf({ title, source: mine ? sourceOf(title) : undefined, clock, say: notice });
      const process = new ComponentProcess({
        component: componentOf(title),
        cluster: layout.cluster,
        logFile: join(layout.logs, `${fileNameOf(title)}.log`),
        nodeFlags: [
          ...(memoryFlags[componentOf(title)] ?? []),
          ...(mine ? [`--conditions=learner-${chapterOf[componentOf(title)]}`] : []),
          ...(title === inspect ? [`--inspect=127.0.0.1:${debuggerPort}`] : []),
        ],
        ...(mine && title !== inspect ? { servesWithin: servesWithinMs } : {}),
        clock,
        observer: {
          serves: (url) => {
            if (!this.#ready.has(title)) this.#options.ready({ title, url, mine });
            this.#ready.add(title);
            voice.serves(url);
          },
          failed: (reason, againInMs) => voice.failed(reason, againInMs),
          complains: (text) => voice.complains(text),
        },
      });
      this.#processes.set(title, { process, voice });
    }
  }

  /**
   * Resolves when the component serves; it must have been prepared. The reference's rejects when its first start fails. A learner's
   * does not: its `url` is '' then, and it is started again until it `serves`.
   */
  async start(title: string, flags: FlagsFor): Promise<ComponentProcess> {
    const { process } = this.#processes.get(title) ?? {};
    if (!process) throw new Error(`${title} was not prepared`);
    try {
      await process.start(flags);
    } catch (error) {
      if (!this.isMine(title)) throw new Error(`${title} ${(error as Error).message}`);
    }
    return process;
  }

  /** The titles of those that do not serve yet. */
  waiting(): string[] {
    return [...this.#processes.keys()].filter((title) => !this.#ready.has(title));
  }

  /** Starts a chapter's components anew, since their code has changed: all of them, or those that don't serve. */
  renew(chapter: number, which: 'all' | 'down'): void {
    for (const [title, { process, voice }] of this.#processes) {
      if (!this.isMine(title) || chapterOf[componentOf(title)] !== chapter || (which === 'down' && process.isUp)) continue;
      voice.renewed();
      process.renew();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#processes.values()].map(({ process }) => process.stop()));
  }

  /** A backup is the reference's, always: it stands in for what a learner has not written yet. */
  isMine(title: string): boolean {
    if (title.endsWith('(backup)')) return false;
    return this.#options.mine.has(chapterOf[componentOf(title)] ?? 0);
  }
}

/** `kubelet (node-1)` → `kubelet-node-1` */
export function fileNameOf(title: string): string {
  return title.replace(/ \((.*)\)/, '-$1');
}

/** `kubelet (node-1)` → `kubelet` */
function componentOf(title: string): string {
  return title.replace(/ .*/, '');
}

/** Where a learner writes the component. */
function sourceOf(title: string): string {
  return `chapters/${chapters[(chapterOf[componentOf(title)] ?? 1) - 1]}/src`;
}
