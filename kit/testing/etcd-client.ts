// etcd's protocol from the client's side, for tests: one method an RPC, requests and answers as on the wire. Text may be given
// where the protocol has bytes; int64 values are numbers. Every call has a deadline. A server's NotImplemented is thrown as such.

import { once } from 'node:events';
import {
  type Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  makeGenericClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadProtocol, serviceOf } from '#etcd/protocol';
import { systemClock } from '#kit/clock';
import type { ClientTls } from '#kit/component';
import { NotImplemented } from '#kit/not-implemented';
import { transcript } from '#kit/testing/transcript';
import { patience, withDeadline } from '#kit/testing/wait';

const deadlineMs = 4000;
const protocol = loadProtocol(Number);
/** Ids of members have 64 bits: numbers would round them. */
const exactProtocol = loadProtocol(String);

export interface Header {
  clusterId: number;
  memberId: number;
  revision: number;
  raftTerm: number;
}

export interface KeyValue {
  key: Buffer;
  value: Buffer;
  createRevision: number;
  modRevision: number;
  version: number;
  lease: number;
}

export interface Event {
  type: 'PUT' | 'DELETE';
  kv: KeyValue;
  prevKv: KeyValue | null;
}

type Bytes = string | Uint8Array;

export interface PutRequest {
  key: Bytes;
  value?: Bytes;
  lease?: number;
  prevKv?: boolean;
  ignoreValue?: boolean;
  ignoreLease?: boolean;
}

export interface RangeRequest {
  key: Bytes;
  rangeEnd?: Bytes;
  limit?: number;
  revision?: number;
  sortOrder?: 'NONE' | 'ASCEND' | 'DESCEND';
  sortTarget?: 'KEY' | 'VERSION' | 'CREATE' | 'MOD' | 'VALUE';
  keysOnly?: boolean;
  countOnly?: boolean;
  /** An old answer will do. */
  serializable?: boolean;
  minModRevision?: number;
  maxModRevision?: number;
  minCreateRevision?: number;
  maxCreateRevision?: number;
}

export interface DeleteRangeRequest {
  key: Bytes;
  rangeEnd?: Bytes;
  prevKv?: boolean;
}

export interface RangeResponse {
  header: Header;
  kvs: KeyValue[];
  more: boolean;
  count: number;
}

export interface PutResponse {
  header: Header;
  prevKv: KeyValue | null;
}

export interface DeleteRangeResponse {
  header: Header;
  deleted: number;
  prevKvs: KeyValue[];
}

export interface Compare {
  key: Bytes;
  rangeEnd?: Bytes;
  result?: 'EQUAL' | 'GREATER' | 'LESS' | 'NOT_EQUAL';
  target: 'VERSION' | 'CREATE' | 'MOD' | 'VALUE' | 'LEASE';
  version?: number;
  createRevision?: number;
  modRevision?: number;
  value?: Bytes;
  lease?: number;
}

export interface RequestOp {
  requestRange?: RangeRequest;
  requestPut?: PutRequest;
  requestDeleteRange?: DeleteRangeRequest;
  requestTxn?: TxnRequest;
}

export interface TxnRequest {
  compare?: Compare[];
  success?: RequestOp[];
  failure?: RequestOp[];
}

export interface TxnResponse {
  header: Header;
  succeeded: boolean;
  responses: {
    responseRange?: RangeResponse;
    responsePut?: PutResponse;
    responseDeleteRange?: DeleteRangeResponse;
    responseTxn?: TxnResponse;
  }[];
}

export interface WatchCreateRequest {
  key: Bytes;
  rangeEnd?: Bytes;
  startRevision?: number;
  progressNotify?: boolean;
  filters?: ('NOPUT' | 'NODELETE')[];
  prevKv?: boolean;
  watchId?: number;
  fragment?: boolean;
}

export interface WatchResponse {
  header: Header;
  watchId: number;
  created: boolean;
  canceled: boolean;
  compactRevision: number;
  cancelReason: string;
  fragment: boolean;
  events: Event[];
}

export interface LeaseResponse {
  header: Header;
  ID: number;
  TTL: number;
  grantedTTL: number;
  keys: Buffer[];
}

export interface Member {
  ID: string;
  /** Empty: it has not run yet. */
  name: string;
  peerURLs: string[];
  clientURLs: string[];
}

export interface Status {
  header: Header;
  version: string;
  dbSize: number;
  /** A member's id; 0: nobody leads. */
  leader: number;
  raftIndex: number;
  raftTerm: number;
  raftAppliedIndex: number;
  errors: string[];
}

export interface SnapshotPiece {
  header: Header;
  remainingBytes: number;
  blob: Buffer;
}

const notListening = 'your server is not listening yet: its start must resolve after the port is open, not before; or it has stopped';

/** How an RPC fails: gRPC's code by name, and the server's text. */
export class RpcFailure extends Error {
  readonly code: string;
  readonly details: string;

  constructor({ code, details }: { code: number; details: string }) {
    super(`${status[code]}: ${/ECONNREFUSED/.test(details) ? notListening : details}`);
    this.name = 'RpcFailure';
    this.code = status[code] ?? String(code);
    this.details = details;
  }
}

type Service = 'KV' | 'Watch' | 'Lease' | 'Cluster' | 'Maintenance';

export class EtcdClient {
  readonly #clients: Record<Service, Client>;

  constructor(url: string, tls?: ClientTls) {
    const address = new URL(url).host;
    const identity = tls
      ? credentials.createSsl(Buffer.from(tls.ca), tls.key ? Buffer.from(tls.key) : null, tls.cert ? Buffer.from(tls.cert) : null)
      : credentials.createInsecure();
    // A pool of its own: closing it closes its connection, and no other client shares it.
    const options = { 'grpc.use_local_subchannel_pool': 1, 'grpc.max_receive_message_length': -1 };
    const client = (name: Service) => new (makeGenericClientConstructor(serviceOf(protocol, name), name))(address, identity, options);
    this.#clients = {
      KV: client('KV'),
      Watch: client('Watch'),
      Lease: client('Lease'),
      Cluster: client('Cluster'),
      Maintenance: client('Maintenance'),
    };
  }

  put(request: PutRequest): Promise<PutResponse> {
    return this.call('KV', 'Put', request);
  }

  range(request: RangeRequest): Promise<RangeResponse> {
    return this.call('KV', 'Range', request);
  }

  deleteRange(request: DeleteRangeRequest): Promise<DeleteRangeResponse> {
    return this.call('KV', 'DeleteRange', request);
  }

  txn(request: TxnRequest): Promise<TxnResponse> {
    return this.call('KV', 'Txn', request);
  }

  compact(revision: number): Promise<{ header: Header }> {
    return this.call('KV', 'Compact', { revision });
  }

  leaseGrant(request: { TTL: number; ID?: number }): Promise<LeaseResponse> {
    return this.call('Lease', 'LeaseGrant', request);
  }

  leaseRevoke(request: { ID: number }): Promise<{ header: Header }> {
    return this.call('Lease', 'LeaseRevoke', request);
  }

  leaseTimeToLive(request: { ID: number; keys?: boolean }): Promise<LeaseResponse> {
    return this.call('Lease', 'LeaseTimeToLive', request);
  }

  /** One beat: sends a keep-alive and returns its answer. */
  async leaseKeepAlive(ID: number): Promise<LeaseResponse> {
    const stream = this.#stream<LeaseResponse>('Lease', 'LeaseKeepAlive');
    try {
      stream.write({ ID });
      const [response] = await withDeadline('the answer to a keep-alive', once(stream, 'data') as Promise<[LeaseResponse]>, {
        within: deadlineMs,
      });
      return response;
    } finally {
      stream.on('error', () => {}).cancel();
    }
  }

  leaseList(): Promise<{ header: Header; leases: { ID: number }[] }> {
    return this.call('Lease', 'LeaseLeases', {});
  }

  memberList(): Promise<{ header: { memberId: string }; members: Member[] }> {
    return this.#callExactly('Cluster', 'MemberList', {});
  }

  memberAdd(...peerURLs: string[]): Promise<{ member: Member; members: Member[] }> {
    return this.#callExactly('Cluster', 'MemberAdd', { peerURLs });
  }

  /** One that gets everything and does not vote. */
  memberAddLearner(...peerURLs: string[]): Promise<{ member: Member; members: Member[] }> {
    return this.#callExactly('Cluster', 'MemberAdd', { peerURLs, isLearner: true });
  }

  memberPromote(ID: string): Promise<{ members: Member[] }> {
    return this.#callExactly('Cluster', 'MemberPromote', { ID });
  }

  memberRemove(ID: string): Promise<{ members: Member[] }> {
    return this.#callExactly('Cluster', 'MemberRemove', { ID });
  }

  memberUpdate(ID: string, ...peerURLs: string[]): Promise<{ members: Member[] }> {
    return this.#callExactly('Cluster', 'MemberUpdate', { ID, peerURLs });
  }

  async moveLeader(targetID: string): Promise<void> {
    await this.#callExactly('Maintenance', 'MoveLeader', { targetID });
  }

  status(): Promise<Status> {
    return this.call('Maintenance', 'Status', {});
  }

  hash(): Promise<{ header: Header; hash: number }> {
    return this.call('Maintenance', 'Hash', {});
  }

  /** 0: at the present revision. */
  hashKv(revision: number): Promise<{ header: Header; hash: number; compactRevision: number }> {
    return this.call('Maintenance', 'HashKV', { revision });
  }

  defragment(): Promise<{ header: Header }> {
    return this.call('Maintenance', 'Defragment', {});
  }

  /** A copy of everything, in the pieces in which it came. */
  async snapshot(): Promise<SnapshotPiece[]> {
    const { path, requestSerialize, responseDeserialize } = methodOf('Maintenance', 'Snapshot');
    const deadline = systemClock.now() + patience(deadlineMs);
    const stream = this.#clients.Maintenance.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}, { deadline });
    return (await stream.toArray()) as SnapshotPiece[];
  }

  async alarms(): Promise<{ memberID: number; alarm: string }[]> {
    return (await this.#alarm({ action: 'GET' })).alarms;
  }

  async disarmAlarms(): Promise<void> {
    await this.#alarm({ action: 'DEACTIVATE' });
  }

  #alarm(request: object): Promise<{ alarms: { memberID: number; alarm: string }[] }> {
    return this.call('Maintenance', 'Alarm', request);
  }

  watch({ requireLeader = false } = {}): WatchConnection {
    return new WatchConnection(this.#stream<WatchResponse>('Watch', 'Watch', requireLeader ? { hasleader: 'true' } : {}));
  }

  /** A call with bytes of the caller's choice instead of a request. */
  callWithBytes(path: string, bytes: Uint8Array): Promise<Buffer> {
    return this.#unary(
      this.#clients.KV,
      path,
      () => Buffer.from(bytes),
      (answer) => answer,
      {},
    );
  }

  call<Response>(service: Service, method: string, request: object): Promise<Response> {
    const { path, requestSerialize, responseDeserialize } = methodOf(service, method);
    return this.#unary(this.#clients[service], path, requestSerialize, responseDeserialize, inBytes(request)) as Promise<Response>;
  }

  /** As `call`, with int64 values as text. */
  #callExactly<Response>(service: Service, method: string, request: object): Promise<Response> {
    const { path, requestSerialize, responseDeserialize } = methodOf(service, method, exactProtocol);
    return this.#unary(this.#clients[service], path, requestSerialize, responseDeserialize, request) as Promise<Response>;
  }

  close(): void {
    for (const client of Object.values(this.#clients)) client.close();
  }

  #stream<Response>(service: 'Watch' | 'Lease', method: string, fields: Record<string, string> = {}): ClientDuplexStream<object, Response> {
    const { path, requestSerialize, responseDeserialize } = methodOf(service, method);
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(fields)) metadata.set(name, value);
    return this.#clients[service].makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
  }

  #unary<Response>(
    client: Client,
    path: string,
    serialize: (request: object) => Buffer,
    deserialize: (bytes: Buffer) => Response,
    request: object,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const deadline = systemClock.now() + patience(deadlineMs);
      transcript.sent(path.replace(/.*\//, ''), request);
      client.makeUnaryRequest(path, serialize, deserialize, request, { deadline }, (error, response) => {
        const method = path.replace(/.*\//, '');
        if (error) {
          const failure = new RpcFailure(error);
          transcript.received(method, failure.message);
          return reject(NotImplemented.first ?? failure);
        }
        transcript.received(method, response);
        resolve(response as Response);
      });
    });
  }
}

function methodOf(service: Service, method: string, inProtocol = protocol) {
  const definition = serviceOf(inProtocol, service)[method];
  if (!definition) throw new TypeError(`the protocol has no method ${service}.${method}`);
  return definition;
}

/** A watch stream: send requests, read the responses one by one. */
export class WatchConnection {
  readonly #stream: ClientDuplexStream<object, WatchResponse>;
  readonly #responses: WatchResponse[] = [];
  #failure: Error | undefined;
  #arrived: () => void = () => {};

  constructor(stream: ClientDuplexStream<object, WatchResponse>) {
    this.#stream = stream;
    stream.on('data', (response: WatchResponse) => {
      transcript.received('Watch', response);
      this.#responses.push(response);
      this.#arrived();
    });
    stream.on('error', (error) => {
      this.#failure = NotImplemented.first ?? new RpcFailure(error as ServiceError);
      this.#arrived();
    });
  }

  /** Asks for a watch; resolves with the answer, which must be the next response. */
  create(request: WatchCreateRequest): Promise<WatchResponse> {
    this.send({ createRequest: request });
    return this.next('the answer to a create request');
  }

  cancel(watchId: number): void {
    this.send({ cancelRequest: { watchId } });
  }

  requestProgress(): void {
    this.send({ progressRequest: {} });
  }

  send(request: object): void {
    transcript.sent('Watch', request);
    this.#stream.write(inBytes(request));
  }

  /** Does not read for a while: a slow client. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** The next response, in the order in which they came. */
  async next(what = 'a watch response'): Promise<WatchResponse> {
    await this.#until(what, () => this.#responses.length > 0);
    return this.#responses.shift() as WatchResponse;
  }

  /** The next events of one watch, exactly so many, from as many responses as it takes. Responses of other watches stay where they are. */
  async events(count: number, watchId?: number): Promise<Event[]> {
    const found: Event[] = [];
    const isWanted = (response: WatchResponse) => response.events.length > 0 && (watchId === undefined || response.watchId === watchId);
    while (found.length < count) {
      const what = `${count} events${watchId === undefined ? '' : ` of watch ${watchId}`}; ${found.length} have come`;
      await this.#until(what, () => this.#responses.some(isWanted));
      const [response] = this.#responses.splice(this.#responses.findIndex(isWanted), 1);
      found.push(...(response?.events ?? []));
    }
    if (found.length > count) throw new Error(`expected ${count} events, but ${found.length} came: ${found.map(describeEvent).join(', ')}`);
    return found;
  }

  close(): void {
    this.#stream.cancel();
  }

  async #until(what: string, isThere: () => boolean): Promise<void> {
    const there = (async () => {
      while (!isThere()) {
        if (this.#failure) throw this.#failure;
        await new Promise<void>((resolve) => {
          this.#arrived = resolve;
        });
      }
    })();
    await withDeadline(what, there, { within: deadlineMs });
  }
}

/** The failure of a call that must fail. */
export async function failureOf(call: Promise<unknown>): Promise<{ code: string; details: string }> {
  try {
    await call;
  } catch (error) {
    if (error instanceof RpcFailure) return { code: error.code, details: error.details };
    throw error;
  }
  throw new Error('the call was answered, but etcd refuses it');
}

/** `/pods/web=running`: short to write down in a test. */
export function pair({ key, value }: KeyValue): string {
  return `${key}=${value}`;
}

/** The first key after all keys that begin with the prefix: the prefix with its last byte raised by one. */
export function prefixEnd(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  end.writeUInt8((end.at(-1) ?? 0) + 1, end.length - 1);
  return end;
}

export function describeEvent({ type, kv }: Event): string {
  return `${type} ${kv.key}${type === 'PUT' ? `=${kv.value}` : ''} at revision ${kv.modRevision}`;
}

const byteFields = new Set(['key', 'value', 'rangeEnd']);

/** The request with text turned into bytes where the protocol has bytes. */
function inBytes(request: object): object {
  if (request instanceof Uint8Array) return request;
  const nested = (value: unknown) => (typeof value === 'object' && value !== null ? inBytes(value) : value);
  if (Array.isArray(request)) return request.map(nested);
  const field = ([name, value]: [string, unknown]) => [
    name,
    byteFields.has(name) && typeof value === 'string' ? Buffer.from(value) : nested(value),
  ];
  return Object.fromEntries(Object.entries(request).map(field));
}
