// The connection to etcd, through the `etcd3` client. A call that could not leave, because its member is not there, goes to the
// next member. Nothing else is retried: a write whose answer was lost may have happened, and only the caller knows whether doing it
// twice is right.

import { handleWhen, noop, retry } from 'cockatiel';
import { Etcd3, EtcdError, GRPCGenericError, GRPCOutOfRangeError } from 'etcd3';
import { systemClock } from '#kit/clock';
import type { ClientTls } from '#kit/component';
import { ApiError, failure } from '#kit/status';
import { expired, tooLargeRevision, unavailable } from './errors.ts';

const answerWithinMs = 5000;

export function connectEtcd(servers: string[], tls?: ClientTls): Etcd3 {
  return new Etcd3({
    hosts: servers,
    ...(tls ? { credentials: credentials(tls) } : {}),
    // A deadline is a matter between two machines' sockets: it is in real time, even where a test's clock stands still.
    defaultCallOptions: ({ isStream }) => (isStream ? {} : { deadline: systemClock.now() + answerWithinMs }),
    // etcd3's own breaker would refuse calls for seconds after etcd is back.
    faultHandling: { host: () => noop, global: retry(handleWhen(neverLeft), { maxAttempts: servers.length - 1 }) },
    grpcOptions: { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1000, 'grpc.max_receive_message_length': -1 },
  });
}

/** Whether a call failed before any of it was sent: grpc-js has no code for that, only words. */
function neverLeft(error: Error): boolean {
  return /No connection established|Channel closed before call started/.test(error.message);
}

function credentials({ ca, cert, key }: ClientTls) {
  return {
    rootCertificate: Buffer.from(ca),
    ...(cert && key ? { certChain: Buffer.from(cert), privateKey: Buffer.from(key) } : {}),
  };
}

/** Runs a call to etcd; what goes wrong becomes the answer a client of the API can understand. */
export async function callEtcd<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw translate(error);
  }
}

function translate(error: unknown): unknown {
  if (error instanceof GRPCOutOfRangeError) return error.message.includes('compacted') ? expired(0, 0) : tooLargeRevision(0, 0);
  if (!isEtcdError(error)) return error;
  // The object is too large for etcd, though not for HTTP. Upstream has no reason for it, either.
  const [tooLarge] = /etcdserver: request is too large|message larger than max.*/.exec(error.message) ?? [];
  if (tooLarge) return new ApiError(failure(500, '', tooLarge));
  // grpc-js wraps what went wrong on the connection into words of its own.
  const [, cause = error.message] = /Last error: (?:Error: )?(.*?)\. Resolution note/.exec(error.message) ?? [];
  return unavailable(`etcd does not answer, so nothing can be read or written now: ${cause}`);
}

/** Whether etcd, or the way to it, is what went wrong. */
export function isEtcdError(error: unknown): error is Error {
  return error instanceof EtcdError || error instanceof GRPCGenericError;
}
