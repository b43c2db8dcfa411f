// `kubectl logs`: from a request to one run of a container and what of its output is wanted.
// Kubernetes: pkg/kubelet/kubelet.go (GetKubeletContainerLogs), kubelet_pods.go (validateContainerLogStatus)

import type { Readable } from 'node:stream';
import type { Pod } from '#kit/api';
import { type ContainerRuntime, type LogOptions, newestContainer, type RuntimeContainer } from './runtime.ts';

/** A request that can't be answered: an HTTP code and why. */
export class LogProblem extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'LogProblem';
    this.code = code;
  }
}

export interface LogRequest extends LogOptions {
  previous: boolean;
  limitBytes: number;
}

/** From `follow`, `previous`, `timestamps`, `tailLines`, `limitBytes`, `sinceSeconds`, `sinceTime`. Throws LogProblem 400. */
export function logRequest(query: URLSearchParams, now: number): LogRequest {
  const truth = (name: string) => ['true', '1', ''].includes(query.get(name) ?? 'false');
  const number = (name: string) => {
    const text = query.get(name);
    if (text === null) return undefined;
    if (!/^\d+$/.test(text)) throw new LogProblem(400, `${name} must be a whole number, not "${text}"`);
    return Number(text);
  };
  const tailLines = number('tailLines');
  const since = sinceOf(query.get('sinceTime'), number('sinceSeconds'), now);
  return {
    follow: truth('follow'),
    previous: truth('previous'),
    timestamps: truth('timestamps'),
    ...(tailLines === undefined ? {} : { tailLines }),
    limitBytes: number('limitBytes') ?? Number.POSITIVE_INFINITY,
    ...(since === undefined ? {} : { since }),
  };
}

function sinceOf(sinceTime: string | null, sinceSeconds: number | undefined, now: number): number | undefined {
  if (sinceSeconds !== undefined) return now - sinceSeconds * 1000;
  if (sinceTime === null) return undefined;
  const time = Date.parse(sinceTime);
  if (Number.isNaN(time)) throw new LogProblem(400, `sinceTime must be a time as in RFC 3339, not "${sinceTime}"`);
  return time;
}

/** The output, as a stream, whatever its length. Rejects with LogProblem when there is no such run. */
export async function containerLogs(runtime: ContainerRuntime, pod: Pod, name: string, request: LogRequest): Promise<Readable> {
  const run = request.previous ? previousRun(runtime, pod, name) : presentRun(runtime, pod, name);
  return runtime.logs(run.id, request);
}

function presentRun(runtime: ContainerRuntime, pod: Pod, name: string): RuntimeContainer {
  const { name: podName = '', uid = '' } = pod.metadata ?? {};
  const { initContainers = [], containers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const all = [...initContainers, ...containers, ...ephemeralContainers];
  if (!all.some((container) => container.name === name)) throw new LogProblem(404, `container "${name}" not found in pod "${podName}"`);
  const run = newestContainer(runtime.pod(uid), name);
  if (run && run.state !== 'created') return run;
  const { initContainerStatuses = [], containerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {};
  const status = [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses].find((other) => other.name === name);
  const reason = status?.state?.waiting?.reason ?? 'ContainerCreating';
  throw new LogProblem(400, `container "${name}" in pod "${podName}" is waiting to start: ${reason}`);
}

/** The run before the present one; of a container that waits to be started again, the one that ended last. */
function previousRun(runtime: ContainerRuntime, pod: Pod, name: string): RuntimeContainer {
  const { name: podName = '', uid = '' } = pod.metadata ?? {};
  const runs = runtime.pod(uid).containers.filter((container) => container.name === name);
  const status = pod.status?.containerStatuses?.find((other) => other.name === name);
  const ended = status?.state?.waiting && runs[0]?.state === 'exited' ? runs[0] : runs[1];
  if (!ended) throw new LogProblem(400, `previous terminated container "${name}" in pod "${podName}" not found`);
  return ended;
}

/** The first so many bytes; the source is let go as soon as they are out. */
export async function* firstBytes(source: Readable, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  for await (const chunk of source) {
    const part = Buffer.from(chunk as Buffer | string).subarray(0, left);
    left -= part.length;
    yield part;
    if (left <= 0) return;
  }
}
