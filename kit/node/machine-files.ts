// Programs of this machine as image files: each with the shared libraries that the loader names for it, so that an image
// needs no base. Only for Linux; what is missing is named with the package that has it.

import { execFile } from 'node:child_process';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ImageFile } from '#kit/node/image-archive';

const run = promisify(execFile);
const programFolders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Where a program of this machine is, or undefined. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const folder of programFolders) {
    const path = await realpath(join(folder, name)).catch(() => undefined);
    if (path) return path;
  }
  return undefined;
}

/** A program under `/usr/bin/<name>` and the libraries it loads, each at its own path. */
export async function programWithLibraries(name: string): Promise<ImageFile[]> {
  const path = await findProgram(name);
  if (!path) throw new Error(`this machine has no ${name}`);
  return [{ path: `usr/bin/${name}`, content: await readFile(path), mode: 0o755 }, ...(await librariesOf(path))];
}

/** The shared libraries that these programs or libraries load, each once. */
export async function librariesOf(...programs: string[]): Promise<ImageFile[]> {
  if (programs.length === 0) return [];
  // ldd fails for a static program, which needs none.
  const { stdout } = await run('ldd', programs).catch(() => ({ stdout: '' }));
  const paths = new Set([...stdout.matchAll(/(\/\S+) \(0x/g)].map((match) => match[1] as string));
  return Promise.all([...paths].map(async (path) => ({ path: path.slice(1), content: await readFile(path), mode: 0o755 })));
}

/** Every plugin of a folder beside a library, e.g. iptables' matches and targets. */
export async function pluginFolder(path: string): Promise<ImageFile[]> {
  const names = await readdir(path);
  return Promise.all(
    names
      .filter((name) => name.endsWith('.so'))
      .map(async (name) => {
        const plugin = join(path, name);
        return { path: join(dirname(plugin), basename(plugin)).slice(1), content: await readFile(plugin), mode: 0o755 };
      }),
  );
}

/** The names that a busybox program answers to. */
export async function busyboxApplets(busybox: string): Promise<string[]> {
  const { stdout } = await run(busybox, ['--list']);
  return stdout.split('\n').filter(Boolean);
}

/** One file a path: the first one wins. */
export function withoutRepeats(files: ImageFile[]): ImageFile[] {
  return [...new Map(files.toReversed().map((file) => [file.path, file])).values()].toReversed();
}
