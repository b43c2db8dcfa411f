// Which process runs the cluster of a folder: written when it starts, removed when it has stopped.

import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Layout } from '#cluster/layout';

/** The pid of the process that runs the folder's cluster, or undefined when none does. */
export function runningCluster({ record }: Layout): number | undefined {
  let pid: number;
  try {
    pid = (JSON.parse(readFileSync(record, 'utf8')) as { pid: number }).pid;
  } catch {
    return undefined;
  }
  return isClusterProcess(pid) ? pid : undefined;
}

export function recordCluster({ record }: Layout): void {
  writeFileSync(record, `${JSON.stringify({ pid: process.pid })}\n`);
}

export function forgetCluster({ record }: Layout): void {
  rmSync(record, { force: true });
}

/** Process ids are used again: another program with this pid is not the cluster. */
function isClusterProcess(pid: number): boolean {
  try {
    return commandOf(pid).includes('cluster/start.ts');
  } catch {
    return false;
  }
}

/** The command line of a process; throws when there is none. A bare Linux has no `ps`, and Windows has neither. */
function commandOf(pid: number): string {
  if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  if (process.platform !== 'win32') return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
  const query = `(Get-CimInstance Win32_Process -Filter "ProcessId=${pid}").CommandLine`;
  return execFileSync('powershell', ['-NoProfile', '-Command', query], { encoding: 'utf8' }).replaceAll('\\', '/');
}
