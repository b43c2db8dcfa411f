// The real kubectl, against a test's control plane: the one that KATA_KUBECTL names (`npm run test:clients` sets it), else
// `.kubekata/bin/kubectl` if it is there, else the one on the PATH.
// It gets a kubeconfig, a home and a cache of its own in a temporary folder; nothing of yours is read or written.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeKubeconfig } from '#kit/kubeconfig';
import { NotImplemented } from '#kit/not-implemented';
import type { TestControlPlane } from '#kit/testing/control-plane';
import { withDeadline } from '#kit/testing/wait';

export class KubectlFailed extends Error {
  readonly exitCode: number | null;
  readonly stderr: string;

  constructor(args: string[], exitCode: number | null, stderr: string) {
    super(`kubectl ${args.join(' ')}\nended with exit code ${exitCode} and said:\n${stderr}`);
    this.name = 'KubectlFailed';
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

export interface KubectlOptions {
  /** What kubectl reads with `-f -`. */
  stdin?: string | object;
  /** Milliseconds. */
  within?: number;
}

export interface Kubectl {
  /** Standard output. Rejects with KubectlFailed; with NotImplemented when a stage that is not written yet was hit on the way. */
  (args: string[], options?: KubectlOptions): Promise<string>;
  /** The same, with what kubectl warned of on standard error. */
  withWarnings(args: string[], options?: KubectlOptions): Promise<{ stdout: string; stderr: string }>;
  /** Removes the temporary folder. */
  dispose(): Promise<void>;
}

/** kubectl as a user of this control plane; a cluster admin by default. */
export async function kubectlFor(plane: TestControlPlane, user = 'admin', groups = ['system:masters']): Promise<Kubectl> {
  const home = await mkdtemp(join(tmpdir(), 'kubekata-kubectl-'));
  const kubeconfig = join(home, 'kubeconfig');
  const identity = await plane.issue(user, groups);
  await writeFile(kubeconfig, writeKubeconfig({ name: 'test', server: plane.serverUrl, ca: plane.ca, ...identity }), { mode: 0o600 });
  const always = ['--kubeconfig', kubeconfig, '--cache-dir', join(home, 'cache')];

  const withWarnings: Kubectl['withWarnings'] = async (args, { stdin = '', within = 10_000 } = {}) => {
    const input = typeof stdin === 'string' ? stdin : JSON.stringify(stdin);
    const running = run([...always, ...args], home, input);
    const { exitCode, stdout, stderr } = await withDeadline(`kubectl ${args.join(' ')}`, running.ended, { within }).catch((error) => {
      running.kill();
      throw error;
    });
    // kubectl has fall-backs for much of what a server may lack: it must not talk a stage green.
    if (NotImplemented.first) throw NotImplemented.first;
    if (exitCode !== 0) throw new KubectlFailed(args, exitCode, stderr);
    return { stdout, stderr };
  };
  const kubectl = async (args: string[], options?: KubectlOptions) => (await withWarnings(args, options)).stdout;
  return Object.assign(kubectl, { withWarnings, dispose: () => rm(home, { recursive: true, force: true }) });
}

interface Ended {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

function run(args: string[], home: string, input: string): { ended: Promise<Ended>; kill(): void } {
  const child = spawn(kubectlPath(), args, { env: { PATH: process.env.PATH, HOME: home, KUBECONFIG: '' } });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += chunk));
  child.stderr.on('data', (chunk) => (output.stderr += chunk));
  child.stdin.on('error', () => {}); // It may have ended without reading; its exit code says why.
  child.stdin.end(input);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ENOENT' ? missing() : error));
    child.on('close', (exitCode) => resolve({ exitCode, ...output }));
  });
  return { ended, kill: () => child.kill('SIGKILL') };
}

/** The kubectl that is to be tested, or that set-up fetched, or the machine's. */
export function kubectlPath(): string {
  if (process.env.KATA_KUBECTL) return process.env.KATA_KUBECTL;
  const own = join(process.cwd(), '.kubekata', 'bin', 'kubectl');
  return existsSync(own) ? own : 'kubectl';
}

function missing(): Error {
  return new Error('there is no kubectl on this machine: put one (1.31 or newer) on the PATH or at .kubekata/bin/kubectl');
}
