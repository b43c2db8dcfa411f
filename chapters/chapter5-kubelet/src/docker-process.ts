// A process in a Docker container with its streams: one that is started beside the container's own (exec), or the container's own
// (attach). Docker gives one connection for all streams; the end of what is written to it ends the input only.
// Kubernetes: pkg/kubelet/dockershim/exec.go (until 1.23)

import { type Duplex, PassThrough, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type Docker from 'dockerode';
import type { Clock } from '#kit/clock';
import { frameReader } from './docker-logs.ts';
import type { ContainerProcess, StreamOptions, TerminalSize } from './runtime.ts';

const firstLookAfterMs = 10;
const lookAtLeastEveryMs = 1_000;

export async function execInContainer(
  container: Docker.Container,
  command: string[],
  { stdin, stdout, stderr, tty }: StreamOptions,
  clock: Clock,
): Promise<ContainerProcess> {
  const attached = { AttachStdin: stdin, AttachStdout: stdout, AttachStderr: stderr, Tty: tty };
  const exec = await container.exec({ Cmd: command, ...attached });
  const connection = await exec.start({ hijack: true, stdin: true, Tty: tty });
  const stopped = new AbortController();
  return {
    ...streamsOf(connection, tty),
    resize: ({ width, height }) => exec.resize({ w: width, h: height }),
    exitCode: () => exitCodeOf(exec, clock, stopped.signal),
    close: () => {
      stopped.abort();
      connection.destroy();
    },
  };
}

/** Throws for a container that does not run, or ends while it is attached to: what it wrote is in its log. */
export async function attachToContainer(container: Docker.Container, { stdin, stdout, stderr }: StreamOptions): Promise<ContainerProcess> {
  const connection = (await container.attach({ stream: true, hijack: true, stdin, stdout, stderr })) as Duplex;
  const { Config, State } = await container.inspect();
  // Docker attaches to a container that has ended, too, and waits for it to be started again.
  if (!State.Running) {
    connection.destroy();
    throw new Error(`the container is not running: ${State.Status}`);
  }
  const streams = streamsOf(connection, Config.Tty);
  return {
    ...streams,
    stdin: Config.StdinOnce ? streams.stdin : withoutEnd(streams.stdin),
    resize: ({ width, height }: TerminalSize) => container.resize({ w: width, h: height }),
    // The pod's status says how the container ended; the connection ended well.
    exitCode: async () => 0,
    close: () => connection.destroy(),
  };
}

/** With a terminal the output comes as it is, else in frames. */
function streamsOf(connection: Duplex, tty: boolean): Pick<ContainerProcess, 'stdin' | 'stdout' | 'stderr'> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const read = tty ? (chunk: Buffer) => [{ stream: 1, data: chunk }] : frameReader();
  const copy = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) for (const { stream, data } of read(chunk)) await write(stream === 2 ? stderr : stdout, data);
  };
  pipeline(connection, copy).then(
    () => [stdout, stderr].map((output) => output.end()),
    (error) => [stdout, stderr].map((output) => output.destroy(error)),
  );
  // Whoever reads or writes at that moment hears of a connection that breaks. Where nobody does, it is nobody's failure.
  for (const stream of [connection, stdout, stderr]) stream.on('error', () => {});
  return { stdin: connection, stdout, stderr };
}

/** Docker hangs up at the end of the input, unless the container's own input ends with it: there is still output to come. */
function withoutEnd(input: Writable): Writable {
  const kept = new PassThrough();
  kept.pipe(input, { end: false });
  return kept;
}

/** Resolves when there is room for more. */
function write(output: Writable, data: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(data, (error) => (error ? reject(error) : resolve()));
  });
}

/** Docker says that the output has ended a little before it says that the process has. */
async function exitCodeOf(exec: Docker.Exec, clock: Clock, signal: AbortSignal): Promise<number> {
  for (let wait = firstLookAfterMs; ; wait = Math.min(wait * 2, lookAtLeastEveryMs)) {
    const { Running, ExitCode } = await exec.inspect();
    if (!Running) return ExitCode ?? 0;
    await clock.sleep(wait, signal);
    signal.throwIfAborted();
  }
}
