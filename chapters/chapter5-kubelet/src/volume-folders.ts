// Where a pod's volumes lie on the node's disk, and what of them a container gets to see. A node of ours is a container on a machine that
// it shares with others; its disk is one folder. So hostPath volumes lie in there, too: pods of one node share them, nodes do not,
// and your own files are out of reach.
// Kubernetes: pkg/kubelet/kubelet_pods.go (makeMounts), pkg/volume/util/subpath

import { lstat, mkdir, realpath, stat, writeFile } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import type { Volume, VolumeMount } from 'kubernetes-types/core/v1';
import type { Container, Pod } from '#kit/api';
import { expand } from './expansion.ts';
import type { EnvironmentVariable } from './runtime.ts';

export interface Mount {
  /** A folder or file of the node; absolute. */
  source: string;
  /** Where the container sees it. */
  target: string;
  readOnly: boolean;
}

const pluginOf: Record<string, string> = {
  configMap: 'configmap',
  secret: 'secret',
  downwardAPI: 'downward-api',
  projected: 'projected',
  emptyDir: 'empty-dir',
};

export function podFolder(rootDirectory: string, podUid: string): string {
  return join(rootDirectory, 'pods', podUid);
}

/** `…/pods/<uid>/volumes/kubernetes.io~projected/<name>`; a hostPath's is where its path leads on the node's disk. */
export function volumeFolder(rootDirectory: string, podUid: string, volume: Volume): string {
  if (volume.hostPath) return join(diskOf(rootDirectory), normalize(`/${volume.hostPath.path}`));
  return join(podFolder(rootDirectory, podUid), 'volumes', `kubernetes.io~${pluginOf[kindOf(volume)] ?? kindOf(volume)}`, volume.name);
}

/** `emptyDir`, `configMap`, … */
export function kindOf({ name: _, ...source }: Volume): string {
  return Object.keys(source)[0] ?? '';
}

function diskOf(rootDirectory: string): string {
  return join(rootDirectory, 'disk');
}

/** What must be true of a hostPath, and is made true where its type allows that: nothing is made where a link leads out of the node's disk. */
export async function prepareHostPath(rootDirectory: string, path: string, type: string): Promise<void> {
  const disk = diskOf(rootDirectory);
  await mkdir(disk, { recursive: true, mode: 0o755 });
  if (!(await liesWithin(path, disk))) throw new Error(`the hostPath leads out of the node's disk: ${path}`);
  const found = await stat(path).catch(() => undefined);
  if (type === '' || type === 'DirectoryOrCreate') {
    if (!found) await mkdir(path, { recursive: true, mode: 0o755 });
  } else if (type === 'FileOrCreate' && !found) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, '', { mode: 0o644 });
  }
  const now = found ?? (await stat(path).catch(() => undefined));
  const is: Record<string, boolean | undefined> = {
    '': true,
    Directory: now?.isDirectory(),
    DirectoryOrCreate: now?.isDirectory(),
    File: now?.isFile(),
    FileOrCreate: now?.isFile(),
    Socket: now?.isSocket(),
    CharDevice: now?.isCharacterDevice(),
    BlockDevice: now?.isBlockDevice(),
  };
  if (!is[type]) throw new Error(`hostPath type check failed: ${path} is not a ${type.replace('OrCreate', '')}`);
}

/** The container's mounts, ready to be used: a subPath that is missing is made. `env` is for subPathExpr. */
export async function mountsOf(pod: Pod, container: Container, env: EnvironmentVariable[], rootDirectory: string): Promise<Mount[]> {
  const variables = new Map(env.map(({ name, value }) => [name, value]));
  return Promise.all(
    (container.volumeMounts ?? []).map(async (mount) => {
      const volume = pod.spec?.volumes?.find(({ name }) => name === mount.name);
      if (!volume) throw new Error(`the container "${container.name}" mounts a volume that the pod does not have: "${mount.name}"`);
      const folder = volumeFolder(rootDirectory, pod.metadata?.uid ?? '', volume);
      const subPath = mount.subPathExpr ? expand(mount.subPathExpr, variables) : (mount.subPath ?? '');
      const source = await inside(volume.hostPath ? diskOf(rootDirectory) : folder, join(folder, subPath), mount, container);
      return { source, target: mount.mountPath, readOnly: (mount.readOnly ?? false) || isWrittenByKubelet(volume) };
    }),
  );
}

/** Kubernetes' own files: what a container wrote there would be gone with the next version. */
function isWrittenByKubelet({ configMap, secret, downwardAPI, projected }: Volume): boolean {
  return Boolean(configMap ?? secret ?? downwardAPI ?? projected);
}

async function inside(bounds: string, path: string, mount: VolumeMount, container: Container): Promise<string> {
  const problem = () => new Error(`failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}"`);
  if (!(await liesWithin(path, bounds))) throw problem();
  if (!(await lstat(path).catch(() => undefined))) await mkdir(path, { recursive: true });
  return realpath(path);
}

/**
 * Whether a path, or as much of it as is there, lies within a folder. A container may have put a link in the way: what counts is where it
 * leads. A link to nothing leads nowhere that could be known.
 */
async function liesWithin(path: string, folder: string): Promise<boolean> {
  const isWithin = (inner: string, outer: string) => inner === outer || inner.startsWith(outer + sep);
  if (!isWithin(normalize(path), folder)) return false;
  let present = path;
  while (!(await lstat(present).catch(() => undefined))) present = dirname(present);
  const real = await realpath(present).catch(() => undefined);
  return real !== undefined && isWithin(real, await realpath(folder));
}
