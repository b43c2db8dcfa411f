// gRPC on HTTP/2 frames by hand (`http2/`): the same protocol as `grpc-js.ts`, with fewer layers between a socket and a service.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md

import { status } from '@grpc/grpc-js';
import type { Clock } from '#kit/clock';
import { Call, CallError, type CallOptions, sendFailure } from './http2/call.ts';
import { Http2Connection } from './http2/connection.ts';
import { encodeHeaders } from './http2/hpack.ts';
import { readRequest } from './http2/request.ts';
import type { Http2Stream } from './http2/stream.ts';
import type { Method, Rpc, Transport, TransportOptions } from './rpc.ts';

export function createLeanTransport({ rpcs, clock, ...options }: TransportOptions & { clock: Clock }): Transport {
  const connections = new Set<Http2Connection>();
  const byPath = new Map(rpcs.map((rpc) => [rpc.path, rpc]));
  return {
    accept(socket) {
      const callOptions = { ...options, clock, budget: { held: 0 } };
      const connection = new Http2Connection({
        socket,
        clock,
        serve: (stream) => serve(stream, byPath, callOptions),
        onClose: () => connections.delete(connection),
      });
      connections.add(connection);
    },
    stop() {
      for (const connection of [...connections]) connection.close();
    },
  };
}

/** @throws Http2StreamError if the request's head is malformed */
function serve(stream: Http2Stream, rpcs: Map<string, Rpc>, options: CallOptions): void {
  const head = readRequest(stream.fields);
  const rpc = rpcs.get(head.path);
  if (head.method !== 'POST') stream.respond(encodeHeaders([[':status', '405']]), true);
  else if (!head.fields.get('content-type')?.startsWith('application/grpc')) stream.respond(encodeHeaders([[':status', '415']]), true);
  else if (!rpc) sendFailure(stream, { code: status.UNIMPLEMENTED, details: `unknown method ${head.path}` }, false);
  else open(new Call(stream, rpc, head, options), rpc.method);
}

function open(call: Call, method: Method): void {
  if (method.kind === 'conversation') method.open(call);
  else answerOnce(call, method);
}

/** For methods that take a single request. */
function answerOnce(call: Call, method: Exclude<Method, { kind: 'conversation' }>): void {
  const requests: object[] = [];
  call.onRequest((request) => requests.push(request));
  call.onEnd(() => {
    const [request] = requests;
    call.whenRoom(() => {
      if (!request || requests.length > 1) throw new CallError(status.INTERNAL, `this method takes one request, not ${requests.length}`);
      if (method.kind === 'unary') answer(call, method.handle(request));
      else sendAll(call, method.answers(request)).catch((error) => call.failBecause(error));
    });
  });
}

/**
 * An answer that is there already is not waited for. One that comes later needs room anew, before it takes memory as bytes: many
 * others may have been asked for in the same turn.
 */
function answer(call: Call, response: object | Promise<object>): void {
  const send = (ready: object) => {
    call.send(ready);
    call.finish();
  };
  if (response instanceof Promise) response.then((ready) => call.whenRoom(() => send(ready))).catch((error) => call.failBecause(error));
  else send(response);
}

/** The next answer is asked for when the client has taken those before it. */
async function sendAll(call: Call, answers: AsyncIterable<object>): Promise<void> {
  for await (const each of answers) {
    call.send(each);
    if (!call.hasRoom) await roomIn(call);
    if (call.isOver) return;
  }
  call.finish();
}

/** Resolves when the client has caught up, or is gone. */
function roomIn(call: Call): Promise<void> {
  return new Promise((resolve) => {
    call.onRoom(resolve);
    call.onClose(resolve);
  });
}
