// A leader's state on its way to a follower that is far behind. It has a stream of its own: heartbeats and entries for that follower go
// past it, and so does everything else that the leader does, because each piece is made only when the one before has left.
//
//   the message │ a piece of the state │ … │ an empty piece: that was all
//
// etcd: server/etcdserver/api/rafthttp/snapshot_sender.go

import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Client, Metadata, ServerReadableStream } from '@grpc/grpc-js';
import { inOnePiece } from '../codec.ts';
import { breath } from '../snapshot-file.ts';
import type { Message, MessageOf } from './messages.ts';
import { installMethod, sameBytes } from './peer-rpc.ts';
import { decodeMessage, encodeMessage } from './wire.ts';

/** Resolves when the peer has all of it. @throws Error if it has not, or `signal` was aborted */
export async function sendState(client: Client, message: MessageOf<'snapshot'>, credentials: Metadata, signal: AbortSignal): Promise<void> {
  const received = Promise.withResolvers<void>();
  const stream = client.makeClientStreamRequest(installMethod.path, sameBytes, sameBytes, credentials, (error) => {
    if (error) received.reject(error);
    else received.resolve();
  });
  const abort = () => stream.cancel();
  signal.addEventListener('abort', abort);
  try {
    await Promise.all([pipeline(Readable.from(framesOf(message)), stream as Writable), received.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    stream.cancel();
  }
}

/** @throws Error if its end is missing */
export async function receiveState(stream: ServerReadableStream<Buffer, Buffer>): Promise<Message> {
  let message: MessageOf<'snapshot'> | undefined;
  const pieces: Buffer[] = [];
  let isWhole = false;
  for await (const frame of stream as AsyncIterable<Buffer>) {
    if (!message) message = decodeMessage(frame) as MessageOf<'snapshot'>;
    else if (frame.length > 0) pieces.push(frame);
    else isWhole = true;
  }
  if (!message || !isWhole) throw new Error('the stream broke off');
  return { ...message, snapshot: { ...message.snapshot, data: inOnePiece(pieces) } };
}

async function* framesOf(message: MessageOf<'snapshot'>): AsyncGenerator<Buffer> {
  yield encodeMessage(message);
  for (const piece of message.state ?? []) {
    yield piece;
    await breath();
  }
  yield Buffer.alloc(0);
}
