// The kubelet's own HTTPS API. The API server calls it when somebody wants a container's output, or into a container; few others may
// (node-api-access.ts). Answers are plain text and JSON, errors plain text; exec, attach and port-forward become other connections.
// Kubernetes: pkg/kubelet/server/server.go

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import type { Pod } from '#kit/api';
import type { Clock } from '#kit/clock';
import type { ListenAddress, RunningComponent, ServingTls } from '#kit/component';
import type { Logger } from '#kit/log';
import { asksForUpgrade, responseOn } from '#kit/upgrade';
import { containerLogs, firstBytes, LogProblem, logRequest } from './container-logs.ts';
import { ContainerStreams, streamRequest } from './container-streams.ts';
import type { NodeApiAccess } from './node-api-access.ts';
import { PodTunnels } from './pod-tunnels.ts';
import { offersPortForward, PortForwards } from './port-forward.ts';
import { portsIn } from './port-forward-channels.ts';
import type { ContainerRuntime } from './runtime.ts';

export interface NodeApiOptions {
  listen: ListenAddress;
  tls: Required<ServingTls>;
  runtime: ContainerRuntime;
  pods: { list(): Pod[]; get(namespace: string, name: string): Pod | undefined };
  access: NodeApiAccess;
  clock: Clock;
  log: Logger;
}

export interface NodeApi extends RunningComponent {
  readonly port: number;
}

export async function startNodeApi(options: NodeApiOptions): Promise<NodeApi> {
  const { listen, tls, log } = options;
  // Unknown clients get an answer that they understand, so the certificate is asked for here and judged below.
  const asking = { cert: tls.cert, key: tls.key, ca: tls.clientCa, requestCert: true, rejectUnauthorized: false };
  const server = createServer({ ...asking, shouldUpgradeCallback: asksForUpgrade }, (request, response) => {
    answer({ ...options, ...doors }, request, response).catch((error) => fail(response, error, log));
  });
  const doors = { streams: new ContainerStreams(options), portForwards: new PortForwards(options), tunnels: new PodTunnels(options) };
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', (error) => log.debug('a connection broke', { error }));
    const response = responseOn(socket, request);
    const connect = (take: Connect) => {
      response.detachSocket(socket as TLSSocket);
      take(request, socket, head);
    };
    answer({ ...options, ...doors }, request, response, connect).catch((error) => fail(response, error, log));
  });
  server.on('connect', (request, socket, head) => void doors.tunnels.connect(request, socket, head));
  await listening(server, listen);
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`,
    port,
    stop: async () => {
      doors.streams.stop();
      doors.portForwards.stop();
      doors.tunnels.stop();
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Takes a connection over, with what has come in on it already. */
type Connect = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

interface Doors {
  streams: ContainerStreams;
  portForwards: PortForwards;
}

/** What a request hears that cannot become a connection. */
const wantsUpgrade = 'Upgrade request required: a WebSocket, or SPDY/3.1';

/** `connect` is there when the request asks for a WebSocket, or SPDY. */
async function answer(
  { runtime, pods, clock, access, streams, portForwards }: NodeApiOptions & Doors,
  request: IncomingMessage,
  response: ServerResponse,
  connect?: (take: Connect) => void,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'https://localhost');
  const [resource, ...path] = pathname.slice(1).split('/').map(decodeURIComponent);
  if (resource === 'healthz' && path.length === 0) return text(response, 200, 'ok');
  const refusal = await access.refusal(request);
  if (refusal) return text(response, refusal.code, refusal.message);
  if (request.method !== 'GET' && !(connect && request.method === 'POST')) return text(response, 405, 'Method Not Allowed');

  const [namespace = '', podName = '', containerName = ''] = path;
  if (resource === 'pods' && path.length === 0) {
    const list = { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: pods.list() };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(list));
  } else if (resource === 'containerLogs' && path.length === 3) {
    const pod = pods.get(namespace, podName);
    if (!pod) return text(response, 404, `pod "${podName}" is not on this node`);
    const log = logRequest(searchParams, clock.now());
    await send(await containerLogs(runtime, pod, containerName, log), log.limitBytes, response);
  } else if ((resource === 'exec' || resource === 'attach') && path.length === 3) {
    const pod = pods.get(namespace, podName);
    if (!pod) return text(response, 404, `pod "${podName}" is not on this node`);
    if (!connect) return text(response, 400, wantsUpgrade);
    const wanted = streamRequest(resource, pod, containerName, searchParams);
    connect((...connection) => streams.connect(wanted, ...connection));
  } else if (resource === 'portForward' && path.length === 2) {
    const pod = pods.get(namespace, podName);
    if (!pod) return text(response, 404, `pod "${podName}" is not on this node`);
    const ports = portsIn(searchParams);
    if (!connect || !offersPortForward(request, ports)) return text(response, 400, wantsUpgrade);
    connect((...connection) => portForwards.connect(pod, ports, ...connection));
  } else {
    text(response, 404, '404 page not found');
  }
}

/** Lets the output go when the reader goes away, however quiet the container is. */
async function send(output: Readable, limitBytes: number, response: ServerResponse): Promise<void> {
  response.on('close', () => output.destroy());
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  await pipeline(firstBytes(output, limitBytes), response).catch((error) => {
    if (!response.destroyed) throw error;
  });
}

function fail(response: ServerResponse, error: unknown, log: Logger): void {
  const message = error instanceof Error ? error.message : String(error);
  if (response.headersSent) {
    log.warn('an answer of the node API broke off', { error });
    response.destroy();
  } else if (error instanceof LogProblem) text(response, error.code, message);
  else if (error instanceof URIError) text(response, 400, message);
  else {
    log.error('a request to the node API failed', { error });
    text(response, 500, message);
  }
}

function text(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(message);
}

function listening(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}
