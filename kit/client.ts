// The typed REST client: one method a verb. It knows no cache and no retry; informers (chapter 3) are built on top of it.
// Every method rejects with ApiError when the server answers a failure Status, and ConnectionError when it doesn't answer.

import type { KubernetesList, KubernetesObject, Resource } from '#kit/api';
import type { ClientTls } from '#kit/component';
import { ApiError, failure, type Status } from '#kit/status';
import { type HttpRequest, type HttpResponse, readLines, readText, Transport } from '#kit/transport';

export interface ListOptions {
  /** Absent: all namespaces. */
  namespace?: string | undefined;
  labelSelector?: string;
  fieldSelector?: string;
  limit?: number;
  continue?: string;
  resourceVersion?: string;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan';
}

export interface WatchOptions {
  namespace?: string | undefined;
  labelSelector?: string;
  fieldSelector?: string;
  /** Events after this version; absent: the present state first, as ADDED events. */
  resourceVersion?: string;
  allowWatchBookmarks?: boolean;
  timeoutSeconds?: number;
  /** Aborting ends the watch: the iteration ends without an error. */
  signal?: AbortSignal;
}

export type WatchEvent<T> = { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'; object: T };

export type PatchType = 'json' | 'merge' | 'strategic-merge' | 'apply';

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan';
  preconditions?: { uid?: string; resourceVersion?: string };
}

/** Which object: namespace is absent for cluster-scoped kinds. */
export interface ObjectName {
  name: string;
  namespace?: string | undefined;
}

const patchContentTypes: Record<PatchType, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  'strategic-merge': 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

export interface ClientConfig {
  /** e.g. `https://127.0.0.1:6443` */
  server: string;
  tls?: ClientTls;
  /** Bearer token; sent over HTTPS only. */
  token?: string;
  /** Names the component in the API server's log and in managedFields. */
  userAgent: string;
}

export class Client {
  readonly server: string;
  readonly #config: ClientConfig;
  readonly #transport: Transport;

  constructor(config: ClientConfig) {
    this.server = config.server;
    this.#config = config;
    this.#transport = new Transport(config.server, config.tls);
  }

  get<T extends KubernetesObject>(resource: Resource<T>, object: ObjectName): Promise<T> {
    return this.#json<T>({ method: 'GET', path: pathOf(resource, object) });
  }

  list<T extends KubernetesObject>(resource: Resource<T>, { namespace, ...query }: ListOptions = {}): Promise<KubernetesList<T>> {
    return this.#json<KubernetesList<T>>({ method: 'GET', path: pathOf(resource, { namespace }, '', query) });
  }

  create<T extends KubernetesObject>(resource: Resource<T>, object: T): Promise<T> {
    const namespace = object.metadata?.namespace;
    return this.#json<T>({ method: 'POST', path: pathOf(resource, { namespace }), body: typed(resource, object) });
  }

  /** Replaces the object. With metadata.resourceVersion set it fails with Conflict if somebody else wrote in between. */
  update<T extends KubernetesObject>(resource: Resource<T>, object: T): Promise<T> {
    return this.#json<T>({ method: 'PUT', path: pathOf(resource, nameOf(object)), body: typed(resource, object) });
  }

  /** Replaces the object's status and nothing else. */
  updateStatus<T extends KubernetesObject>(resource: Resource<T>, object: T): Promise<T> {
    return this.updateSubresource(resource, object, 'status');
  }

  /** Replaces what may be changed there and nothing else, e.g. a certificate request's `approval`. */
  updateSubresource<T extends KubernetesObject>(resource: Resource<T>, object: T, subresource: string): Promise<T> {
    return this.#json<T>({ method: 'PUT', path: pathOf(resource, nameOf(object), subresource), body: typed(resource, object) });
  }

  patch<T extends KubernetesObject>(
    resource: Resource<T>,
    object: ObjectName,
    type: PatchType,
    patch: unknown,
    { subresource = '', ...query }: { subresource?: string; fieldManager?: string; force?: boolean } = {},
  ): Promise<T> {
    const path = pathOf(resource, object, subresource, query);
    return this.#json<T>({ method: 'PATCH', path, headers: { 'content-type': patchContentTypes[type] }, body: JSON.stringify(patch) });
  }

  /** POSTs to a subresource, e.g. a Binding to a pod's `binding`. */
  createSubresource<T extends KubernetesObject>(
    resource: Resource<T>,
    object: ObjectName,
    subresource: string,
    body: object,
  ): Promise<unknown> {
    return this.#json({ method: 'POST', path: pathOf(resource, object, subresource), body: JSON.stringify(body) });
  }

  delete<T extends KubernetesObject>(resource: Resource<T>, object: ObjectName, options: DeleteOptions = {}): Promise<T | Status> {
    const body = JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', ...options });
    return this.#json<T | Status>({ method: 'DELETE', path: pathOf(resource, object), body });
  }

  /**
   * Events, one at a time, until the server ends the watch or the signal aborts (the iteration then just ends).
   * Throws ApiError with reason Expired when the resourceVersion is too old, and ConnectionError when the connection breaks.
   */
  async *watch<T extends KubernetesObject>(resource: Resource<T>, options: WatchOptions = {}): AsyncGenerator<WatchEvent<T>> {
    const { namespace, signal, ...query } = options;
    const path = pathOf(resource, { namespace }, '', { ...query, watch: true });
    try {
      const response = await this.send({ method: 'GET', path, signal });
      for await (const line of readLines(response.body)) {
        const event = JSON.parse(line) as WatchEvent<T> | { type: 'ERROR'; object: Status };
        if (event.type === 'ERROR') throw new ApiError(event.object);
        yield event;
      }
    } catch (error) {
      if (!signal?.aborted) throw error;
    }
  }

  /** Any request, its answer as a stream; rejects with ApiError on a code of 400 or more. */
  async send(request: HttpRequest): Promise<HttpResponse> {
    const { token, userAgent } = this.#config;
    const headers = {
      accept: 'application/json',
      'user-agent': userAgent,
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...request.headers,
    };
    const response = await this.#transport.send({ ...request, headers });
    if (response.code < 400) return response;
    const [path] = request.path.split('?');
    throw new ApiError(parseStatus(response.code, await readText(response.body)), `${request.method} ${path}`);
  }

  close(): void {
    this.#transport.close();
  }

  async #json<T>(request: HttpRequest): Promise<T> {
    const response = await this.send(request);
    return JSON.parse(await readText(response.body)) as T;
  }
}

/** `/api/v1/namespaces/default/pods/web/status?limit=1` */
export function pathOf(
  { apiVersion, plural, namespaced }: Resource<KubernetesObject>,
  { name, namespace }: Partial<ObjectName>,
  subresource = '',
  query: Record<string, string | number | boolean | undefined> = {},
): string {
  const prefix = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespaced && namespace ? ['namespaces', namespace] : [];
  const segments = [...scope, plural, ...(name ? [name] : []), ...(subresource ? [subresource] : [])];
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
  return `${prefix}/${segments.map(encodeURIComponent).join('/')}${search.size ? `?${search}` : ''}`;
}

function nameOf(object: KubernetesObject): ObjectName {
  const { name, namespace } = object.metadata ?? {};
  if (!name) throw new TypeError('the object has no metadata.name');
  return { name, namespace };
}

function typed<T extends KubernetesObject>({ apiVersion, kind }: Resource<T>, object: T): string {
  return JSON.stringify({ apiVersion, kind, ...object });
}

function parseStatus(code: number, text: string): Status {
  try {
    const status = JSON.parse(text) as Status;
    if (status.kind === 'Status') return status;
  } catch {
    // Not JSON: a proxy's or a crashed handler's text. It is shown as it came.
  }
  return failure(code, 'Unknown', text.trim() || `the server answered ${code} without a body`);
}
