// The way to the other members, and from them. One HTTP/2 stream to each, on which message follows message: messages may get lost; when
// a peer is away, what is for it is dropped, and the stream is opened anew when it is there again. Raft sends again what matters. A
// state goes beside it (state-stream.ts). And questions, for what only the leader can answer. With TLS, only who shows a certificate of
// the peers' CA is heard; and only who belongs to the same cluster.
// etcd: server/etcdserver/api/rafthttp

import {
  type Client,
  type ClientWritableStream,
  connectivityState,
  Metadata,
  Server,
  ServerCredentials,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import type { Clock } from '#kit/clock';
import type { ListenAddress } from '#kit/component';
import type { Logger } from '#kit/log';
import type { Identity, Member, MemberId, Message, MessageOf } from './messages.ts';
import {
  ask,
  askMethod,
  connect,
  deliverMethod,
  type Failure,
  installMethod,
  limits,
  PeerRefusal,
  type PeerTls,
  sameBytes,
} from './peer-rpc.ts';
import { receiveState, sendState } from './state-stream.ts';
import { decodeMessage, encodeMessage } from './wire.ts';

/** How much may wait for a peer that reads slowly. */
const mostWaiting = 16 * 1024 * 1024;

export interface PeersOptions {
  identity: Identity;
  clock: Clock;
  tls?: PeerTls | undefined;
  log: Logger;
  receive: (message: Message) => void;
  /** Answers a peer's question. What it throws, the peer is told: code and text. */
  answer: (question: object) => object | Promise<object>;
  isRemoved: (id: MemberId) => boolean;
  /** Another member says that this one was removed. */
  onRemoved: () => void;
  /** False: the wire is cut for this message. For tests. */
  passes?: ((message: Pick<Message, 'from' | 'to'>) => boolean) | undefined;
}

interface Peer {
  url: string;
  client: Client;
  stream: ClientWritableStream<Buffer> | undefined;
  /** Ends the sending of a state, if one is on its way. */
  sending: AbortController | undefined;
}

export class Peers {
  readonly #options: PeersOptions;
  readonly #server = new Server(limits);
  readonly #peers = new Map<MemberId, Peer>();
  port = 0;

  constructor(options: PeersOptions) {
    this.#options = options;
    this.#server.addService(
      { Deliver: deliverMethod, Install: installMethod, Ask: askMethod },
      {
        Deliver: (stream: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => this.#hear(stream, answer),
        Install: (stream: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => this.#hearState(stream, answer),
        Ask: (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => this.#answer(call, answer),
      },
    );
  }

  /** @throws Error if the address is taken */
  async listen({ host, port }: ListenAddress): Promise<void> {
    const serving = this.#options.tls?.serving;
    const identity = serving
      ? ServerCredentials.createSsl(
          Buffer.from(serving.clientCa),
          [{ cert_chain: Buffer.from(serving.cert), private_key: Buffer.from(serving.key) }],
          true,
        )
      : ServerCredentials.createInsecure();
    this.port = await new Promise((resolve, reject) => {
      this.#server.bindAsync(`${host}:${port}`, identity, (error, bound) => {
        if (error) reject(new Error(`cannot listen for peers on ${host}:${port}; is another server running there?`, { cause: error }));
        else resolve(bound);
      });
    });
  }

  /** Who is where, from now on. */
  know(members: readonly Member[]): void {
    const { identity, tls } = this.#options;
    const others = members.filter(({ id }) => id !== identity.memberId);
    const urls = new Map(others.flatMap(({ id, peerUrls }) => (peerUrls?.[0] ? [[id, peerUrls[0]] as const] : [])));
    for (const [id, peer] of this.#peers) {
      if (urls.get(id) === peer.url) continue;
      peer.stream?.end();
      peer.sending?.abort();
      peer.client.close();
      this.#peers.delete(id);
    }
    for (const [id, url] of urls) {
      if (!this.#peers.has(id)) this.#peers.set(id, { url, client: connect(url, tls), stream: undefined, sending: undefined });
    }
  }

  send(messages: readonly Message[]): void {
    for (const message of messages) {
      const peer = this.#peers.get(message.to);
      if (!peer || this.#isCut(message)) continue;
      if (message.type === 'snapshot') {
        this.#sendState(peer, message);
        continue;
      }
      peer.stream ??= this.#open(peer);
      if (peer.stream.writableLength < mostWaiting) peer.stream.write(encodeMessage(message));
    }
  }

  /** Whether there is a connection to that member now. */
  reaches(id: MemberId): boolean {
    const state = this.#peers.get(id)?.client.getChannel().getConnectivityState(false);
    return state === connectivityState.READY;
  }

  /** @throws PeerRefusal with what the member answers in place of an answer, or why it does not answer */
  async ask(to: MemberId, question: object, withinMs: number): Promise<object> {
    const peer = this.#peers.get(to);
    if (!peer || this.#isCut({ from: this.#options.identity.memberId, to })) {
      throw new PeerRefusal({ code: status.UNAVAILABLE, details: `there is no way to member ${to}` });
    }
    return ask(peer.client, question, { metadata: this.#credentials(), clock: this.#options.clock, withinMs });
  }

  stop(): void {
    for (const { client, stream, sending } of this.#peers.values()) {
      stream?.cancel();
      sending?.abort();
      client.close();
    }
    this.#peers.clear();
    this.#server.forceShutdown();
  }

  #isCut({ from, to }: Pick<Message, 'from' | 'to'>): boolean {
    const { passes } = this.#options;
    return passes !== undefined && !passes({ from, to });
  }

  /** Who speaks. */
  #credentials(): Metadata {
    const { memberId, clusterId } = this.#options.identity;
    const metadata = new Metadata();
    metadata.set('member-id', memberId);
    metadata.set('cluster-id', clusterId);
    return metadata;
  }

  #open(peer: Peer): ClientWritableStream<Buffer> {
    const over = (error: ServiceError | null) => {
      if (peer.stream === stream) peer.stream = undefined;
      if (error?.code === status.PERMISSION_DENIED) this.#options.onRemoved();
    };
    const stream = peer.client.makeClientStreamRequest(deliverMethod.path, sameBytes, sameBytes, this.#credentials(), over);
    // Its end is told to `over`.
    stream.on('error', (error) => this.#options.log.debug('the stream to a peer broke', { url: peer.url, error }));
    return stream;
  }

  /** One at a time: the leader tries again now and then, and a large one takes its time. */
  async #sendState(peer: Peer, message: MessageOf<'snapshot'>): Promise<void> {
    if (peer.sending) return;
    peer.sending = new AbortController();
    try {
      await sendState(peer.client, message, this.#credentials(), peer.sending.signal);
    } catch (error) {
      this.#options.log.debug('a state did not reach its peer; the leader will try again', { url: peer.url, error });
    } finally {
      peer.sending = undefined;
    }
  }

  async #hearState(stream: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>): Promise<void> {
    const refusal = this.#refusal(stream.metadata);
    if (refusal) {
      answer(refusal);
      return;
    }
    try {
      const message = await receiveState(stream);
      if (!this.#isCut(message)) this.#options.receive(message);
      answer(null, Buffer.alloc(0));
    } catch (error) {
      this.#options.log.warn('a peer sent a state that is not whole', { error });
      answer({ code: status.DATA_LOSS, details: (error as Error).message });
    }
  }

  #hear(stream: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>): void {
    stream.on('data', (bytes: Buffer) => {
      try {
        const message = decodeMessage(bytes);
        // It may have been removed since it opened the stream.
        const refusal = this.#refusal(stream.metadata);
        if (refusal) answer(refusal);
        else if (!this.#isCut(message)) this.#options.receive(message);
      } catch (error) {
        this.#options.log.warn('a peer sent what is no message', { error });
        stream.destroy();
      }
    });
    stream.on('end', () => answer(null, Buffer.alloc(0)));
    stream.on('error', (error) => this.#options.log.debug('the stream from a peer broke', { error }));
  }

  async #answer(call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>): Promise<void> {
    const refusal = this.#refusal(call.metadata);
    if (refusal) {
      answer(refusal);
      return;
    }
    try {
      answer(null, Buffer.from(JSON.stringify(await this.#options.answer(JSON.parse(call.request.toString())))));
    } catch (error) {
      const { code = status.UNKNOWN, message } = error as { code?: status; message: string };
      answer({ code, details: message });
    }
  }

  /** Who belongs to no cluster yet may ask who is in this one. */
  #refusal(metadata: Metadata): Failure | undefined {
    const { identity, isRemoved, log } = this.#options;
    const [member = '', cluster = identity.clusterId] = [metadata.get('member-id')[0], metadata.get('cluster-id')[0]];
    if (cluster !== identity.clusterId) {
      log.warn('refused a member of another cluster', { member, cluster, ours: identity.clusterId });
      return { code: status.FAILED_PRECONDITION, details: `cluster ID mismatch: this is ${identity.clusterId}, not ${cluster}` };
    }
    if (isRemoved(String(member))) {
      return { code: status.PERMISSION_DENIED, details: 'the member has been permanently removed from the cluster' };
    }
    return undefined;
  }
}
