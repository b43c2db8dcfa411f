// An API server that does what a test tells it: it serves one list of pods over real HTTP, and can refuse, forget its history, break
// connections and send bookmarks on command. It knows no validation, and no other resource.

import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Pod } from '#kit/api';
import { Client } from '#kit/client';
import { failure } from '#kit/status';

interface Change {
  version: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: Pod;
}

interface Request {
  isWatch: boolean;
  path: string;
  query: URLSearchParams;
}

export class ScriptedApiServer {
  readonly requests: Request[] = [];
  /** Called when a list has been answered and before anything else is. */
  afterList: () => void = () => {};
  /** So many requests more are answered 503. */
  refuse = 0;
  readonly #server: Server;
  readonly #objects = new Map<string, Pod>();
  readonly #watchers = new Set<ServerResponse>();
  readonly #clients: Client[] = [];
  #history: Change[] = [];
  #version = 100;
  /** The last version that is forgotten. */
  #compacted = 0;
  #uids = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://localhost');
      const isWatch = query.get('watch') === 'true';
      this.requests.push({ isWatch, path, query });
      if (this.refuse > 0) {
        this.refuse--;
        answer(response, 503, failure(503, 'ServiceUnavailable', 'told to refuse'));
      } else if (isWatch) this.#watch(query, response);
      else this.#list(query, response);
    });
  }

  async start(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  client(): Client {
    const client = new Client({ server: `http://127.0.0.1:${this.port}`, userAgent: 'test' });
    this.#clients.push(client);
    return client;
  }

  get lists(): Request[] {
    return this.requests.filter(({ isWatch }) => !isWatch);
  }

  get watches(): Request[] {
    return this.requests.filter(({ isWatch }) => isWatch);
  }

  get openWatches(): number {
    return this.#watchers.size;
  }

  /** Creates the pod or changes its labels; tells whoever watches. `anew`: it is another pod of the same name. */
  put(name: string, labels: Record<string, string> = {}, { anew = false, namespace = 'default' } = {}): Pod {
    const key = `${namespace}/${name}`;
    const old = this.#objects.get(key);
    const uid = old && !anew ? (old.metadata?.uid ?? '') : `uid-${++this.#uids}`;
    const object: Pod = { metadata: { name, namespace, uid, labels, resourceVersion: String(++this.#version) } };
    this.#objects.set(key, object);
    this.#tell({ version: this.#version, type: old ? 'MODIFIED' : 'ADDED', object });
    return object;
  }

  remove(name: string, namespace = 'default'): void {
    const old = this.#objects.get(`${namespace}/${name}`);
    this.#objects.delete(`${namespace}/${name}`);
    const metadata = { ...old?.metadata, resourceVersion: String(++this.#version) };
    this.#tell({ version: this.#version, type: 'DELETED', object: { ...old, metadata } });
  }

  /** Tells whoever watches which version it is, though none of their objects changed. */
  bookmark(): void {
    this.#version += 10;
    for (const watcher of this.#watchers) send(watcher, 'BOOKMARK', { kind: 'Pod', metadata: { resourceVersion: String(this.#version) } });
  }

  /** A watch from any version before this one is answered 410. */
  forgetHistory(): void {
    this.#compacted = ++this.#version;
    this.#history = [];
  }

  /** The server ends every watch in good order, as it does every few minutes. */
  endWatches(): void {
    for (const watcher of this.#watchers) watcher.end();
  }

  /** The connection of every watch breaks. */
  breakWatches(): void {
    for (const watcher of this.#watchers) watcher.destroy();
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get('continue') ?? 0);
    const all = [...this.#objects.values()];
    const limit = Number(query.get('limit') ?? 0) || all.length;
    const rest = all.length > from + limit ? { continue: String(from + limit) } : {};
    const items = all.slice(from, from + limit);
    answer(response, 200, { kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: String(this.#version), ...rest }, items });
    this.afterList();
  }

  #watch(query: URLSearchParams, response: ServerResponse): void {
    const from = Number(query.get('resourceVersion') ?? 0);
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    if (from < this.#compacted) {
      send(response, 'ERROR', failure(410, 'Expired', `too old resource version: ${from} (${this.#compacted})`));
      response.end();
      return;
    }
    this.#watchers.add(response);
    response.on('close', () => this.#watchers.delete(response));
    for (const { version, type, object } of this.#history) if (version > from) send(response, type, object);
  }

  #tell(change: Change): void {
    this.#history.push(change);
    for (const watcher of this.#watchers) send(watcher, change.type, change.object);
  }
}

function answer(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function send(response: ServerResponse, type: string, object: object): void {
  response.write(`${JSON.stringify({ type, object })}\n`);
}
