// GET pods/<name>/log: the API server asks the pod's kubelet and passes on what it says, as it comes.
// Kubernetes: pkg/registry/core/pod/strategy.go, LogLocation; pkg/registry/core/pod/rest/log.go

import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Pod } from '#kit/api';
import { NotImplemented } from '#kit/not-implemented';
import { ApiError, failure } from '#kit/status';
import { readText } from '#kit/transport';
import type { ApiResources } from './api-resources.ts';
import { backendError, badRequest, invalid } from './errors.ts';
import { forbiddenField, invalidValue } from './kinds/field-errors.ts';
import type { Target } from './object.ts';
import { open, Unreachable } from './outgoing.ts';
import { chooseContainer } from './pod-container.ts';
import type { ApiRequest } from './server.ts';

const passedOn = ['follow', 'previous', 'sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes', 'timestamps'];
/** The least that each number may be. */
const least = { sinceSeconds: 1, tailLines: 0, limitBytes: 1 };

/**
 * Answers with what a container has written, as plain text. The kubelet has it, at
 * `/containerLogs/<namespace>/<pod>/<container>?<logQuery>`. In this order:
 *
 * - The pod must be there (`registry.get` says so if it isn't), the query must make sense (`logQuery`), and the container is chosen
 *   (`chooseContainer`).
 * - A pod without a node has said nothing yet: 204, and no body.
 * - `askKubelet` asks the kubelet. An answer of 400 or above is thrown as `kubeletRefusal` makes it.
 * - Otherwise 200 with content-type `text/plain`. With `follow`, a line may be hours away: the client gets the head at once. A client that
 *   reads slowly makes the kubelet wait, and when it goes away, the question to the kubelet ends.
 */
export async function streamLog(target: Target, { query, response }: ApiRequest, api: ApiResources): Promise<undefined> {
  throw new NotImplemented('2.12', "Bring a container's output to whoever asks, as it is written");
}

/**
 * What of the query the kubelet is told. Throws when it makes no sense: 400 for what is no number, 422 for numbers that are too small, and
 * for two beginnings at once.
 */
export function logQuery(query: URLSearchParams): URLSearchParams {
  const causes = Object.entries(least).flatMap(([name, minimum]) => {
    const text = query.get(name);
    if (!text) return [];
    if (!/^[+-]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
    const rule = minimum === 0 ? 'must be greater than or equal to 0' : 'must be greater than 0';
    return Number(text) < minimum ? [invalidValue(name, Number(text), rule)] : [];
  });
  const both = query.get('sinceSeconds') && query.get('sinceTime');
  if (both) causes.push(forbiddenField('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  if (causes.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, '', causes);
  return new URLSearchParams([...query].filter(([name]) => passedOn.includes(name)));
}

async function askKubelet(nodeName: string, path: string, signal: AbortSignal, { nodes }: ApiResources): Promise<IncomingMessage> {
  const kubelet = await nodes.kubelet(nodeName);
  try {
    return (await open(kubelet, { path, signal })).answer;
  } catch (error) {
    throw error instanceof Unreachable ? backendError(`Get "https://${kubelet.host}:${kubelet.port}${path}": ${error.message}`) : error;
  }
}

/** What a kubelet said instead of doing it, for the client to hear. */
export async function kubeletRefusal(answer: IncomingMessage, { resource, name }: Target): Promise<ApiError> {
  const said = (await readText(answer)).trim();
  const code = answer.statusCode ?? 500;
  if (code === 400) return badRequest(said);
  if (code === 500) return new ApiError(failure(500, 'InternalError', `Internal error occurred: ${said}`, { causes: [{ message: said }] }));
  if (code === 404)
    return new ApiError(failure(404, 'NotFound', `the server could not find the requested resource ( ${resource.plural} ${name})`));
  return new ApiError(failure(code, '', said));
}
