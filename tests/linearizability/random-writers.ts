// Some who write at random, at the same time, to the same few objects, and take what goes wrong as any client must: somebody else was
// faster, or nobody knows what became of it. Every write leaves its own name in the object's data, beside those that are there.

import { type ConfigMap, ConfigMaps } from '#kit/api';
import type { Client } from '#kit/client';
import { type Random, systemClock } from '#kit/clock';
import { ApiError } from '#kit/status';

export const namespaces = ['default', 'kube-system'];
/** So few that they get into each other's way, and so many that some stay as they are for a while. */
const often = [...'abcde'];
const seldom = [...'fghijklmnopqrstuvwxyz'];
const refusals = [404, 409];

/** Unknown: it is still under way, or no answer came, or one that leaves it open. */
export type Outcome = 'acknowledged' | 'refused' | 'unknown';

export class RandomWriters {
  /** By its name, what became of each write that anybody ever tried, but for deletions. */
  readonly outcomes = new Map<string, Outcome>();
  /** The uids of those whose deletion was acknowledged. */
  readonly deleted: string[] = [];
  readonly #client: Client;
  readonly #random: Random;
  readonly #running: Promise<unknown>;
  readonly #counts = { acknowledged: 0, refused: 0, unknown: 0 };
  #isOver = false;

  constructor(client: Client, random: Random, count: number) {
    this.#client = client;
    this.#random = random;
    this.#running = Promise.all(Array.from({ length: count }, () => this.#write()));
    this.#running.catch(() => {}); // Rejects in `stop`.
  }

  /** So many writes ended so. */
  get counts(): Readonly<Record<Outcome, number>> {
    return this.#counts;
  }

  /** Rejects with what went wrong and should not have. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #write(): Promise<void> {
    while (!this.#isOver) {
      const object = { name: this.#oneOf(this.#random() < 0.6 ? often : seldom), namespace: this.#oneOf(namespaces) };
      const outcome = this.#random() < 0.15 ? await this.#delete(object) : await this.#writeTo(object);
      this.#counts[outcome]++;
      if (outcome === 'unknown') await systemClock.sleep(20);
    }
  }

  async #writeTo(object: { name: string; namespace: string }): Promise<Outcome> {
    const write = `write-${this.outcomes.size}`;
    this.outcomes.set(write, 'unknown');
    const outcome = await outcomeOf(this.#createOrChange(object, write));
    this.outcomes.set(write, outcome);
    return outcome;
  }

  async #createOrChange(object: { name: string; namespace: string }, write: string): Promise<unknown> {
    const labels = { side: this.#oneOf(['left', 'right']) };
    const data = { [write]: '' };
    const chance = this.#random();
    if (chance < 0.3) return this.#client.create(ConfigMaps, { metadata: { ...object, labels }, data });
    if (chance < 0.55) return this.#client.patch(ConfigMaps, object, 'merge', { metadata: { labels }, data });
    const found: ConfigMap = await this.#client.get(ConfigMaps, object);
    return this.#client.update(ConfigMaps, { ...found, metadata: { ...found.metadata, labels }, data: { ...found.data, ...data } });
  }

  #delete(object: { name: string; namespace: string }): Promise<Outcome> {
    const deletion = async () => {
      const answer = await this.#client.delete(ConfigMaps, object);
      this.deleted.push(('details' in answer && answer.details?.uid) || 'an object without a uid');
    };
    return outcomeOf(deletion());
  }

  #oneOf(things: string[]): string {
    return things[Math.floor(this.#random() * things.length)] as string;
  }
}

async function outcomeOf(write: Promise<unknown>): Promise<Outcome> {
  try {
    await write;
    return 'acknowledged';
  } catch (error) {
    if (!(error instanceof ApiError) || error.code >= 500) return 'unknown';
    if (refusals.includes(error.code)) return 'refused';
    throw error;
  }
}
