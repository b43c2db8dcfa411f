// gRPC by the usual library: `@grpc/grpc-js` on Node's HTTP/2. Everything that one would expect, at the price of many layers.

import {
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import {
  type Conversation,
  type Failure,
  largestMessage,
  type Method,
  type Rpc,
  requiresLeaderField,
  type Transport,
  type TransportOptions,
} from './rpc.ts';

type Handler = (call: never, callback: never) => unknown;
type Finish = (failure?: Failure) => void;
type MethodOf<Kind extends Method['kind']> = Extract<Method, { kind: Kind }>;

export function createGrpcJsTransport({ rpcs, failureOf, onHandled }: TransportOptions): Transport {
  const server = new Server({ 'grpc.max_receive_message_length': largestMessage, 'grpc.max_send_message_length': -1 });
  const definitions: Record<string, MethodDefinition<object, object>> = {};
  const handlers: Record<string, Handler> = {};
  for (const rpc of rpcs) {
    definitions[rpc.path] = definitionOf(rpc);
    handlers[rpc.path] = handlerOf(rpc.method, failureOf, (failure) => onHandled(rpc, failure?.code ?? status.OK));
  }
  server.addService(definitions, handlers as never);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    accept: (socket) => injector.injectConnection(socket),
    stop: () => {
      injector.destroy();
      server.forceShutdown();
    },
  };
}

function definitionOf({ path, method, decode, encode }: Rpc): MethodDefinition<object, object> {
  return {
    path,
    requestStream: method.kind === 'conversation',
    responseStream: method.kind !== 'unary',
    requestDeserialize: decode,
    responseSerialize: encode,
    // What a client would need.
    requestSerialize: encode,
    responseDeserialize: decode,
  };
}

function handlerOf(method: Method, failureOf: (error: unknown) => Failure, finish: Finish): Handler {
  switch (method.kind) {
    case 'unary':
      return unary(method, failureOf, finish) as Handler;
    case 'streaming':
      return streaming(method, failureOf, finish) as Handler;
    case 'conversation':
      return (stream: ServerDuplexStream<object, object>) => method.open(conversationOn(stream, failureOf, finish));
  }
}

function unary({ handle }: MethodOf<'unary'>, failureOf: (error: unknown) => Failure, finish: Finish) {
  return async (call: ServerUnaryCall<object, object>, callback: sendUnaryData<object>) => {
    try {
      const answer = await handle(call.request);
      finish();
      callback(null, answer);
    } catch (error) {
      const failure = failureOf(error);
      finish(failure);
      callback(failure);
    }
  };
}

function streaming({ answers }: MethodOf<'streaming'>, failureOf: (error: unknown) => Failure, finish: Finish) {
  return async (stream: ServerWritableStream<object, object>) => {
    try {
      for await (const answer of answers(stream.request)) {
        if (!stream.write(answer)) await roomIn(stream);
        if (stream.cancelled) return finish({ code: status.CANCELLED, details: '' });
      }
      finish();
      stream.end();
    } catch (error) {
      const failure = failureOf(error);
      finish(failure);
      stream.emit('error', failure);
    }
  };
}

/** Resolves when the client has taken what was written, or is gone. */
function roomIn(stream: ServerWritableStream<object, object>): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done).off('cancelled', done);
      resolve();
    };
    stream.on('drain', done).on('cancelled', done);
  });
}

function conversationOn(
  stream: ServerDuplexStream<object, object>,
  failureOf: (error: unknown) => Failure,
  finish: Finish,
): Conversation<object> {
  const conversation: Conversation<object> = {
    requiresLeader: stream.metadata.get(requiresLeaderField)[0] === 'true',
    send: (answer) => void stream.write(answer),
    get hasRoom() {
      return !stream.writableNeedDrain;
    },
    onRequest: (handle) => stream.on('data', (request) => guarded(() => handle(request))),
    onRoom: (handle) => stream.on('drain', () => guarded(handle)),
    onClose: (handle) => {
      const close = () => {
        for (const end of ends) stream.off(end, close);
        finish(stream.cancelled ? { code: status.CANCELLED, details: '' } : undefined);
        handle();
      };
      for (const end of ends) stream.on(end, close);
      stream.on('end', () => stream.end());
    },
    fail: (failure) => stream.emit('error', failure),
  };
  const guarded = (act: () => void) => {
    try {
      act();
    } catch (error) {
      conversation.fail(failureOf(error));
    }
  };
  return conversation;
}

const ends = ['end', 'cancelled', 'error', 'close'];
