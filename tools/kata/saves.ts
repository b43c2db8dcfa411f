// Tells when a file of a chapter was saved. Some file systems send no events (a Windows folder seen from WSL, a folder shared
// with a container): a file written for this purpose shows it, and then the files are looked at again and again instead.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { watch } from 'chokidar';
import type { Clock } from '#kit/clock';

/** An editor may write a file in several steps, or several files at once. */
const settleMs = 40;
const probeMs = 1_500;
const pollEveryMs = 300;

export interface Saves {
  /** Whether files are looked at again and again, because events don't arrive. */
  polling: boolean;
  close(): Promise<void>;
}

export interface SavesOptions {
  clock: Clock;
  /** Don't try events. */
  poll: boolean;
  onSave: (path: string) => void;
}

/** Watches src and tests of all chapters. */
export async function watchSaves(root: string, { clock, poll, onSave }: SavesOptions): Promise<Saves> {
  if (!poll) {
    const byEvents = await open(root, { clock, onSave }, 'auto');
    if (await byEvents.hears()) return { polling: false, close: byEvents.close };
    await byEvents.close();
  }
  const { close } = await open(root, { clock, onSave }, 'polling');
  return { polling: true, close };
}

async function open(root: string, { clock, onSave }: Omit<SavesOptions, 'poll'>, backend: 'auto' | 'polling') {
  const probes = join(root, '.kubekata/probe');
  mkdirSync(probes, { recursive: true });
  let heard = () => {};
  let settling: { cancel(): void } | undefined;
  const watcher = watch([join(root, 'chapters'), probes], {
    ignoreInitial: true,
    backend,
    pollingInterval: pollEveryMs,
    ignored: (path) => /[\\/](pictures|hints|wrong)$|[~#]$|\.sw.$/.test(path),
  });
  watcher.on('all', (_, path) => {
    if (path.startsWith(probes)) return heard();
    if (!/\.ts$/.test(path)) return;
    settling?.cancel();
    settling = clock.after(settleMs, () => onSave(path));
  });
  await new Promise<void>((resolve, reject) => {
    watcher.once('ready', resolve);
    watcher.once('error', reject);
  });
  return {
    hears: () =>
      new Promise<boolean>((resolve) => {
        const timer = clock.after(probeMs, () => resolve(false));
        heard = () => {
          timer.cancel();
          resolve(true);
        };
        writeFileSync(join(probes, 'probe'), String(clock.now()));
      }),
    close: async () => {
      settling?.cancel();
      await watcher.close();
    },
  };
}
