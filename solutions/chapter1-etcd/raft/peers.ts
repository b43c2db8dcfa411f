// The way to the other members, and from them: one HTTP/2 stream to each, on which message follows message. Messages may get lost: when
// a peer is away, what is for it is dropped, and the stream is opened anew when it is there again. Raft sends again what matters.
// With TLS, only who shows a certificate of the peers' CA is heard.
// etcd: server/etcdserver/api/rafthttp

import {
  Client,
  type ClientWritableStream,
  credentials,
  Server,
  ServerCredentials,
  type ServerReadableStream,
  type sendUnaryData,
} from '@grpc/grpc-js';
import type { ClientTls, ListenAddress, ServingTls } from '#kit/component';
import type { Logger } from '#kit/log';
import type { Member, MemberId, Message } from './messages.ts';
import { decodeMessage, encodeMessage } from './wire.ts';

const path = '/kubekata.Peer/Deliver';
/** A snapshot travels in one message. */
const limits = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
/** How much may wait for a peer that reads slowly. */
const mostWaiting = 16 * 1024 * 1024;

export interface PeersOptions {
  listen: ListenAddress;
  serving?: Required<ServingTls>;
  client?: Required<ClientTls>;
  log: Logger;
  receive: (message: Message) => void;
}

interface Peer {
  url: string;
  client: Client;
  stream: ClientWritableStream<Buffer> | undefined;
}

export class Peers {
  readonly #options: PeersOptions;
  readonly #server = new Server(limits);
  readonly #peers = new Map<MemberId, Peer>();
  port = 0;

  constructor(options: PeersOptions) {
    this.#options = options;
    const same = (bytes: Buffer) => bytes;
    const method = {
      path,
      requestStream: true,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    };
    this.#server.addService(
      { Deliver: method },
      { Deliver: (stream: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => this.#hear(stream, answer) },
    );
  }

  /** @throws Error if the address is taken */
  async listen(): Promise<void> {
    const { listen, serving } = this.#options;
    const identity = serving
      ? ServerCredentials.createSsl(
          Buffer.from(serving.clientCa),
          [{ cert_chain: Buffer.from(serving.cert), private_key: Buffer.from(serving.key) }],
          true,
        )
      : ServerCredentials.createInsecure();
    this.port = await new Promise((resolve, reject) => {
      this.#server.bindAsync(`${listen.host}:${listen.port}`, identity, (error, port) => {
        if (error) reject(new Error(`cannot listen for peers on ${listen.host}:${listen.port}`, { cause: error }));
        else resolve(port);
      });
    });
  }

  /** Who is where, from now on. */
  know(members: readonly Member[]): void {
    const urls = new Map(members.flatMap(({ id, peerUrls }) => (peerUrls?.[0] ? [[id, peerUrls[0]] as const] : [])));
    for (const [id, peer] of this.#peers) {
      if (urls.get(id) === peer.url) continue;
      peer.client.close();
      this.#peers.delete(id);
    }
    for (const [id, url] of urls) {
      if (!this.#peers.has(id)) this.#peers.set(id, { url, client: this.#connect(url), stream: undefined });
    }
  }

  send(messages: readonly Message[]): void {
    for (const message of messages) {
      const peer = this.#peers.get(message.to);
      if (!peer) continue;
      peer.stream ??= this.#open(peer);
      if (peer.stream.writableLength < mostWaiting) peer.stream.write(encodeMessage(message));
    }
  }

  stop(): void {
    for (const { client, stream } of this.#peers.values()) {
      stream?.cancel();
      client.close();
    }
    this.#peers.clear();
    this.#server.forceShutdown();
  }

  #connect(url: string): Client {
    const { client: tls } = this.#options;
    const identity = tls
      ? credentials.createSsl(Buffer.from(tls.ca), Buffer.from(tls.key), Buffer.from(tls.cert))
      : credentials.createInsecure();
    // A peer that comes back shall be heard soon: sooner than an election takes.
    const patience = {
      'grpc.initial_reconnect_backoff_ms': 100,
      'grpc.max_reconnect_backoff_ms': 500,
      'grpc.use_local_subchannel_pool': 1,
    };
    return new Client(new URL(url).host, identity, { ...limits, ...patience });
  }

  #open(peer: Peer): ClientWritableStream<Buffer> {
    const same = (bytes: Buffer) => bytes;
    const over = () => {
      if (peer.stream === stream) peer.stream = undefined;
    };
    const stream = peer.client.makeClientStreamRequest(path, same, same, over);
    stream.on('error', (error) => {
      this.#options.log.debug('the stream to a peer broke', { url: peer.url, error });
      over();
    });
    return stream;
  }

  #hear(stream: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void {
    stream.on('data', (bytes: Buffer) => {
      try {
        this.#options.receive(decodeMessage(bytes));
      } catch (error) {
        this.#options.log.warn('a peer sent what is no message', { error });
        stream.destroy();
      }
    });
    stream.on('end', () => answer(null, Buffer.alloc(0)));
    stream.on('error', (error) => this.#options.log.debug('the stream from a peer broke', { error }));
  }
}
