// A whole cluster for tests, started as a user starts it (`npm start -- --detach`) in a folder of its own, driven with the real
// kubectl. Stopping it is the user's `npm run stop`.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { Client } from '#kit/client';
import { readKubeconfig } from '#kit/kubeconfig';
import { clusterLabel } from '#kit/node/node-container';
import { kubectlPath } from '#kit/testing/kubectl';
import { Timeline } from '#kit/testing/timeline';
import { eventually, type Truthy, type WaitOptions } from '#kit/testing/wait';

export interface CommandOutcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end; never rejects for a code other than 0. */
export function runProgram(
  program: string,
  args: string[],
  { env = {}, input = '' }: { env?: Record<string, string>; input?: string } = {},
): Promise<CommandOutcome> {
  return new Promise((done, reject) => {
    const options = { env: { ...process.env, ...env }, maxBuffer: 64 * 2 ** 20 };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(new Error(`${program} can't be run: ${error.message}`));
      else done({ code: Number(error?.code ?? 0), stdout, stderr });
    });
    child.stdin?.end(input);
  });
}

/** The machine's processes with their arguments: from /proc where there is one, for a bare Linux has no `ps`. */
export async function processes(): Promise<{ pid: number; args: string }[]> {
  if (existsSync('/proc/self/cmdline')) {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const read = async (pid: string) => ({
      pid: Number(pid),
      // A process may end while one looks.
      args: (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' '),
    });
    return (await Promise.all(pids.map(read))).filter(({ args }) => args !== '');
  }
  const { stdout } = await runProgram('ps', ['-eo', 'pid,args']);
  return stdout.split('\n').map((line) => ({ pid: Number.parseInt(line, 10), args: line.trim().replace(/^\d+ /, '') }));
}

export class TestCluster {
  readonly folder: string;
  readonly docker = new Docker();
  /** What the start printed. */
  readonly startOutput: string;
  readonly client: Client;
  readonly #timeline: Timeline;

  private constructor(folder: string, startOutput: string) {
    this.folder = folder;
    this.startOutput = startOutput;
    this.client = new Client(readKubeconfig(this.kubeconfig, 'test'));
    this.#timeline = new Timeline(this.client);
  }

  /** @param flags of `npm start`, e.g. `['--nodes', '1']` */
  static async start(flags: string[] = []): Promise<TestCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'kubekata-'));
    const { code, stdout, stderr } = await runProgram(process.execPath, ['cluster/start.ts', '--detach', '--folder', folder, ...flags]);
    if (code === 0) return new TestCluster(folder, stdout);
    await stopFolder(folder);
    throw new Error(`npm start ended with ${code}:\n${stdout}${stderr}`);
  }

  get kubeconfig(): string {
    return join(this.folder, 'kubeconfig');
  }

  /** The cluster's label on everything it has in Docker. */
  get label(): string {
    const name = /kubekata-[0-9a-f]{4}/.exec(this.startOutput)?.[0];
    if (!name) throw new Error(`the start did not say the cluster's name:\n${this.startOutput}`);
    return `${clusterLabel}=${name}`;
  }

  /** Runs the real kubectl. Its cache goes into the cluster's folder. */
  kubectlOutcome(args: string[], input?: string, environment: Record<string, string> = {}): Promise<CommandOutcome> {
    const env = { KUBECONFIG: this.kubeconfig, KUBECACHEDIR: join(this.folder, 'kubectl-cache'), ...environment };
    return runProgram(kubectlPath(), args, { env, ...(input === undefined ? {} : { input }) });
  }

  /** What kubectl prints; rejects with its error when it fails. `kubectl('get pods')` splits at spaces. */
  async kubectl(command: string | string[], input?: string): Promise<string> {
    const args = typeof command === 'string' ? command.split(' ') : command;
    const { code, stdout, stderr } = await this.kubectlOutcome(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${stderr || stdout}`);
    return stdout;
  }

  /** The names of the cluster's containers in Docker, also of those that ended. */
  async containerNames(): Promise<string[]> {
    const containers = await this.docker.listContainers({ all: true, filters: { label: [this.label] } });
    return containers.map(({ Names }) => (Names[0] ?? '').slice(1)).sort();
  }

  eventually<T>(what: string, check: () => T | Promise<T>, options: WaitOptions = {}): Promise<Truthy<T>> {
    return eventually(what, check, { within: 30_000, story: () => this.#timeline.story(), ...options });
  }

  /** Rejects when a component has ended by a mistake of its own: it is started again, so that nobody else may have noticed. */
  async stop(): Promise<void> {
    await this.#timeline.stop();
    this.client.close();
    const cries = await this.#lastWords();
    await stopFolder(this.folder);
    if (cries.length > 0) throw new Error(`a component ended while the tests went on:\n${cries.join('\n')}`);
  }

  /** What Node says of an error that nobody caught: it is no line of a log, and ends with Node's version. */
  async #lastWords(): Promise<string[]> {
    const folder = join(this.folder, 'logs');
    const logs = await Promise.all(
      (await readdir(folder)).map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })),
    );
    const isCry = (line: string) => line !== '' && !line.startsWith('{');
    return logs
      .filter(({ text }) => /^Node\.js v\d+/m.test(text))
      .map(({ name, text }) => `${name}:\n${text.split('\n').filter(isCry).join('\n')}`);
  }
}

async function stopFolder(folder: string): Promise<void> {
  const { code, stdout, stderr } = await runProgram(process.execPath, ['cluster/stop.ts', '--folder', folder]);
  if (code !== 0) throw new Error(`npm run stop ended with ${code}: ${stdout}${stderr}`);
  await rm(folder, { recursive: true, force: true });
}
