// The kubelet's own HTTPS API. The API server calls it when somebody wants a container's output; nobody else has a certificate
// that counts. Answers are plain text and JSON, errors plain text.
// Kubernetes: pkg/kubelet/server/server.go

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import type { Pod } from '#kit/api';
import type { Clock } from '#kit/clock';
import type { ListenAddress, RunningComponent, ServingTls } from '#kit/component';
import type { Logger } from '#kit/log';
import { containerLogs, firstBytes, LogProblem, logRequest } from './container-logs.ts';
import type { ContainerRuntime } from './runtime.ts';

export interface NodeApiOptions {
  listen: ListenAddress;
  tls: Required<ServingTls>;
  runtime: ContainerRuntime;
  pods: { list(): Pod[]; get(namespace: string, name: string): Pod | undefined };
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
  const server = createServer(asking, (request, response) => {
    answer(options, request, response).catch((error) => fail(response, error, log));
  });
  await listening(server, listen);
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://${listen.host.includes(':') ? `[${listen.host}]` : listen.host}:${port}`,
    port,
    stop: async () => {
      server.closeAllConnections();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer({ runtime, pods, clock }: NodeApiOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'https://localhost');
  const [resource, ...path] = pathname.slice(1).split('/').map(decodeURIComponent);
  if (resource === 'healthz' && path.length === 0) return text(response, 200, 'ok');
  if (!(request.socket as TLSSocket).authorized) return text(response, 401, 'Unauthorized');
  if (request.method !== 'GET') return text(response, 405, 'Method Not Allowed');

  const [namespace = '', podName = '', containerName = ''] = path;
  if (resource === 'pods' && path.length === 0) {
    const list = { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: pods.list() };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(list));
  } else if (resource === 'containerLogs' && path.length === 3) {
    const pod = pods.get(namespace, podName);
    if (!pod) return text(response, 404, `pod "${podName}" is not on this node`);
    const log = logRequest(searchParams, clock.now());
    await send(await containerLogs(runtime, pod, containerName, log), log.limitBytes, response);
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
  if (response.headersSent) response.destroy();
  else if (error instanceof LogProblem) text(response, error.code, message);
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
