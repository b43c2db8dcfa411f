// What every process tells of itself, under the names that all of Prometheus' clients use.
// https://prometheus.io/docs/instrumenting/writing_clientlibs, "Process metrics"

import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '#kit/clock';

/** @returns what tells the numbers anew at each call */
export function processMetrics(clock: Clock): () => string {
  const startedAt = clock.now() / 1000 - process.uptime();
  return () => {
    const { user, system } = process.cpuUsage();
    return [
      ...metric('process_cpu_seconds_total', 'counter', 'Total user and system CPU time spent in seconds.', (user + system) / 1e6),
      ...metric('process_resident_memory_bytes', 'gauge', 'Resident memory size in bytes.', process.memoryUsage.rss()),
      ...metric('process_start_time_seconds', 'gauge', 'Start time of the process since unix epoch in seconds.', startedAt),
      ...onLinux(),
      '',
    ].join('\n');
  };
}

function metric(name: string, type: string, help: string, value: number): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${value}`];
}

/** Elsewhere there is no /proc to read this from, and it is left out. */
function onLinux(): string[] {
  try {
    const openFiles = readdirSync('/proc/self/fd').length;
    const [, maximum] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    const [, virtualKilobytes] = /^VmSize:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
    return [
      ...metric('process_open_fds', 'gauge', 'Number of open file descriptors.', openFiles),
      ...(maximum ? metric('process_max_fds', 'gauge', 'Maximum number of open file descriptors.', Number(maximum)) : []),
      ...(virtualKilobytes
        ? metric('process_virtual_memory_bytes', 'gauge', 'Virtual memory size in bytes.', Number(virtualKilobytes) * 1024)
        : []),
    ];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
