// GET pods/<name>/log: the API server asks the pod's kubelet and passes on what it says, as it comes.
// Kubernetes: pkg/registry/core/pod/strategy.go, LogLocation

import { pipeline } from 'node:stream/promises';
import type { Pod } from '#kit/api';
import type { ApiResources } from './api-resources.ts';
import { nodeRefusal } from './node-connections.ts';
import type { Target } from './object.ts';
import { chooseContainer } from './pod-container.ts';
import type { ApiRequest } from './server.ts';

const passedOn = ['follow', 'previous', 'sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes', 'timestamps'];

export async function streamLog(target: Target, { query, response }: ApiRequest, { registry, nodes }: ApiResources): Promise<undefined> {
  const pod = (await registry.get(target)) as Pod;
  const container = chooseContainer(pod, query.get('container') || undefined);
  const nodeName = pod.spec?.nodeName;
  // A pod without a node has said nothing yet.
  if (!nodeName) return void response.writeHead(200, { 'content-type': 'text/plain' }).end();
  const search = new URLSearchParams([...query].filter(([name]) => passedOn.includes(name)));
  const path = ['containerLogs', target.namespace ?? '', target.name, container].map(encodeURIComponent).join('/');
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const answer = await nodes.get(nodeName, `/${path}${search.size ? `?${search}` : ''}`, gone.signal);
  if ((answer.statusCode ?? 500) >= 400) throw await nodeRefusal(answer);
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  await pipeline(answer, response).catch((error) => {
    if (!gone.signal.aborted) throw error;
  });
}
