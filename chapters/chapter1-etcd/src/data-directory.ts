// The data directory belongs to one server at a time: a file `lock` in it holds the process id. A lock whose process is gone is
// taken over; so a killed server leaves nothing that has to be cleaned up by hand.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** Locked by this very process: a lock with its own id that is not here is left from an earlier process with the same id. */
const lockedHere = new Set<string>();

export interface DataDirectory {
  readonly path: string;
  unlock(): Promise<void>;
}

/** Makes the directory if it does not exist. @throws Error if another server has it open */
export async function lockDataDirectory(dataDir: string): Promise<DataDirectory> {
  const path = resolve(dataDir);
  const lock = join(path, 'lock');
  if (lockedHere.has(path)) throw inUse(path, process.pid);
  lockedHere.add(path);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const holder = await holderOf(lock);
    if (holder !== undefined) throw inUse(path, holder);
    await rm(lock, { force: true });
    await writeFile(lock, String(process.pid), { flag: 'wx' });
  } catch (error) {
    lockedHere.delete(path);
    throw error;
  }
  return {
    path,
    async unlock() {
      if (lockedHere.delete(path)) await rm(lock, { force: true });
    },
  };
}

/** The process that holds the lock, if it is running and not this one. */
async function holderOf(lock: string): Promise<number | undefined> {
  const holder = Number(await readFile(lock, 'utf8').catch(missingAsEmpty));
  return holder > 0 && holder !== process.pid && isRunning(holder) ? holder : undefined;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function missingAsEmpty(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}

function inUse(path: string, pid: number): Error {
  const remedy = `Stop it first, or use another data directory. If process ${pid} is no etcd, delete ${join(path, 'lock')}.`;
  return new Error(`The data directory ${path} is in use by process ${pid}. ${remedy}`);
}
