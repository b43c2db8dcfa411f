// An API server for wire tests: `#api-server` in this process, over TLS, on an etcd of its own; or the real ones (see
// upstream-api-server.ts). Between the two there is a wire that a test can listen to and cut.

import { connect, createServer, type Socket } from 'node:net';
import { startApiServer } from '#api-server';
import type { KubernetesObject } from '#kit/api';
import { Client } from '#kit/client';
import { systemClock, systemRandom } from '#kit/clock';
import type { RunningComponent } from '#kit/component';
import { createLogger, silentLogger, stderrSink } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import { type CertificateAuthority, createCertificateAuthority, type KeyPair } from '#kit/pki';
import { ApiError, type Status } from '#kit/status';
import { type EtcdUnderTest, startEtcdUnderTest } from '#kit/testing/etcd';
import { transcript } from '#kit/testing/transcript';
import { startUpstreamApiServer, upstreamApiServer } from '#kit/testing/upstream-api-server';
import { withDeadline } from '#kit/testing/wait';
import { type HttpRequest, type HttpResponse, readLines, readText } from '#kit/transport';

const loopback = { host: '127.0.0.1', port: 0 };

export interface ApiServerUnderTest {
  /** A cluster admin's client. */
  readonly client: Client;
  readonly etcd: EtcdUnderTest;
  readonly wire: Wire;
  /** Sends what no client of ours would; a Status is a value here, too, except where a function is not written yet. */
  send(request: RawRequest): Promise<RawAnswer>;
  /** Opens a watch and collects its events. */
  watch(path: string): Promise<WatchUnderTest>;
  stop(): Promise<void>;
}

export interface RawRequest {
  method?: string;
  path: string;
  /** An object is sent as JSON, a text as it is. */
  body?: object | string;
  headers?: Record<string, string>;
}

export interface RawAnswer {
  code: number;
  contentType: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  body: any;
}

export interface RawEvent {
  type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into objects of every shape
  object: any;
}

export async function startApiServerUnderTest(): Promise<ApiServerUnderTest> {
  NotImplemented.forget();
  const cleanUp: (() => Promise<unknown> | unknown)[] = [];
  const stop = async () => {
    for (let step = cleanUp.pop(); step; step = cleanUp.pop()) await step();
  };
  try {
    const etcd = await startEtcdUnderTest();
    cleanUp.push(() => etcd.stop());
    const wire = await Wire.to(new URL(etcd.url));
    cleanUp.push(() => wire.close());
    const authority = await createCertificateAuthority('kubekata-test');
    const serving = await authority.issue({ commonName: 'kube-apiserver', hosts: ['127.0.0.1'], usages: ['server'] });
    const server = await startServer(wire.url, authority, serving);
    cleanUp.push(() => server.stop());
    const admin = await authority.issue({ commonName: 'admin', organizations: ['system:masters'], usages: ['client'] });
    const client = new RecordedClient({ server: server.url, tls: { ca: authority.cert, ...admin }, userAgent: 'test' });
    cleanUp.push(() => client.close());
    const watch = async (path: string) => {
      const watching = await WatchUnderTest.open(client, path);
      cleanUp.push(() => watching.close());
      return watching;
    };
    return { client, etcd, wire, stop, watch, send: (request) => send(client, request) };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startServer(etcdUrl: string, authority: CertificateAuthority, serving: KeyPair): Promise<RunningComponent> {
  if (upstreamApiServer) return startUpstreamApiServer({ program: upstreamApiServer, etcdUrl, authority, serving });
  const log = process.env.KUBEKATA_LOG ? createLogger('api-server', stderrSink) : silentLogger;
  return startApiServer({
    etcdServers: [etcdUrl],
    listen: loopback,
    tls: { ...serving, clientCa: authority.cert },
    // No controller runs here that makes the accounts.
    disableAdmissionPlugins: ['ServiceAccount'],
    clock: systemClock,
    random: systemRandom,
    log,
  });
}

/** Writes the transcript; of an answer what arrived of it until it is told. */
class RecordedClient extends Client {
  override async send(request: HttpRequest): Promise<HttpResponse> {
    const what = `${request.method} ${request.path}`;
    const isLast = transcript.sent(what, () => parsed(String(request.body ?? '')));
    try {
      const response = await super.send(request);
      let read = '';
      transcript.received(isLast() ? `${response.code}` : `${response.code} to ${what}`, () => parsed(read));
      const chunks = response.body[Symbol.asyncIterator].bind(response.body);
      response.body[Symbol.asyncIterator] = async function* (): AsyncGenerator<Buffer, undefined> {
        for await (const chunk of { [Symbol.asyncIterator]: chunks }) {
          if (read.length < 4000) read += chunk;
          yield chunk;
        }
        return undefined;
      };
      return response;
    } catch (error) {
      const said = error instanceof ApiError ? `${error.code} ${error.reason}` : 'no answer';
      transcript.received(isLast() ? said : `${said} to ${what}`, (error as Error).message);
      throw error;
    }
  }
}

/** JSON as an object, several lines of it as several; anything else as it came. */
function parsed(text: string): unknown {
  try {
    const values = text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as unknown);
    return values.length > 1 ? values : values[0];
  } catch {
    return text;
  }
}

async function send(client: Client, { method = 'GET', path, body, headers = {} }: RawRequest): Promise<RawAnswer> {
  const text = typeof body === 'object' ? JSON.stringify(body) : body;
  const answer = await orStatus(async () => {
    const response = await client.send({ method, path, headers, ...(text === undefined ? {} : { body: text }) });
    const contentType = response.headers['content-type'] ?? '';
    const answered = await readText(response.body);
    return { code: response.code, contentType, body: contentType.startsWith('application/json') ? JSON.parse(answered) : answered };
  });
  return answer instanceof ApiError ? { code: answer.code, contentType: 'application/json', body: answer.status } : answer;
}

/** The Status that a call is refused with. Fails when it is not refused, or when the answer is that a function is missing. */
export async function refusal(call: Promise<unknown>): Promise<Status> {
  const outcome = await orStatus(() => call);
  if (outcome instanceof ApiError) return outcome.status;
  throw new Error(`the server should have refused this, but answered ${JSON.stringify(outcome)}`);
}

async function orStatus<T>(call: () => Promise<T>): Promise<T | ApiError> {
  try {
    return await call();
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason === 'NotImplemented') throw error;
    return error;
  }
}

/** The events of one watch, as they came. */
export class WatchUnderTest {
  readonly events: RawEvent[] = [];
  readonly #over = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  #hasEnded = false;
  #wake: () => void = () => {};

  static async open(client: Client, path: string): Promise<WatchUnderTest> {
    const watch = new WatchUnderTest();
    const response = await client.send({ method: 'GET', path, signal: watch.#over.signal });
    watch.#ended = watch.#read(response.body);
    return watch;
  }

  /** Waits until there are so many events; then all there are. Fails when the watch ends before. */
  async first(count: number, within = 3000): Promise<RawEvent[]> {
    await this.#until(`${count} events of the watch`, () => this.events.length >= count, within);
    return this.events.slice(0, count);
  }

  /** Waits for an event of this object. */
  async until(what: string, is: (event: RawEvent) => boolean, within = 3000): Promise<RawEvent> {
    await this.#until(what, () => this.events.some(is), within);
    return this.events.find(is) as RawEvent;
  }

  /** Waits until the server ends the watch. */
  async end(within = 3000): Promise<RawEvent[]> {
    await withDeadline('the end of the watch', this.#ended, { within, story: () => this.#story() });
    return this.events;
  }

  async close(): Promise<void> {
    this.#over.abort();
    await this.#ended;
  }

  async #until(what: string, isReached: () => boolean, within: number): Promise<void> {
    const reached = (async () => {
      while (!isReached()) {
        if (this.#hasEnded) throw new Error(`the watch ended, and there was still to come: ${what}. It brought:\n${this.#story()}`);
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    })();
    await withDeadline(what, reached, { within, story: () => this.#story() });
  }

  async #read(body: AsyncIterable<Buffer>): Promise<void> {
    try {
      for await (const line of readLines(body)) {
        const event = JSON.parse(line) as RawEvent;
        this.events.push(event);
        this.#wake();
      }
    } catch (error) {
      if (!this.#over.signal.aborted) this.events.push({ type: 'BROKEN', object: { message: (error as Error).message } });
    }
    this.#hasEnded = true;
    this.#wake();
  }

  #story(): string {
    const lines = this.events.slice(-20).map(({ type, object }) => {
      const { name = '', resourceVersion = '' } = (object as KubernetesObject).metadata ?? {};
      return `  ${type} ${name} ${resourceVersion} ${type === 'ERROR' ? object.message : ''}`;
    });
    return lines.join('\n') || '  (no event)';
  }
}

/** A TCP connection that can be listened to, and cut. */
export class Wire {
  /** Bytes that came from the far end. */
  received = 0;
  readonly url: string;
  #isBlocked = false;
  readonly #sockets = new Set<Socket>();
  readonly #close: () => void;

  private constructor(url: string, close: () => void) {
    this.url = url;
    this.#close = close;
  }

  static async to({ hostname, port }: URL): Promise<Wire> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, loopback.host, resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the wire has no port');
    const wire = new Wire(`http://${loopback.host}:${address.port}`, () => server.close());
    server.on('connection', (near) => {
      if (wire.#isBlocked) return near.resetAndDestroy();
      const far = connect({ host: hostname, port: Number(port) });
      far.on('data', (chunk) => (wire.received += chunk.length));
      wire.#join(near, far);
    });
    return wire;
  }

  /** Every connection breaks; new ones can be made at once. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Every connection breaks, and no new one can be made until `mend`. */
  block(): void {
    this.#isBlocked = true;
    this.cut();
  }

  mend(): void {
    this.#isBlocked = false;
  }

  close(): void {
    this.#close();
    this.cut();
  }

  #join(near: Socket, far: Socket): void {
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one.setNoDelay(true));
      one.pipe(other);
      // A connection that was cut says so as an error; it ends with the other side of the wire.
      one.on('error', () => other.destroy());
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
