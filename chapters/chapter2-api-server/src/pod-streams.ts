// pods/<name>/exec, /attach and /portforward: a connection that ends at the pod's kubelet. The API server finds the way, lets the kubelet
// shake hands, and from then on carries bytes both ways without looking at them: be they a WebSocket (GET) or SPDY (POST).
// Kubernetes: pkg/registry/core/pod/rest/subresources.go

import type { Pod } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import type { ApiResources } from './api-resources.ts';
import { backendError, badRequest } from './errors.ts';
import type { Target } from './object.ts';
import { open, Unreachable } from './outgoing.ts';
import { chooseContainer } from './pod-container.ts';
import { relay } from './relay.ts';
import type { ApiRequest } from './server.ts';

/** Under these names the kubelet is told which streams are wanted. */
const streams: Record<string, string> = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' };

/**
 * The path and query at the kubelet: `/exec/<namespace>/<pod>/<container>?input=1&output=1&tty=1&command=sh&command=-c&command=ls`, and
 * `/attach/…` the same without commands. Of the client's query, `stdin`, `stdout`, `stderr` and `tty` get other names (`streams`) and count
 * when they are `true` or `1`; those that are not wanted are left out. `command` comes once for each word, in order, and words may hold any
 * character. The container is chosen by `chooseContainer`.
 */
export function streamPath(kind: 'exec' | 'attach', pod: Pod, query: URLSearchParams): string {
  throw new NotImplemented('2.12', "Ask the kubelet for a process with its streams, in the kubelet's words");
}

export async function openStream(kind: 'exec' | 'attach', target: Target, request: ApiRequest, api: ApiResources): Promise<undefined> {
  const pod = (await api.registry.get(target)) as Pod;
  await connect(pod, streamPath(kind, pod, request.query), request, api);
}

/** Which ports, the client says on the connection itself, or, in an old way, in the query. */
export async function forwardPorts(target: Target, request: ApiRequest, api: ApiResources): Promise<undefined> {
  const pod = (await api.registry.get(target)) as Pod;
  const search = new URLSearchParams(request.query.getAll('ports').map((port): [string, string] => ['port', port]));
  const path = `/${['portForward', target.namespace ?? '', target.name].map(encodeURIComponent).join('/')}`;
  await connect(pod, search.size > 0 ? `${path}?${search}` : path, request, api);
}

async function connect(pod: Pod, path: string, request: ApiRequest, { nodes }: ApiResources): Promise<void> {
  const { nodeName } = pod.spec ?? {};
  if (!nodeName) throw badRequest(`pod ${pod.metadata?.name} does not have a host assigned`);
  if (!request.upgrade) throw badRequest('Upgrade request required');
  const kubelet = await nodes.kubelet(nodeName);
  try {
    await relay(request, { path, open: (outgoing) => open(kubelet, outgoing) });
  } catch (error) {
    throw error instanceof Unreachable ? backendError(`error dialing backend: ${error.message}`) : error;
  }
}
