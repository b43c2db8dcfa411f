// The ways of speaking between members, as gRPC has them, and the client's half of a question. Questions and answers are JSON;
// messages are encoded by wire.ts.

import { Client, credentials, Metadata, status } from '@grpc/grpc-js';
import type { Clock } from '#kit/clock';
import type { ClientTls, ServingTls } from '#kit/component';

export interface PeerTls {
  serving: Required<ServingTls>;
  client: Required<ClientTls>;
}

export const deliverMethod = method('/kubekata.Peer/Deliver', { requestStream: true });
export const installMethod = method('/kubekata.Peer/Install', { requestStream: true });
export const askMethod = method('/kubekata.Peer/Ask', { requestStream: false });

/** What a client may put into one request, any peer takes. */
export const limits = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
/** A peer that comes back shall be heard soon: sooner than an election takes. */
const patience = {
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 500,
  'grpc.use_local_subchannel_pool': 1,
};

export interface Failure {
  code: status;
  details: string;
}

/** What a peer says in place of an answer, or why there is none. */
export class PeerRefusal extends Error {
  readonly code: status;

  constructor({ code, details }: Failure) {
    super(details);
    this.name = 'PeerRefusal';
    this.code = code;
  }
}

export interface Asking {
  metadata: Metadata;
  clock: Clock;
  withinMs: number;
}

/** @throws PeerRefusal */
export function ask(client: Client, question: object, { metadata, clock, withinMs }: Asking): Promise<object> {
  return new Promise((resolve, reject) => {
    const bytes = Buffer.from(JSON.stringify(question));
    let isOver = false;
    const call = client.makeUnaryRequest(askMethod.path, sameBytes, sameBytes, bytes, metadata, (error, answer) => {
      over.cancel();
      if (isOver) reject(new PeerRefusal({ code: status.UNAVAILABLE, details: `no answer within ${withinMs} ms` }));
      else if (error) reject(new PeerRefusal(error));
      else resolve(JSON.parse(String(answer), bytesAgain));
    });
    const over = clock.after(withinMs, () => {
      isOver = true;
      call.cancel();
    });
  });
}

/** Asks whoever is at that URL, as one who belongs to no cluster yet. @throws PeerRefusal */
export async function askStranger(url: string, tls: PeerTls | undefined, question: object, { clock, withinMs }: Omit<Asking, 'metadata'>) {
  const client = connect(url, tls);
  try {
    return await ask(client, question, { metadata: new Metadata(), clock, withinMs });
  } finally {
    client.close();
  }
}

export function connect(url: string, tls: PeerTls | undefined): Client {
  const identity = tls
    ? credentials.createSsl(Buffer.from(tls.client.ca), Buffer.from(tls.client.key), Buffer.from(tls.client.cert))
    : credentials.createInsecure();
  return new Client(new URL(url).host, identity, { ...limits, ...patience });
}

/** JSON has no bytes; Buffers write themselves as objects. */
function bytesAgain(_: string, value: { type?: string; data?: number[] } | null): unknown {
  return value?.type === 'Buffer' && value.data ? Buffer.from(value.data) : value;
}

export function sameBytes(bytes: Buffer): Buffer {
  return bytes;
}

function method(path: string, { requestStream }: { requestStream: boolean }) {
  return {
    path,
    requestStream,
    responseStream: false,
    requestSerialize: sameBytes,
    requestDeserialize: sameBytes,
    responseSerialize: sameBytes,
    responseDeserialize: sameBytes,
  };
}
