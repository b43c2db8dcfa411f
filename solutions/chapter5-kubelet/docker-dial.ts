// A connection to a port in a pod, from within the pod's network: `nc`, run in the container that is the node. Whether anybody listens there is
// known before the first byte is sent.
// In Kubernetes the container runtime does this: containerd, internal/cri/server/sandbox_portforward_linux.go

import { once } from 'node:events';
import { isIPv4 } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type Docker from 'dockerode';
import type { Clock } from '#kit/clock';
import { execInContainer } from './docker-process.ts';
import type { ContainerProcess } from './runtime.ts';

/** Is written to the standard error when the port is there, before anything else. */
const reached = '+';
// What is listed is not disturbed: many a server takes one connection and no second. What is not listed may still answer, by way of a rule of
// iptables; and where it doesn't, nc says why.
const script = `grep -qsE "$1" /proc/net/tcp /proc/net/tcp6 || nc "$2" "$3" -e true || exit 1; printf ${reached} >&2; exec nc "$2" "$3"`;

/** @param pid a process in the pod's network. Rejects when the port can't be reached, in the words that people know from Kubernetes. */
export async function dialInNetwork(
  node: Docker.Container,
  pid: number,
  host: string,
  port: number,
  clock: Clock,
): Promise<ContainerProcess> {
  const command = ['nsenter', '-t', `${pid}`, '-n', 'sh', '-c', script, 'sh', listening(host, port), host, `${port}`];
  const process = await execInContainer(node, command, { stdin: true, stdout: true, stderr: true, tty: false }, clock);
  const first = await firstByte(process.stderr);
  if (first === reached) return process;
  const complaint = first + (await text(process.stderr));
  process.close();
  throw new Error(`dial tcp ${host.includes(':') ? `[${host}]` : host}:${port}: ${inGosWords(complaint)}`);
}

/** '' when there is none. */
async function firstByte(stream: Readable): Promise<string> {
  await Promise.race([once(stream, 'readable'), once(stream, 'end')]);
  return String(stream.read(1) ?? '');
}

/** `nc: can't connect to remote host (10.244.1.7): Connection refused` */
function inGosWords(complaint: string): string {
  const [, why] = /can't connect .*: (.*)$/m.exec(complaint) ?? [];
  return why ? `connect: ${why.toLowerCase()}` : complaint.trim() || 'the connection broke';
}

/**
 * How a socket that takes connections to this address is listed in /proc/net/tcp and tcp6: `0: 0704F40A:1F90 00000000:0000 0A …`, the
 * address byte by byte from behind, and 0A for "it listens".
 */
export function listening(host: string, port: number): string {
  const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0');
  const bytes = host.split('.').map((byte) => hex(Number(byte), 2));
  const own = bytes.reverse().join('');
  const addresses = isIPv4(host) ? `0{8}|0{32}|(0{16}F{4}0{4})?${own}` : '[0-9A-F]{32}';
  return `: (${addresses}):${hex(port, 4)} 0+:0000 0A `;
}
