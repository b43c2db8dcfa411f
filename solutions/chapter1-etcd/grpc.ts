// The edge to gRPC: handlers that take a request and return an answer, errors as gRPC knows them, and the listening server.

import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { ListenAddress, ServingTls } from '#kit/component';
import type { Logger } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import { EtcdError } from './errors.ts';

/** Half a MiB more than the largest command, as in etcd: a request that is a little too large gets etcd's own error. */
const largestMessage = 2 * 1024 * 1024;

/** What gRPC sends when an RPC fails. */
export interface Failure {
  code: status;
  details: string;
}

export class GrpcEdge {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** One request, one answer. */
  unary<Request>(handle: (request: Request) => object | Promise<object>): handleUnaryCall<Request, object> {
    return async (call: ServerUnaryCall<Request, object>, callback: sendUnaryData<object>) => {
      try {
        callback(null, await handle(call.request));
      } catch (error) {
        callback(this.failure(error));
      }
    };
  }

  /** One request, many answers. They are asked for as the client takes them. */
  streaming<Request>(answers: (request: Request) => AsyncIterable<object>) {
    return async (stream: ServerWritableStream<Request, object>) => {
      try {
        for await (const answer of answers(stream.request)) {
          if (!stream.write(answer)) await roomIn(stream);
          if (stream.cancelled) return;
        }
        stream.end();
      } catch (error) {
        stream.emit('error', this.failure(error));
      }
    };
  }

  /** Many requests and answers; `handle` is called for each request. An error ends the stream. */
  onEach<Request>(stream: ServerDuplexStream<Request, object>, handle: (request: Request) => void): void {
    stream.on('data', (request: Request) => this.guard(stream, () => handle(request)));
    stream.on('end', () => stream.end());
    stream.on('error', (error) => this.#log.debug('a stream broke', { error }));
  }

  /** Runs `act`; what it throws ends the stream with a status that says it. */
  guard(stream: ServerDuplexStream<unknown, object>, act: () => void): void {
    try {
      act();
    } catch (error) {
      stream.emit('error', this.failure(error));
    }
  }

  failure(error: unknown): Failure {
    if (error instanceof EtcdError) return { code: error.code, details: error.message };
    if (error instanceof NotImplemented) return { code: status.UNIMPLEMENTED, details: error.message };
    this.#log.error('a request failed unexpectedly', { error, stack: error instanceof Error ? error.stack : undefined });
    return { code: status.INTERNAL, details: `etcdserver: ${error instanceof Error ? error.message : error}` };
  }
}

/** Resolves when the client has taken what was written, or is gone. */
function roomIn(stream: ServerWritableStream<unknown, object>): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done).off('cancelled', done);
      resolve();
    };
    stream.on('drain', done).on('cancelled', done);
  });
}

export interface GrpcServer {
  port: number;
  stop(): void;
}

/** @throws Error if the address is taken */
export async function listen(
  services: [ServiceDefinition, UntypedServiceImplementation][],
  { host, port }: ListenAddress,
  tls: ServingTls | undefined,
): Promise<GrpcServer> {
  const server = new Server({ 'grpc.max_receive_message_length': largestMessage, 'grpc.max_send_message_length': -1 });
  for (const [definition, implementation] of services) server.addService(definition, implementation);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, credentials(tls), (error, boundPort) => {
      if (error) reject(new Error(`cannot listen on ${host}:${port}; is another server running there?`, { cause: error }));
      else resolve(boundPort);
    });
  });
  return { port: bound, stop: () => server.forceShutdown() };
}

function credentials(tls: ServingTls | undefined): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  const { cert, key, clientCa } = tls;
  const keyPair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
  return ServerCredentials.createSsl(clientCa ? Buffer.from(clientCa) : null, [keyPair], clientCa !== undefined);
}
