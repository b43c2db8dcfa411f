// Remote procedure calls as the services see them, whatever carries them: a method takes a request and answers, or holds a conversation.
// A `Transport` speaks gRPC on connections that it is handed (`grpc-js.ts`, and leaner `lean-grpc.ts`); no service knows which one.

import type { Socket } from 'node:net';
import { type ServiceDefinition, status } from '@grpc/grpc-js';
import type { Logger } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import { EtcdError } from './errors.ts';

/** Half a MiB more than the largest command, as in etcd: a request that is a little too large gets etcd's own error. */
export const largestMessage = 2 * 1024 * 1024;

/** The field of a request's metadata that says `true` if the client requires a leader. */
export const requiresLeaderField = 'hasleader';

/** What gRPC sends when an RPC fails. */
export interface Failure {
  code: status;
  details: string;
}

/** Requests and answers in both directions, until one side ends it. Handlers are set before anything can call them. */
export interface Conversation<Request> {
  /** The client would rather be told that nobody leads than wait in silence (in Go: `clientv3.WithRequireLeader`). */
  readonly requiresLeader: boolean;
  send(answer: object): void;
  /** False: the client is slow; `onRoom` is called when it has caught up. */
  readonly hasRoom: boolean;
  onRequest(handle: (request: Request) => void): void;
  onRoom(handle: () => void): void;
  /** Called once: the client has said all it wanted, has cancelled, or is gone. */
  onClose(handle: () => void): void;
  /** Ends it with a status that says why. */
  fail(failure: Failure): void;
}

// biome-ignore lint/suspicious/noExplicitAny: a transport hands every method what that method's own type decodes
type AnyRequest = any;

export type Method =
  | { kind: 'unary'; handle(request: AnyRequest): object | Promise<object> }
  | { kind: 'streaming'; answers(request: AnyRequest): AsyncIterable<object> }
  | { kind: 'conversation'; open(conversation: Conversation<AnyRequest>): void; encoder?: Encoder };

/** Makes a quicker encoder of the usual one. */
export type Encoder = (serialize: (answer: object) => Buffer) => (answer: object) => Buffer;

export type Methods = Record<string, Method>;

/** A method with all that a transport needs to serve it. */
export interface Rpc {
  /** `/etcdserverpb.KV/Put` */
  path: string;
  method: Method;
  decode(bytes: Buffer): object;
  encode(answer: object): Buffer;
}

export interface Transport {
  /** Takes over a paused connection on which a client begins to speak HTTP/2. */
  accept(socket: Socket): void;
  /** Cuts all connections. */
  stop(): void;
}

export interface TransportOptions {
  rpcs: Rpc[];
  failureOf: (error: unknown) => Failure;
  /** Called once an RPC. */
  onHandled: (rpc: Rpc, code: status) => void;
}

/** @throws TypeError if a service has a method that its definition does not have */
export function rpcsOf(services: [ServiceDefinition, Methods][]): Rpc[] {
  return services.flatMap(([definition, methods]) =>
    Object.entries(methods).map(([name, method]) => {
      const defined = definition[name];
      if (!defined) throw new TypeError(`the protocol has no method ${name}`);
      const { path, requestDeserialize: decode, responseSerialize } = defined;
      const encode = method.kind === 'conversation' && method.encoder ? method.encoder(responseSerialize) : responseSerialize;
      return { path, method, decode, encode };
    }),
  );
}

export class GrpcEdge {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** One request, one answer. */
  unary<Request>(handle: (request: Request) => object | Promise<object>): Method {
    return { kind: 'unary', handle };
  }

  /** One request, many answers. They are asked for as the client takes them. */
  streaming<Request>(answers: (request: Request) => AsyncIterable<object>): Method {
    return { kind: 'streaming', answers };
  }

  /** Many requests and answers. What a handler set by `open` throws ends the conversation. */
  conversation<Request>(open: (conversation: Conversation<Request>) => void, encoder?: Encoder): Method {
    return { kind: 'conversation', open, ...(encoder ? { encoder } : {}) };
  }

  /** Runs `act`; what it throws ends the conversation with a status that says it. */
  guard(conversation: Pick<Conversation<never>, 'fail'>, act: () => void): void {
    try {
      act();
    } catch (error) {
      conversation.fail(this.failure(error));
    }
  }

  failure(error: unknown): Failure {
    if (error instanceof EtcdError) return { code: error.code, details: error.message };
    if (error instanceof NotImplemented) return { code: status.UNIMPLEMENTED, details: error.message };
    this.#log.error('a request failed unexpectedly', { error, stack: error instanceof Error ? error.stack : undefined });
    return { code: status.INTERNAL, details: `etcdserver: ${error instanceof Error ? error.message : error}` };
  }
}
