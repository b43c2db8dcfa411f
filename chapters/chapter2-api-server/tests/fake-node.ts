// A node whose kubelet is a script of the test's: it hears what the API server asks, over TLS and with the API server's certificate, and
// answers what the test wants. Its pods are HTTP servers in this process. And a client that may do what a browser may not.

import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer, request } from 'node:https';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { Nodes, type Pod, Pods } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { node, pod } from '#kit/testing/builders';
import type { TestControlPlane } from '#kit/testing/control-plane';
import { upstreamApiServer } from '#kit/testing/upstream-api-server';
import { eventually, withDeadline } from '#kit/testing/wait';
import { readText } from '#kit/transport';

const loopback = '127.0.0.1';

export interface AskedOfKubelet {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  /** The common name of the certificate that was shown, if the cluster's CA signed it. */
  client: string | undefined;
}

type Upgraded = (socket: Duplex, message: IncomingMessage, head: Buffer) => void;

export class FakeNode {
  readonly asked: AskedOfKubelet[] = [];
  /** What the kubelet does with a request. */
  answer: RequestListener = (_, response) => response.end();
  /** What it does with one that asks for an upgrade. */
  upgrade: Upgraded = (socket) => socket.destroy();
  readonly name: string;
  readonly #plane: TestControlPlane;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  #podCount = 0;

  private constructor(plane: TestControlPlane, name: string) {
    this.#plane = plane;
    this.name = name;
  }

  static async start(plane: TestControlPlane, name: string): Promise<FakeNode> {
    const started = new FakeNode(plane, name);
    const port = await started.#serveKubelet();
    const addresses = [
      { type: 'Hostname', address: 'nowhere.invalid' },
      { type: 'InternalIP', address: reachable() },
    ];
    const object = node(name);
    await plane.client.create(Nodes, {
      ...object,
      status: { ...object.status, addresses, daemonEndpoints: { kubeletEndpoint: { Port: port } } },
    });
    return started;
  }

  /** What was asked last; waits until something was. */
  async lastAsked(): Promise<AskedOfKubelet> {
    return eventually('the kubelet is asked', () => this.asked.at(-1));
  }

  forget(): void {
    this.asked.splice(0);
    this.answer = (_, response) => response.end();
    this.upgrade = (socket) => socket.destroy();
  }

  /** A pod of this node that has an address, at which this serves; `tls`: by HTTPS, for these names. The port is its first container's, unless it is to have none. */
  async runPod(name: string, serve: RequestListener, options: { tls?: string[]; upgrade?: Upgraded } = {}): Promise<PodUnderTest> {
    const server = options.tls ? createServer(await this.#plane.issue(name, [], options.tls), serve) : createHttpServer(serve);
    if (options.upgrade) server.on('upgrade', (message, socket, head) => options.upgrade?.(socket, message, head));
    const port = await this.#listen(server, reachable());
    const ip = upstreamApiServer ? ownAddress() : `10.244.9.${++this.#podCount}`;
    const wanted = pod(name).boundTo(this.name);
    wanted.spec.containers[0].ports = [{ containerPort: port }];
    const created = await this.#plane.client.create(Pods, wanted);
    const object = await this.#plane.client.updateStatus(Pods, {
      ...created,
      status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] },
    });
    return { object, ip, port, host: `${ip}:${port}` };
  }

  async stop(): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #serveKubelet(): Promise<number> {
    const tls = await this.#plane.issue(this.name, [], [reachable()]);
    const server = createServer({ ...tls, ca: this.#plane.ca, requestCert: true, rejectUnauthorized: false }, (message, response) => {
      this.#hear(message);
      this.answer(message, response);
    });
    server.on('upgrade', (message, socket, head) => {
      this.#hear(message);
      socket.on('error', () => {});
      this.upgrade(socket, message, head);
    });
    // The way to its pods, for an API server that has no other.
    server.on('connect', ({ url = '' }, socket: Duplex) => {
      const far = connect({ host: loopback, port: Number(url.split(':').at(-1)), allowHalfOpen: true });
      far.on('connect', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      far.on('error', () => socket.destroy());
      socket.on('error', () => far.destroy());
      far.pipe(socket).pipe(far);
    });
    return this.#listen(server, reachable());
  }

  #hear(message: IncomingMessage): void {
    const { pathname, searchParams } = new URL(message.url ?? '/', 'https://kubelet');
    const socket = message.socket as TLSSocket;
    const subject = socket.authorized ? String(socket.getPeerCertificate().subject.CN) : undefined;
    this.asked.push({ method: message.method ?? '', path: pathname, query: searchParams, headers: message.headers, client: subject });
  }

  async #listen(server: Server, host: string): Promise<number> {
    this.#servers.push(server);
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.listen(0, host);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }
}

export interface PodUnderTest {
  object: Pod;
  ip: string;
  port: number;
  /** `10.244.9.1:40123` */
  host: string;
}

/** Where servers of this process can be reached: the real API server never goes to its own machine's loopback. */
function reachable(): string {
  return upstreamApiServer ? ownAddress() : loopback;
}

function ownAddress(): string {
  const found = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  if (!found) throw new Error('this machine has no address but loopback, to which the real API server does not go');
  return found.address;
}

export interface Wanted {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** Whose certificate; the admin's by default. */
  as?: { cert: string; key: string };
  /** Aborts when the client goes away, answered or not. */
  signal?: AbortSignal;
}

export interface RawAnswer {
  code: number;
  headers: IncomingMessage['headers'];
  text: string;
}

/** A client beneath HTTP libraries: it takes redirects as answers, and connections over. */
export class RawClient {
  readonly #plane: TestControlPlane;
  #admin: { cert: string; key: string } | undefined;
  readonly #opened = new Set<{ destroy(): void }>();

  constructor(plane: TestControlPlane) {
    this.#plane = plane;
  }

  /** The whole answer, whatever its code. */
  async ask(path: string, wanted: Wanted = {}): Promise<RawAnswer> {
    const answer = await this.open(path, wanted);
    const text = await withDeadline('the whole answer', readText(answer));
    return { code: answer.statusCode ?? 0, headers: answer.headers, text };
  }

  /** The answer's head; its body is not read yet. */
  async open(path: string, wanted: Wanted = {}): Promise<IncomingMessage> {
    const { answer } = await this.#send(path, wanted);
    return answer;
  }

  /** The connection after a 101. Fails for any other answer. */
  async connect(path: string, wanted: Wanted): Promise<Talk> {
    const { answer, socket, head } = await this.#send(path, wanted);
    if (!socket) throw new Error(`the server did not agree to the upgrade: ${answer.statusCode} ${await readText(answer)}`);
    return new Talk(socket, head, answer);
  }

  /** The other end of such a connection. */
  talk(socket: Duplex, head: Buffer, message: IncomingMessage): Talk {
    this.#opened.add(socket);
    return new Talk(socket, head, message);
  }

  close(): void {
    for (const one of this.#opened) one.destroy();
  }

  async #send(path: string, { method = 'GET', headers = {}, body, as, signal }: Wanted) {
    this.#admin ??= await this.#plane.issue('admin', ['system:masters']);
    const { hostname, port } = new URL(this.#plane.serverUrl);
    const sending = request({
      host: hostname,
      port,
      path,
      method,
      headers,
      ca: this.#plane.ca,
      ...(as ?? this.#admin),
      agent: false,
      signal,
    });
    this.#opened.add(sending);
    sending.on('error', () => {});
    const answered = new Promise<{ answer: IncomingMessage; socket?: Duplex; head: Buffer }>((resolve, reject) => {
      sending.on('response', (answer) => resolve({ answer, head: Buffer.alloc(0) }));
      sending.on('upgrade', (answer, socket, head) => {
        this.#opened.add(socket);
        resolve({ answer, socket, head });
      });
      sending.on('error', reject);
    });
    sending.end(body);
    const outcome = await withDeadline(`an answer to ${method} ${path}`, answered);
    if (NotImplemented.first) throw NotImplemented.first;
    return outcome;
  }
}

/** One end of a connection that belongs to nobody's protocol. */
export class Talk {
  readonly answer: IncomingMessage;
  readonly socket: Duplex;
  heard = '';
  hasEnded = false;

  constructor(socket: Duplex, head: Buffer, answer: IncomingMessage) {
    this.socket = socket;
    this.answer = answer;
    socket.on('error', () => {});
    this.heard += head;
    socket.on('data', (chunk) => (this.heard += chunk));
    socket.on('end', () => (this.hasEnded = true));
    socket.on('close', () => (this.hasEnded = true));
  }

  say(text: string): void {
    this.socket.write(text);
  }

  async hears(text: string): Promise<void> {
    await eventually(`"${text}" is heard`, () => this.heard.includes(text), {
      story: () => `heard until now: "${this.heard.slice(-500)}"`,
    });
  }

  async ends(): Promise<void> {
    await eventually('the connection ends', () => this.hasEnded);
  }
}

/** The other side of an upgrade: it agrees, with these headers. */
export function agree(socket: Duplex, headers: Record<string, string>): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
}

/** Reads a request's body, and answers with what the request was. */
export function mirror(message: IncomingMessage, response: ServerResponse): void {
  void readText(message).then((body) => {
    const { method, url, headers } = message;
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ method, url, headers, body }));
  });
}
