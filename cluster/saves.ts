// Tells when a file of a learner's chapter is saved: many saves at once, as an editor or git makes them, are told as one.

import { type FSWatcher, watch } from 'chokidar';
import type { Clock, Timer } from '#kit/clock';

const quietForMs = 150;

/** @param folder of the chapter's code; @param saved is called after the last of a group of saves */
export function watchSaves(folder: string, clock: Clock, saved: () => void): FSWatcher {
  let timer: Timer | undefined;
  return watch(folder, { ignoreInitial: true, ignored: (path, stats) => stats?.isFile() === true && !path.endsWith('.ts') }).on(
    'all',
    () => {
      timer?.cancel();
      timer = clock.after(quietForMs, saved);
    },
  );
}
