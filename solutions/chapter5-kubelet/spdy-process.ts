// A process on SPDY streams: one for each of its own, one for the terminal's sizes, and one on which a Status says how it ended. The client
// opens all of them, and says of each what it is for.
// Kubernetes: staging/src/k8s.io/kubelet/pkg/cri/streaming/remotecommand/httpstream.go

import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from '#kit/log';
import { failed, statusOf, terminalSize } from './channels.ts';
import type { ContainerProcess, StreamOptions } from './runtime.ts';
import type { SpdyStream } from './spdy.ts';
import { serveSpdy } from './spdy-connection.ts';

/** With it the end is a Status; the versions before it, older than 2016, had words only. */
export const spdyProtocol = 'v4.channel.k8s.io';

const own = ['stdin', 'stdout', 'stderr'] as const;

type Streams = Map<string, SpdyStream>;

/** Resolves when the connection has ended. Never rejects: what goes wrong is told the client. */
export async function serveSpdyProcess(
  connection: Duplex,
  wanted: StreamOptions,
  open: () => Promise<ContainerProcess>,
  log: Logger,
): Promise<void> {
  const types = ['error', ...own.filter((type) => wanted[type]), ...(wanted.tty ? ['resize'] : [])];
  const streams: Streams = new Map();
  const onStream = (stream: SpdyStream) => {
    // Broken connections are no news; the other end of each stream sees it.
    stream.on('error', () => {});
    streams.set(stream.headers.get('streamtype') ?? '', stream);
    if (types.every((type) => streams.has(type)) && streams.size === types.length) void run(connection, streams, open, log);
  };
  await serveSpdy(connection, onStream).catch((error) => log.debug('a client’s connection broke', { error }));
}

async function run(connection: Duplex, streams: Streams, open: () => Promise<ContainerProcess>, log: Logger): Promise<void> {
  const status = await connect(connection, streams, open, log).catch((error) => failed(error));
  const error = streams.get('error');
  if (!error || error.destroyed) return;
  error.end(JSON.stringify(status));
  for (const stream of streams.values()) stream.end();
}

async function connect(connection: Duplex, streams: Streams, open: () => Promise<ContainerProcess>, log: Logger) {
  const process = await open();
  if (connection.destroyed) process.close();
  connection.on('close', () => process.close());
  const [stdin, stdout, stderr, resize] = ['stdin', 'stdout', 'stderr', 'resize'].map((type) => streams.get(type));
  if (stdin) pipeline(stdin, process.stdin).catch((error) => log.debug('a process takes no more input', { error }));
  resize?.on('data', (bytes: Buffer) => {
    const size = terminalSize(String(bytes));
    if (size) process.resize(size).catch((error) => log.debug('a terminal kept its size', { error }));
  });
  await Promise.all([output(process.stdout, stdout), output(process.stderr, stderr)]);
  return statusOf(await process.exitCode());
}

async function output(from: ContainerProcess['stdout'], to: SpdyStream | undefined): Promise<void> {
  if (to) await pipeline(from, to);
  else from.resume();
}
