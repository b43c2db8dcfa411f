// Makes a Docker image from a list of files, without a builder and without a base image: a docker-archive (config, one layer,
// manifest) that the engine loads. The same files give the same image id.

import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import tar from 'tar-stream';

export type ImageFile =
  | { path: string; content: Buffer | string; mode?: number }
  | { path: string; linkTo: string }
  | { path: string; directory: true; mode?: number };

export interface ImageContent {
  files: ImageFile[];
  entrypoint?: string[];
  command?: string[];
  env?: string[];
  exposedPorts?: string[];
}

/** The archive's bytes, ready for `docker load`. Paths are absolute without the leading slash. */
export async function imageArchive(name: string, architecture: string, content: ImageContent): Promise<Buffer> {
  const layer = await tarOf(content.files);
  const config = JSON.stringify({
    architecture,
    os: 'linux',
    config: {
      Entrypoint: content.entrypoint ?? null,
      Cmd: content.command ?? null,
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...(content.env ?? [])],
      ExposedPorts: Object.fromEntries((content.exposedPorts ?? []).map((port) => [port, {}])),
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
  });
  const configName = `${sha256(config)}.json`;
  const manifest = JSON.stringify([{ Config: configName, RepoTags: [name], Layers: ['layer.tar'] }]);
  return tarOf([
    { path: configName, content: config },
    { path: 'layer.tar', content: layer },
    { path: 'manifest.json', content: manifest },
  ]);
}

export async function tarOf(files: ImageFile[]): Promise<Buffer> {
  const pack = tar.pack();
  const mtime = new Date(0);
  for (const file of files) {
    const { path: name } = file;
    if ('linkTo' in file) pack.entry({ name, type: 'symlink', linkname: file.linkTo, mtime });
    else if ('directory' in file) pack.entry({ name, type: 'directory', mode: file.mode ?? 0o755, mtime });
    else pack.entry({ name, mode: file.mode ?? 0o644, mtime }, file.content);
  }
  pack.finalize();
  return buffer(pack);
}

function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex');
}
