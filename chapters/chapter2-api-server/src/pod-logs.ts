// GET pods/<name>/log: the API server asks the pod's kubelet and passes on what it says, as it comes.
// Kubernetes: pkg/registry/core/pod/strategy.go, LogLocation

import { pipeline } from 'node:stream/promises';
import type { Pod } from '#kit/api';
import { ApiError, failure } from '#kit/status';
import { readText } from '#kit/transport';
import type { ApiResources } from './api-resources.ts';
import { badRequest } from './errors.ts';
import type { Target } from './object.ts';
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
  const code = answer.statusCode ?? 500;
  if (code >= 400)
    throw new ApiError(
      failure(code, code === 404 ? 'NotFound' : code === 400 ? 'BadRequest' : 'InternalError', (await readText(answer)).trim()),
    );
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  await pipeline(answer, response).catch((error) => {
    if (!gone.signal.aborted) throw error;
  });
}

/** The one that is named, or the only one there is. */
function chooseContainer({ metadata, spec }: Pod, wanted: string | undefined): string {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ name }) => name);
  const [only = ''] = spec?.containers.map(({ name }) => name) ?? [];
  if (wanted !== undefined) {
    if (containers.includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${metadata?.name}`);
  }
  if (spec?.containers.length === 1) return only;
  throw badRequest(`a container name must be specified for pod ${metadata?.name}, choose one of: [${containers.join(' ')}]`);
}
