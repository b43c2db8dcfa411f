// Removes a folder that containers have written into. They write as root, or as anybody: where this process may not remove what they
// wrote, a container may.

import { rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type Docker from 'dockerode';
import { ensureImage } from '#kit/node/images';
import { toolsImage } from '#kit/node/node-container';

/** Does nothing when it is not there. @param docker absent: nothing but this process ever wrote there */
export async function removeFolder(folder: string, docker?: Docker): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!docker || !['EACCES', 'EPERM'].includes(code)) throw error;
    await removeInContainer(folder, docker);
  }
}

export async function removeInContainer(folder: string, docker: Docker): Promise<void> {
  await ensureImage(docker, toolsImage);
  const parent = '/parent';
  const container = await docker.createContainer({
    Image: toolsImage,
    Entrypoint: ['rm', '-rf', `${parent}/${basename(folder)}`],
    HostConfig: { NetworkMode: 'none', Mounts: [{ Type: 'bind', Source: dirname(folder), Target: parent }] },
  });
  try {
    await container.start();
    const { StatusCode } = await container.wait();
    if (StatusCode !== 0) throw new Error(`${folder} could not be removed: it holds what other users wrote`);
  } finally {
    await container.remove({ force: true });
  }
}
