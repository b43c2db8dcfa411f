// Files that change all at once: who reads several of them never sees some old and some new. They lie in a folder of their own; a
// symbolic link `..data` points to it, and each visible name is a link through `..data`. A new version is a new folder, and one rename
// of the link makes it the present one.
// Kubernetes: pkg/volume/util/atomic_writer.go

import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clock, timestamp } from '#kit/clock';

export interface VolumeFile {
  content: Buffer;
  /** Permission bits: 0o644. */
  mode: number;
}

/** By their paths inside the volume: `token`, `certs/ca.crt`. */
export type VolumeFiles = ReadonlyMap<string, VolumeFile>;

const dataLink = '..data';

/** Makes the folder hold these files and no others. Says whether anything was to be done. Throws for a path that leads out of it. */
export async function writeAtomically(folder: string, files: VolumeFiles, clock: Clock): Promise<boolean> {
  for (const path of files.keys()) checkPath(path);
  await mkdir(folder, { recursive: true, mode: 0o755 });
  const old = await readlink(join(folder, dataLink)).catch(unlessMissing);
  if (old && (await holds(join(folder, old), files))) return false;

  const version = await mkdtemp(join(folder, `..${timestamp(clock).replace(/[-T:]/g, '_').replace('Z', '.')}`));
  await chmod(version, 0o755);
  for (const [path, { content, mode }] of files) {
    const file = join(version, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    // What the process may create is narrowed by its umask; this is not.
    await chmod(file, mode);
  }
  await pointTo(folder, version.slice(folder.length + 1));
  await showNames(folder, new Set([...files.keys()].map((path) => path.split('/')[0] ?? '')));
  if (old) await rm(join(folder, old), { recursive: true, force: true });
  return true;
}

function checkPath(path: string): void {
  const segments = path.split('/');
  const leadsOut = path === '' || path.startsWith('/') || segments.includes('..');
  if (leadsOut || segments[0]?.startsWith('..')) throw new Error(`invalid path in a volume: ${JSON.stringify(path)}`);
}

async function holds(version: string, files: VolumeFiles): Promise<boolean> {
  const present = await readdir(version, { recursive: true, withFileTypes: true }).catch(unlessMissing);
  const count = present?.filter((entry) => !entry.isDirectory()).length;
  if (count !== files.size) return false;
  for (const [path, { content, mode }] of files) {
    const file = join(version, path);
    const [was, stat] = await Promise.all([readFile(file).catch(unlessMissing), lstat(file).catch(unlessMissing)]);
    if (!was?.equals(content) || ((stat?.mode ?? 0) & 0o777) !== mode) return false;
  }
  return true;
}

/** A rename replaces in one step; making a link cannot. */
async function pointTo(folder: string, version: string): Promise<void> {
  const next = join(folder, `${dataLink}_tmp`);
  await rm(next, { force: true });
  await symlink(version, next);
  await rename(next, join(folder, dataLink));
}

async function showNames(folder: string, names: Set<string>): Promise<void> {
  const shown = (await readdir(folder)).filter((name) => !name.startsWith('..'));
  for (const name of names) if (!shown.includes(name)) await symlink(join(dataLink, name), join(folder, name));
  for (const name of shown) if (!names.has(name)) await rm(join(folder, name));
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
