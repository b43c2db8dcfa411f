// GET pods/<name>/exec, /attach and /portforward: a WebSocket that ends at the pod's kubelet. The API server finds the way, lets the
// kubelet shake hands, and from then on carries bytes both ways without looking at them; a slow reader slows the writer down.
// Kubernetes: pkg/registry/core/pod/rest/subresources.go; staging/src/k8s.io/apimachinery/pkg/util/proxy/upgradeaware.go

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import type { Pod } from '#kit/api';
import type { ApiResources } from './api-resources.ts';
import { badRequest } from './errors.ts';
import { nodeRefusal } from './node-connections.ts';
import type { Target } from './object.ts';
import { chooseContainer } from './pod-container.ts';
import type { ApiRequest } from './server.ts';

const passedOn = ['command', 'stdin', 'stdout', 'stderr', 'tty'];

/** Without an upgrade (kubectl before 1.30 sends a POST that asks for SPDY) the kubelet says what it wants instead. */
export async function openStream(kind: 'exec' | 'attach', target: Target, request: ApiRequest, api: ApiResources): Promise<undefined> {
  const pod = (await api.registry.get(target)) as Pod;
  const container = chooseContainer(pod, request.query.get('container') || undefined);
  const search = new URLSearchParams([...request.query].filter(([name]) => passedOn.includes(name)));
  await connect(pod, [kind, target.namespace ?? '', target.name, container], `?${search}`, request, api);
}

/** GET pods/<name>/portforward: which ports, the client says on the connection itself. */
export async function forwardPorts(target: Target, request: ApiRequest, api: ApiResources): Promise<undefined> {
  const pod = (await api.registry.get(target)) as Pod;
  await connect(pod, ['portForward', target.namespace ?? '', target.name], '', request, api);
}

async function connect(pod: Pod, path: string[], search: string, { message, response, upgrade }: ApiRequest, { nodes }: ApiResources) {
  const nodeName = pod.spec?.nodeName;
  if (!nodeName) throw badRequest(`pod ${pod.metadata?.name} does not have a host assigned`);
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const headers = upgrade ? handshakeOf(message.headers) : {};
  const url = `/${path.map(encodeURIComponent).join('/')}${search}`;
  const { answer, connection } = await nodes.open(nodeName, url, { headers, signal: gone.signal });
  if (!upgrade || !connection) throw await nodeRefusal(answer);

  response.detachSocket(upgrade.socket as TLSSocket);
  upgrade.socket.write(headOf(answer));
  await carry({ ...upgrade, to: connection });
}

/** The client's half of the handshake, for the kubelet to answer. */
function handshakeOf(headers: IncomingHttpHeaders): Record<string, string> {
  const own = Object.entries(headers).filter(([name]) => name.startsWith('sec-websocket-'));
  return { ...Object.fromEntries(own as [string, string][]), connection: 'Upgrade', upgrade: 'websocket' };
}

/** The kubelet's half, as it came. */
function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}\r\n`] : []));
  return `HTTP/1.1 ${statusCode} ${statusMessage}\r\n${lines.join('')}\r\n`;
}

interface Carried {
  socket: Duplex;
  head: Buffer;
  to: { socket: Duplex; head: Buffer };
}

/** Resolves when either side has ended. Nobody is left to tell how. */
async function carry({ socket, head, to }: Carried): Promise<void> {
  to.socket.write(head);
  socket.write(to.head);
  const both = [pipeline(socket, to.socket), pipeline(to.socket, socket)];
  await Promise.allSettled(both);
}
