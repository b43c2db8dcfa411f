// npm run doctor: what the course needs, looked at; nothing is changed. Each miss says its remedy. Ends with 1 when something that is
// needed is missing. Plain JavaScript without packages, like set-up, because it must run where they are missing.

import { spawnSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, freemem, totalmem } from 'node:os';
import {
  askDaemon,
  dockerRemedy,
  find,
  isNewEnough,
  isWsl,
  kubectlRemedy,
  kubectlVersion,
  linux,
  nodeProblem,
  packagesProblem,
  root,
  windows,
} from './machine.mjs';

const gib = 2 ** 30;
/** Packages, images and a cluster's data take about half of it. */
const leastDisk = 2 * gib;
/** A cluster's ten processes take about 1 GiB, tests as much again. */
const leastMemory = 3 * gib;
/** The node port of the README's example. */
const examplePort = 30080;

let misses = 0;
const good = (name, text) => console.log(`✓ ${name.padEnd(10)} ${text}`);
const note = (name, text) => console.log(`· ${name.padEnd(10)} ${text}`);
const miss = (name, [what, remedy]) => {
  console.log(`✗ ${name.padEnd(10)} ${what}\n  ${''.padEnd(10)} ${remedy}`);
  misses++;
};
const size = (bytes) => `${(bytes / gib).toFixed(1)} GiB`;

function checkNode() {
  const problem = nodeProblem();
  if (problem) miss('Node', problem);
  else good('Node', process.versions.node);
  const [, version] = /npm\/(\S+)/.exec(process.env.npm_config_user_agent ?? '') ?? [];
  if (version) good('npm', version);
  const stale = packagesProblem();
  if (stale) miss('packages', stale);
  else good('packages', 'those of package-lock.json');
}

function checkGit() {
  const { stdout, error } = spawnSync('git', ['--version'], { encoding: 'utf8' });
  if (error)
    miss('git', ['git is not installed', 'Install it: https://git-scm.com/downloads. The diff and the update of `npm run kata` need it.']);
  else good('git', stdout.replace('git version', '').trim());
}

async function checkDocker() {
  const daemon = await askDaemon();
  if (!daemon.version) {
    miss('Docker', dockerRemedy(daemon));
    note('', 'Without Docker, `npm start -- --runtime hollow` runs a cluster whose containers only pretend to run.');
    return;
  }
  good('Docker', `Engine ${daemon.version}`);
  const {
    CgroupVersion: version,
    CgroupDriver: driver,
    Warnings: warnings,
    MemTotal: memory,
    MemoryLimit: limits,
  } = await askDaemon('/info');
  if (driver === 'none' || limits === false) {
    const remedy =
      'Containers run, but their limits do not hold. Rootless Docker needs cgroup v2 with systemd: https://docs.docker.com/engine/security/rootless/';
    miss('cgroups', ['Docker cannot limit memory', remedy]);
  } else good('cgroups', `version ${version ?? 1}, by ${driver}`);
  const left = await leftByTests();
  if (left > 0) note('', 'Interrupted tests left containers behind: `npm run stop` removes them; so does the next such test.');
  for (const warning of warnings ?? []) note('', `Docker says: ${warning}`);
  if (memory && memory < leastMemory && memory < totalmem() * 0.9) {
    note('', `Docker has ${size(memory)} of memory. Give it ${size(leastMemory)} or more in Docker Desktop's settings, Resources.`);
  }
}

/** How many of the clusters that tests make nobody will remove. Without packages there can be none yet. */
async function leftByTests() {
  if (packagesProblem() || !process.features.typescript) return 0;
  const [{ default: Docker }, { abandonedClusters }] = await Promise.all([import('dockerode'), import('../cluster/test-clusters.ts')]);
  return (await abandonedClusters(new Docker())).length;
}

function checkKubectl() {
  const path = find('kubectl');
  const version = path && kubectlVersion(path);
  if (version && isNewEnough(version)) good('kubectl', version);
  else miss('kubectl', kubectlRemedy(version));
}

async function checkPort() {
  const server = createServer();
  const problem = await new Promise((resolve) => {
    server.once('error', resolve);
    server.listen(examplePort, '127.0.0.1', () => server.close(() => resolve(undefined)));
  });
  if (!problem) good('ports', `${examplePort} is free; all others are chosen when they are needed`);
  else
    note('ports', `${examplePort} is taken, perhaps by a cluster of yours: the README's example of a Service uses it (${problem.code}).`);
}

function checkRoom() {
  const { bavail, bsize } = statfsSync(root);
  const free = bavail * bsize;
  if (free >= leastDisk) good('disk', `${size(free)} free`);
  else miss('disk', [`only ${size(free)} free`, `Make room for ${size(leastDisk)}. \`docker system df\` shows what Docker takes.`]);
  const memory = `${size(totalmem())}, ${size(freemem())} of it free; ${cpus().length} processors`;
  if (totalmem() >= leastMemory) good('memory', memory);
  else miss('memory', [memory, `A cluster and its tests take ${size(leastMemory)}. \`npm start -- --nodes 1\` takes less.`]);
}

function describeSystem() {
  if (isWsl) {
    note('system', 'WSL');
    if (/^\/mnt\/[a-z]\//.test(root)) {
      note(
        '',
        'This folder is on a Windows disk: slow, and `npm run kata` must look for saves itself. Clone into your Linux home instead.',
      );
    }
  } else if (windows) {
    note('system', 'Windows: kube-proxy and some tests need Linux. Inside WSL 2 (`wsl --install`) everything works.');
  } else if (process.platform === 'darwin') {
    const rosetta = spawnSync('sysctl', ['-n', 'sysctl.proc_translated'], { encoding: 'utf8' }).stdout?.trim() === '1';
    note(
      'system',
      `macOS on ${process.arch === 'arm64' || rosetta ? 'Apple silicon' : 'Intel'}: containers run in the Linux machine of Docker Desktop`,
    );
    if (rosetta) note('', 'This Node is built for Intel and runs translated: install the arm64 one, it is much faster.');
  } else note('system', `${linux ? 'Linux' : process.platform} on ${process.arch}`);
}

describeSystem();
checkNode();
checkGit();
await checkDocker();
checkKubectl();
await checkPort();
checkRoom();
if (misses === 0) console.log('\nAll there. Next: npm run kata');
else console.log(`\n${misses === 1 ? 'One thing is' : `${misses} things are`} missing: see the lines with ✗.`);
process.exitCode = misses === 0 ? 0 : 1;
