// The HTTPS server: every request gets one answer, and whatever goes wrong becomes a Status. It knows connections and errors, asks
// the gate who may come in, and leaves what a request means to the handler.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/server/config.go, DefaultBuildHandlerChain

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '#kit/clock';
import type { ListenAddress, ServingTls } from '#kit/component';
import type { Logger } from '#kit/log';
import { asksForUpgrade, responseOn } from '#kit/upgrade';
import { actionOf } from './access/actions.ts';
import type { Gate } from './access/gate.ts';
import { isMaster, type User } from './access/users.ts';
import type { Audit, AuditTrail } from './audit/audit.ts';
import { statusOf } from './errors.ts';
import { isProbe } from './health.ts';
import { serialize } from './negotiation.ts';
import { requestKind, requestLabels } from './request-kind.ts';
import { timeoutOf, within } from './request-timeout.ts';
import type { ServerMetrics } from './server-metrics.ts';
import type { Traffic } from './traffic.ts';

export interface ApiRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  user: User;
  message: IncomingMessage;
  response: ServerResponse;
  /** Only when the client asks for a WebSocket or SPDY: the connection, for a handler that takes it over from `response`. */
  upgrade?: Upgrade | undefined;
  /** Adds something to what the audit log says of the request. */
  annotate(key: string, value: string): void;
}

export interface Upgrade {
  socket: Duplex;
  /** What came after the request already. */
  head: Buffer;
}

/** What a handler answers; undefined when it has written the response itself, or is still writing it. */
export interface Answer {
  /** HTTP status; absent: 200 */
  code?: number;
  /** A text and bytes are sent as they are. */
  body: object | string;
  /** absent: JSON, or plain text for a text */
  contentType?: string;
  headers?: Record<string, string>;
}

export type Handler = (request: ApiRequest) => Promise<Answer | undefined>;

interface Serving {
  gate: Gate;
  handler: Handler;
  traffic: Traffic;
  metrics: ServerMetrics;
  /** Absent: nothing is written down. */
  audit: Audit | undefined;
  /** Milliseconds that an answer may take at most. */
  requestTimeoutMs: number;
  clock: Clock;
  log: Logger;
}

export interface Server {
  url: string;
  /** Takes no more connections, answers what was asked, and closes every connection. */
  close(): Promise<void>;
}

/** So long is an answer waited for when the server stops. */
const patienceMs = 2000;
const tooManyRequests: Answer = {
  code: 429,
  body: 'Too many requests, please try again later.\n',
  headers: { 'retry-after': '1' },
};

export async function startServer({
  listen,
  tls,
  ...serving
}: Serving & {
  listen: ListenAddress;
  tls: Required<ServingTls>;
}): Promise<Server> {
  const { log, traffic, clock } = serving;
  const asking = { cert: tls.cert, key: tls.key, ca: tls.clientCa, requestCert: true, rejectUnauthorized: false };
  const server = createServer({ ...asking, shouldUpgradeCallback: asksForUpgrade });
  // Clients keep connections for long and must not find them closed in the moment they use them.
  server.keepAliveTimeout = 180_000;
  server.on('request', (message, response) => void serve(serving, message, response));
  server.on('upgrade', (message, socket, head) => {
    socket.on('error', (error) => log.debug('a connection broke', { error }));
    void serve(serving, message, responseOn(socket, message), { socket, head });
  });
  server.on('tlsClientError', (error) => log.debug('a TLS handshake failed', { error }));
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.setNoDelay(true));
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const over = new AbortController();
    await Promise.race([traffic.quiet(), clock.sleep(patienceMs, over.signal)]);
    over.abort();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { url: `https://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`, close };
}

async function serve(
  { gate, handler, traffic, metrics, audit, requestTimeoutMs, clock, log }: Serving,
  message: IncomingMessage,
  response: ServerResponse,
  upgrade?: Upgrade,
): Promise<void> {
  const { method = 'GET', url = '/' } = message;
  const [path = '/', search] = splitOnce(url, '?');
  const query = new URLSearchParams(search);
  const asked = { method, path, query, contentType: message.headers['content-type'] };
  const kind = requestKind(asked);
  const leave = traffic.enter(kind);
  const answered = metrics.begin(kind, requestLabels(asked));
  let trail: AuditTrail | undefined;
  let isKnown = false;
  const audited = () => ({ message, action: actionOf(method, path, query) });
  const identified = (user: User, impersonated: User | undefined) => {
    isKnown = true;
    trail = audit?.begin({ ...audited(), user, impersonated });
    for (const [key, value] of Object.entries(user.annotations ?? {})) trail?.annotate(key, value);
  };
  const over = new AbortController();
  // Whoever takes the connection over has no response any more.
  (upgrade?.socket ?? response).once('close', () => {
    // A reason of our own: without one, an error is made, and its stack looked up, for every request.
    over.abort('closed');
    leave();
    answered(response.statusCode);
    trail?.completed(response.statusCode);
  });
  try {
    const work = async () => {
      const user = await gate.admit({ method, path, query, message, ...(audit ? { identified } : {}) });
      trail?.allowed();
      if (!isExempt(user, path) && !(await traffic.turn(kind, user.name, over.signal))) return tooManyRequests;
      const annotate = (key: string, value: string) => trail?.annotate(key, value);
      return handler({ method, path, query, user, message, response, upgrade, annotate });
    };
    const answer = await (kind === 'longRunning' ? work() : within(timeoutOf(query, requestTimeoutMs), work(), clock));
    if (answer) trail?.answered(answer.body);
    else trail?.started(response.statusCode);
    if (answer) send(response, answer);
  } catch (error) {
    const status = statusOf(error);
    trail?.answered(status);
    if (status.code === 401 && !isKnown) audit?.turnedAway(audited(), status);
    if (status.code === 500) log.error('a request failed unexpectedly', { method, path, error, stack: (error as Error).stack });
    if (response.headersSent) return void response.destroy();
    // What is left of a body that nobody wants would be taken for the next request.
    if (!message.complete || upgrade) response.setHeader('connection', 'close');
    send(response, { code: status.code ?? 500, body: status });
  }
}

/** The cluster's last resort always gets through, and so does who asks whether the server is well. */
function isExempt(user: User, path: string): boolean {
  return isMaster(user) || isProbe(path);
}

function send(response: ServerResponse, { code = 200, body, contentType, headers = {} }: Answer): void {
  const type = contentType ?? (typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json');
  const text = typeof body === 'string' || Buffer.isBuffer(body) ? body : serialize(body, type);
  const length = Buffer.byteLength(text);
  response.writeHead(code, { 'content-type': type, 'content-length': length, 'cache-control': 'no-cache, private', ...headers });
  response.end(text);
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
