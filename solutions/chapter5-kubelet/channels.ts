// One WebSocket that carries several streams: the first byte of every message says which. Input and terminal sizes come in,
// output goes out, and the last message is a Status that says how it ended. Whoever is slow slows the other side down.
// Kubernetes: staging/src/k8s.io/apimachinery/pkg/util/remotecommand/constants.go; pkg/kubelet/cri/streaming/remotecommand

import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WebSocket } from 'ws';
import type { Clock } from '#kit/clock';
import type { Logger } from '#kit/log';
import { failure, type Status } from '#kit/status';
import type { ContainerProcess, StreamOptions, TerminalSize } from './runtime.ts';

/** Best first. Only the fifth version can say that the input has ended. */
export const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;
/** A client that vanished is noticed when something is sent to it, and a quiet process sends nothing. */
const pingEveryMs = 5_000;

/** Opens the process and connects it; resolves when one of both has ended. Never rejects: what goes wrong is told the client. */
export async function serveProcess(
  socket: WebSocket,
  wanted: StreamOptions,
  open: () => Promise<ContainerProcess>,
  { clock, log }: { clock: Clock; log: Logger },
): Promise<void> {
  // What the client sends now waits in the connection.
  socket.pause();
  const ping = clock.every(pingEveryMs, () => socket.ping());
  socket.on('close', () => ping.cancel());
  socket.on('error', (error) => log.debug('a client’s WebSocket broke', { error }));
  const status = await run(socket, wanted, open, log).catch((error) => failed(error));
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(message(channel.error, Buffer.from(JSON.stringify(status))));
  socket.close(1000);
  // The client's own goodbye must be heard, even if its input was not.
  socket.resume();
}

async function run(socket: WebSocket, wanted: StreamOptions, open: () => Promise<ContainerProcess>, log: Logger): Promise<Status> {
  const process = await open();
  socket.on('close', () => process.close());
  if (socket.readyState !== WebSocket.OPEN) process.close();
  // Tells clients that wait for it that the streams are there.
  if (wanted.stdout || wanted.stderr) socket.send(message(wanted.stdout ? channel.stdout : channel.stderr));
  receive(socket, process, wanted, log);
  socket.resume();
  await Promise.all([pipeline(process.stdout, sender(socket, channel.stdout)), pipeline(process.stderr, sender(socket, channel.stderr))]);
  return statusOf(await process.exitCode());
}

function receive(socket: WebSocket, process: ContainerProcess, wanted: StreamOptions, log: Logger): void {
  const { stdin } = process;
  let resized: Promise<void> = Promise.resolve();
  stdin.on('drain', () => socket.resume());
  stdin.on('error', (error) => log.debug('a process takes no more input', { error }));
  socket.on('message', (data: Buffer) => {
    const content = data.subarray(1);
    if (data[0] === channel.stdin && wanted.stdin && stdin.writable) {
      if (!stdin.write(content)) socket.pause();
    } else if (data[0] === channel.close && content[0] === channel.stdin) {
      stdin.end();
    } else if (data[0] === channel.resize) {
      const size = terminalSize(content.toString());
      // One after the other: the last one counts.
      if (size) resized = resized.then(() => process.resize(size)).catch((error) => log.debug('a terminal kept its size', { error }));
    }
  });
}

/** Each chunk waits until the one before it is out. */
function sender(socket: WebSocket, to: number): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => socket.send(message(to, chunk), done),
  });
}

function message(to: number, content: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([Buffer.of(to), content]);
}

/** `{"Width":80,"Height":24}`; undefined for anything else. */
export function terminalSize(text: string): TerminalSize | undefined {
  const [width, height] = ['Width', 'Height'].map((name) => Number(new RegExp(`"${name}":\\s*(\\d+)`).exec(text)?.[1]));
  return width && height ? { width, height } : undefined;
}

/** How a process ended, as the client's library reads it: the exit code is the one cause. */
export function statusOf(exitCode: number): Status {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}

/** What went wrong before there was a process. */
export function failed(error: unknown): Status {
  return failure(500, 'InternalError', `Internal error occurred: ${error instanceof Error ? error.message : error}`);
}
