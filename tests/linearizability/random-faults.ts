// What may happen to an API server, to its etcd and to those who watch, each by its name; and which of it happens next.

import type { Random } from '#kit/clock';
import { eventually } from '#kit/testing/wait';
import type { FaultyApiServer } from './faulty-api-server.ts';
import type { RandomWriters } from './random-writers.ts';

/** So that there is something to miss. */
const writesMeanwhile = 30;

export class RandomFaults {
  readonly #seed: number;
  readonly #timeline: string[] = [];
  readonly #server: FaultyApiServer;
  readonly #writers: RandomWriters;

  /** @param seed said when something goes wrong */
  constructor(server: FaultyApiServer, writers: RandomWriters, seed: number) {
    this.#seed = seed;
    this.#server = server;
    this.#writers = writers;
  }

  story(): string {
    return `seed ${this.#seed}: ${this.#timeline.join(', ')}`;
  }

  moreWrites(count: number): Promise<boolean> {
    return this.#more('acknowledged', count);
  }

  /** One after the other, with writes between them; some as soon as all have come back from the one before. */
  async happen(names: FaultName[], random: Random, allAreBack: () => Promise<unknown>): Promise<void> {
    for (const name of names) {
      await this.moreWrites(20);
      this.#timeline.push(name);
      await this.#faults[name]();
      if (random() < 0.5) continue;
      await allAreBack();
      this.#timeline.push('all are back');
    }
    await this.moreWrites(20);
  }

  readonly #faults: Record<FaultName, () => Promise<unknown>> = {
    'etcd is killed': () => this.#server.killEtcd(),
    'etcd cannot be reached': async () => {
      this.#server.etcdWire.cut();
      await this.#more('unknown', 5);
      this.#server.etcdWire.mend();
    },
    'etcd forgets its history': () => this.#server.compact(),
    'the API server is killed': () => this.#server.killApiServer(),
    'the connections are cut': () => this.#whileNobodyListens(async () => {}),
    'nothing comes through': async () => {
      this.#server.wire.freeze();
      await this.moreWrites(writesMeanwhile);
      this.#server.wire.mend();
    },
    'history is missed for good': () =>
      this.#whileNobodyListens(async () => {
        await this.#server.compact();
        await this.#server.killApiServer();
      }),
  };

  async #whileNobodyListens(happens: () => Promise<void>): Promise<void> {
    this.#server.wire.cut();
    await this.moreWrites(writesMeanwhile);
    await happens();
    this.#server.wire.mend();
  }

  #more(outcome: 'acknowledged' | 'unknown', count: number): Promise<boolean> {
    const enough = this.#writers.counts[outcome] + count;
    const story = () => this.story();
    return eventually(`${count} more writes are ${outcome}`, () => this.#writers.counts[outcome] >= enough, { within: 30_000, story });
  }
}

/** Faults that leave etcd the whole history. */
export const passingFaults = [
  'etcd is killed',
  'etcd cannot be reached',
  'the API server is killed',
  'the connections are cut',
  'nothing comes through',
] as const;
export const allFaults = [...passingFaults, 'etcd forgets its history', 'history is missed for good'] as const;
export type FaultName = (typeof allFaults)[number];

/** Each once, in any order, and then any. */
export function drawn(names: readonly FaultName[], count: number, random: Random): FaultName[] {
  const inAnyOrder = names.map((name) => ({ name, at: random() })).sort((one, other) => one.at - other.at);
  const anyMore = Array.from({ length: Math.max(0, count - names.length) }, () => names[Math.floor(random() * names.length)] as FaultName);
  return [...inAnyOrder.map(({ name }) => name), ...anyMore].slice(0, count);
}
