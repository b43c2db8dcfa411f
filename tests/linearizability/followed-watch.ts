// A client that lists and watches from there for as long as it can, and now and then goes back to a moment that it has seen before. It writes
// down what it was told, one film after the other: a new one whenever it had to list anew, or went back.

import { isDeepStrictEqual } from 'node:util';
import { type ConfigMap, ConfigMaps } from '#kit/api';
import type { Client } from '#kit/client';
import { type Random, systemClock } from '#kit/clock';
import { ApiError } from '#kit/status';
import { byKey, eventsAfter, type Scope, type Step, stateAt, type Told, type Version, versionOf } from './written-history.ts';

export interface Film {
  from: number;
  /** What was there at its beginning, where it began with a list. */
  listed: Version[] | undefined;
  told: Told[];
}

/** After each watch: so often the client goes back, rather than on. */
const goesBack = 0.2;

export class FollowedWatch {
  readonly scope: Scope;
  readonly films: Film[] = [];
  readonly #client: Client;
  readonly #random: Random;
  readonly #over = new AbortController();
  readonly #running: Promise<void>;

  constructor(client: Client, scope: Scope, random: Random) {
    this.#client = client;
    this.scope = scope;
    this.#random = random;
    this.#running = this.#run();
    this.#running.catch(() => {}); // Rejects in `stop`.
  }

  /** Everything up to this revision was told. */
  get revision(): number {
    const film = this.films.at(-1);
    return film?.told.at(-1)?.revision ?? film?.from ?? 0;
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    let isLost = true;
    while (!this.#over.signal.aborted) {
      try {
        if (isLost) await this.#list();
        isLost = false;
        await this.#watch();
        if (this.#random() < goesBack) this.#goBack();
      } catch (error) {
        if (error instanceof SyntaxError) throw error;
        isLost ||= error instanceof ApiError && error.code === 410;
        await systemClock.sleep(20);
      }
    }
  }

  async #list(): Promise<void> {
    const { items, metadata } = await this.#client.list(ConfigMaps, { ...this.scope });
    this.films.push({ from: Number(metadata.resourceVersion), listed: items.map(versionOf).sort(byKey), told: [] });
  }

  /** Until the server ends it, which is soon. */
  async #watch(): Promise<void> {
    const told = this.films.at(-1)?.told;
    const timeoutSeconds = 1 + Math.floor(this.#random() * 3);
    const options = { ...this.scope, resourceVersion: String(this.revision), allowWatchBookmarks: true, timeoutSeconds };
    for await (const { type, object } of this.#client.watch(ConfigMaps, { ...options, signal: this.#over.signal })) {
      const revision = Number(object.metadata?.resourceVersion);
      told?.push({ type, revision, ...(type === 'BOOKMARK' ? {} : { version: versionOf(object as ConfigMap) }) });
    }
  }

  #goBack(): void {
    const moments = this.films.flatMap(({ from, told }) => [from, ...told.map(({ revision }) => revision)]).slice(-300);
    const from = moments[Math.floor(this.#random() * moments.length)] as number;
    this.films.push({ from, listed: undefined, told: [] });
  }
}

/** Where a film is not the history from its beginning to where it breaks off. */
export function problemsOf({ from, listed, told }: Film, steps: Step[], scope: Scope): string[] {
  const where = `${JSON.stringify(scope)} from ${from}`;
  const state = stateAt(steps, from, scope);
  if (listed && !isDeepStrictEqual(listed, state)) {
    return [`${where}: the list shows ${JSON.stringify(listed)}, but there was ${JSON.stringify(state)}`];
  }
  const expected = eventsAfter(steps, from, scope);
  let next = 0;
  for (const event of told) {
    const due = expected[next];
    if (event.type === 'BOOKMARK') {
      if (due && due.revision <= event.revision) return [`${where}: a bookmark at ${event.revision} hides ${JSON.stringify(due)}`];
    } else {
      if (!isDeepStrictEqual(event, due)) return [`${where}: it told ${JSON.stringify(event)} where ${JSON.stringify(due)} was due`];
      next++;
    }
  }
  return [];
}
