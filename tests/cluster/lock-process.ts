// A process that takes and leaves data directories as its parent tells it: `{ lock }` is answered by `taken` or by the error's text,
// `{ unlock }` by `left`.

import { type DataDirectory, lockDataDirectory } from '#etcd/data-directory';

const held = new Map<string, DataDirectory>();

process.on('message', async ({ lock, unlock }: { lock?: string; unlock?: string }) => {
  if (lock !== undefined) {
    try {
      held.set(lock, await lockDataDirectory(lock));
      process.send?.('taken');
    } catch (error) {
      process.send?.((error as Error).message);
    }
  } else if (unlock !== undefined) {
    await held.get(unlock)?.unlock();
    process.send?.('left');
  }
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
