// The course's own small images, each made of programs that this machine has: no registry, no base image, no build step.
// Change what is in one, and raise its tag.

import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ImageContent, ImageFile } from '#kit/node/image-archive';
import { busyboxApplets, findProgram, librariesOf, pluginFolder, programWithLibraries, withoutRepeats } from '#kit/node/machine-files';
import { pauseProgram } from '#kit/node/pause';

export interface ImageRecipe {
  /** Debian packages whose programs the image is made of. */
  packages: string[];
  /** A Dockerfile for machines that lack them and reach a registry instead (Docker Desktop). */
  dockerfile: string | undefined;
  content(architecture: string): Promise<ImageContent>;
}

const folders: ImageFile[] = [
  { path: 'tmp', directory: true, mode: 0o1777 },
  { path: 'root', directory: true, mode: 0o700 },
  { path: 'etc/passwd', content: 'root:x:0:0:root:/root:/bin/sh\n' },
  { path: 'etc/group', content: 'root:x:0:\n' },
];

async function busybox(): Promise<ImageFile[]> {
  const program = await findProgram('busybox');
  if (!program) throw new Error('this machine has no busybox');
  const links = (await busyboxApplets(program)).filter((applet) => applet !== 'busybox');
  return [
    { path: 'bin/busybox', content: await readFile(program), mode: 0o755 },
    ...(await librariesOf(program)),
    ...links.map((applet) => ({ path: `bin/${applet}`, linkTo: 'busybox' })),
    ...folders,
  ];
}

/** iptables is one program under many names; its matches and targets are plugins in a folder beside the C library. */
async function iptables(): Promise<ImageFile[]> {
  const program = await findProgram('iptables');
  if (!program) throw new Error('this machine has no iptables');
  const path = `usr/sbin/${basename(program)}`;
  const libraryFolders = (await readdir('/usr/lib')).map((folder) => join('/usr/lib', folder, 'xtables'));
  const pluginFolders = await Promise.all([...libraryFolders, '/usr/lib/xtables'].map((folder) => pluginFolder(folder).catch(() => [])));
  const plugins = pluginFolders.flat();
  return [
    { path, content: await readFile(program), mode: 0o755 },
    ...(await librariesOf(program, ...plugins.map((plugin) => `/${plugin.path}`))),
    ...plugins,
    ...['iptables', 'iptables-save', 'iptables-restore'].map((name) => ({ path: `usr/sbin/${name}`, linkTo: basename(program) })),
  ];
}

const pause: ImageRecipe = {
  packages: [],
  dockerfile: undefined,
  content: async (architecture) => ({
    files: [{ path: 'pause', content: pauseProgram(architecture), mode: 0o755 }],
    entrypoint: ['/pause'],
  }),
};

const busyboxImage: ImageRecipe = {
  packages: ['busybox-static'],
  dockerfile: 'FROM busybox:1.37',
  content: async () => ({ files: await busybox(), command: ['sh'] }),
};

/** What runs in a node: the tools that kubelet and kube-proxy call by way of its shell. */
const tools: ImageRecipe = {
  packages: ['busybox-static', 'iptables', 'iproute2'],
  dockerfile: 'FROM alpine:3.22\nRUN apk add --no-cache iptables iproute2 && ln -sf /sbin/ip /usr/sbin/ip',
  content: async () => {
    const ip = (await programWithLibraries('ip')).map((file) => (file.path === 'usr/bin/ip' ? { ...file, path: 'usr/sbin/ip' } : file));
    return { files: withoutRepeats([...(await busybox()), ...(await iptables()), ...ip]), command: ['sleep', '2147483647'] };
  },
};

/** Serves until two seconds after TERM: by then no Service sends it anything any more, so that a rollout fails no request. */
const echoServer = `#!/bin/sh
trap 'echo "echo $VERSION is leaving"; sleep 2; kill $server; exit 0' TERM
httpd -f -vv -p "\${PORT:-8080}" -h /www &
server=$!
echo "echo $VERSION listens on port \${PORT:-8080}"
wait $server
`;

const echoAnswer = `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
echo "echo $VERSION from $HOSTNAME"
`;

/** The worked example of all chapters. */
function echo(version: string): ImageRecipe {
  const files: ImageFile[] = [
    { path: 'bin/echo-server', content: echoServer, mode: 0o755 },
    { path: 'www/cgi-bin/index.cgi', content: echoAnswer, mode: 0o755 },
  ];
  const copies = files.map((file) =>
    'content' in file
      ? `RUN echo ${Buffer.from(file.content).toString('base64')} | base64 -d > /${file.path} && chmod 755 /${file.path}`
      : '',
  );
  return {
    packages: ['busybox-static'],
    dockerfile: ['FROM busybox:1.37', 'RUN mkdir -p /www/cgi-bin', ...copies, `ENV VERSION=${version}`, 'CMD ["echo-server"]'].join('\n'),
    content: async () => ({
      files: [...(await busybox()), ...files],
      command: ['echo-server'],
      env: [`VERSION=${version}`],
      exposedPorts: ['8080/tcp'],
    }),
  };
}

export const imageRecipes: Record<string, ImageRecipe> = {
  'kubekata/pause:1': pause,
  'kubekata/busybox:1': busyboxImage,
  'kubekata/tools:1': tools,
  'kubekata/echo:v1': echo('v1'),
  'kubekata/echo:v2': echo('v2'),
};
