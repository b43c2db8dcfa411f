// The data directory belongs to one server at a time. Its locks are numbered, and the latest one counts: it holds the id of the process
// that has the directory, or nothing when that has left. A process that is gone has left too, so a killed server leaves nothing
// that must be cleaned up by hand.
// Whoever wants the directory makes the next lock: of several at once, one can. Taking an old lock away instead would be a race: a
// second server, which has also found the old one, would take away the new one.

import { link, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
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
  if (lockedHere.has(path)) throw inUse(path, process.pid, 'lock');
  lockedHere.add(path);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const lock = await takeNextLock(path);
    return {
      path,
      async unlock() {
        // It stays, for its number: an earlier lock must not count again.
        if (lockedHere.delete(path)) await truncate(join(path, lock)).catch(missingAsEmpty);
      },
    };
  } catch (error) {
    lockedHere.delete(path);
    throw error;
  }
}

async function takeNextLock(path: string): Promise<string> {
  while (true) {
    const latest = (await locksIn(path)).at(-1);
    const holder = latest && (await holderOf(join(path, latest)));
    if (holder) throw inUse(path, holder, latest);
    const own = lockName(latest ? numberOf(latest) + 1 : 1);
    if (!(await makeLock(path, own))) continue;
    const locks = await locksIn(path);
    // Others have come and gone since the first look, and took this number's lock away with the old ones: it does not count.
    if (locks.at(-1) !== own) {
      await rm(join(path, own), { force: true });
      continue;
    }
    for (const old of locks.slice(0, -1)) await rm(join(path, old), { force: true });
    return own;
  }
}

/** With its content from the first moment on. False if somebody else has made it. */
async function makeLock(path: string, name: string): Promise<boolean> {
  const draft = join(path, `${name}.${process.pid}`);
  await writeFile(draft, String(process.pid));
  try {
    await link(draft, join(path, name));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

const lockPattern = /^lock-(\d{6,})$/;

function lockName(number: number): string {
  return `lock-${String(number).padStart(6, '0')}`;
}

function numberOf(name: string): number {
  return Number(lockPattern.exec(name)?.[1]);
}

/** Oldest first. */
async function locksIn(path: string): Promise<string[]> {
  const names = (await readdir(path)).filter((name) => lockPattern.test(name));
  return names.sort((left, right) => numberOf(left) - numberOf(right));
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

function inUse(path: string, pid: number, lock: string): Error {
  const remedy = `Stop it first, or use another data directory. If process ${pid} is no etcd, delete ${join(path, lock)}.`;
  return new Error(`The data directory ${path} is in use by process ${pid}. ${remedy}`);
}
