// What the course needs of a machine, and what to do where it is missing: the one place that has these sentences. Set-up, doctor and
// every command that needs a thing take them from here. Plain JavaScript for Node 20 or newer and no package, because set-up
// runs before there are any.

import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { homedir, userInfo } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const state = join(root, '.kubekata');
export const bin = join(state, 'bin');
export const linux = process.platform === 'linux';
export const windows = process.platform === 'win32';

const oldestKubectl = [1, 31];

/** The problem and its remedy, or undefined. */
export function nodeProblem() {
  const [major = 0] = process.versions.node.split('.').map(Number);
  return major >= 20 ? undefined : [`Node ${process.versions.node} is too old`, 'Install Node 20 or newer: https://nodejs.org'];
}

export function find(program) {
  const folders = [bin, ...(process.env.PATH ?? '').split(delimiter), ...(linux ? ['/usr/sbin', '/sbin'] : [])];
  const names = windows ? [`${program}.exe`, `${program}.cmd`] : [program];
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export const isDebian = linux && existsSync('/etc/debian_version') && find('apt-get') !== undefined;
export const isWsl = linux && existsSync('/proc/version') && /microsoft/i.test(readFileSync('/proc/version', 'utf8'));
export const hasSystemd = existsSync('/run/systemd/system');

/** Why node_modules is not what package-lock.json asks for, or undefined. */
export function staleness() {
  const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8')).packages;
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return 'there are none yet';
  if (!existsSync(courseNode())) return 'Node is not among them';
  const installed = read('node_modules/.package-lock.json');
  const wanted = Object.entries(read('package-lock.json')).filter(([path, { optional }]) => path !== '' && !optional);
  const different = wanted.find(([path, { version }]) => installed[path]?.version !== version);
  return different ? `${different[0].replace('node_modules/', '')} has another version` : undefined;
}

/** The problem and its remedy, or undefined. */
export function packagesProblem() {
  const remedy = 'Run `npm run setup`.';
  if (!existsSync(join(root, 'node_modules'))) return ['the npm packages are not installed', remedy];
  const stale = staleness();
  return stale && [`the npm packages are not those of package-lock.json: ${stale}`, remedy];
}

/** The Node that npm scripts of this project run with. */
export function courseNode() {
  return join(root, 'node_modules/node/bin', windows ? 'node.exe' : 'node');
}

export function installRemedy(packages) {
  return `Run \`npm run setup -- --yes\` as root or with sudo, or \`sudo apt-get install --no-install-recommends ${packages.join(' ')}\`.`;
}

/** What the daemon answers: `{ version }` for `/version`; `{ code }` of the error that one gets instead. */
export function askDaemon(path = '/version') {
  const { DOCKER_HOST: host } = process.env;
  const address = host ? addressOf(host) : { socketPath: windows ? '//./pipe/docker_engine' : '/var/run/docker.sock' };
  return new Promise((resolve) => {
    const asking = request({ ...address, path, timeout: 5000 }, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      try {
        const answer = JSON.parse(Buffer.concat(chunks).toString());
        resolve({ ...answer, version: answer.Version });
      } catch {
        resolve({ code: `HTTP ${response.statusCode}` });
      }
    });
    asking.on('timeout', () => asking.destroy(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })));
    asking.on('error', ({ code }) => resolve({ code: code ?? 'unknown' }));
    asking.end();
  });
}

function addressOf(host) {
  if (host.startsWith('unix://')) return { socketPath: host.slice('unix://'.length) };
  if (host.startsWith('npipe://')) return { socketPath: host.slice('npipe://'.length) };
  const { hostname, port } = new URL(host.replace(/^tcp:/, 'http:'));
  return { host: hostname, port: port || 2375 };
}

/** What is wrong, and what to do. @param daemon what askDaemon said */
export function dockerRemedy({ code }) {
  if (process.env.DOCKER_HOST && code !== 'EACCES') {
    return [`Docker does not answer at ${process.env.DOCKER_HOST} (${code})`, 'DOCKER_HOST says to look there: correct it, or unset it.'];
  }
  if (code === 'EACCES') {
    return ['you may not talk to Docker', `Run \`sudo usermod -aG docker ${userInfo().username}\`, then log out and in again.`];
  }
  if (process.platform === 'darwin') {
    const desktop = join(homedir(), '.docker/run/docker.sock');
    if (existsSync(desktop)) {
      return [
        'Docker is not where programs look for it',
        `Switch on "Allow the default Docker socket" in Docker Desktop, or set DOCKER_HOST=unix://${desktop}`,
      ];
    }
    return existsSync('/Applications/Docker.app')
      ? ['Docker Desktop is not started', 'Start it (`open -a Docker`), and run this again when its whale stands still.']
      : ['Docker is not installed', 'Install Docker Desktop: https://docs.docker.com/desktop/setup/install/mac-install/'];
  }
  if (windows) {
    return find('docker')
      ? ['Docker Desktop is not started', 'Start it, and run this again when it says "Engine running". It needs WSL 2: `wsl --install`.']
      : ['Docker is not installed', 'Install Docker Desktop, with WSL 2: https://docs.docker.com/desktop/setup/install/windows-install/'];
  }
  if (isWsl && !find('dockerd')) {
    return [
      'there is no Docker in this WSL distribution',
      'Start Docker Desktop on Windows and switch on this distribution under Settings, Resources, WSL integration' +
        (isDebian ? '; or run `npm run setup -- --yes` as root or with sudo to install Docker Engine right here.' : '.'),
    ];
  }
  if (find('dockerd')) {
    const start = hasSystemd ? 'sudo systemctl start docker' : 'sudo dockerd';
    return [`Docker is installed but not running (${code})`, `Run \`npm run setup -- --yes\` as root or with sudo, or \`${start}\`.`];
  }
  return isDebian
    ? ['Docker is not installed', installRemedy(['docker.io', 'iptables'])]
    : ['Docker is not installed', 'Install Docker Engine: https://docs.docker.com/engine/install/'];
}

export function kubectlRemedy(version) {
  const what = version ? `kubectl ${version} is too old` : 'kubectl is not installed';
  const where = `Install kubectl ${oldestKubectl.join('.')} or newer: https://kubernetes.io/docs/tasks/tools/`;
  return [what, linux && process.arch === 'x64' ? `Run \`npm run setup\`: it fetches one into .kubekata/bin.` : where];
}

export function kubectlVersion(path) {
  const { stdout } = spawnSync(path, ['version', '--client', '-o', 'json'], { encoding: 'utf8' });
  return /"gitVersion":\s*"v?([^"]+)"/.exec(stdout ?? '')?.[1];
}

export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldMajor, oldMinor] = oldestKubectl;
  return major > oldMajor || (major === oldMajor && minor >= oldMinor);
}
