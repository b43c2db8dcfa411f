// A watch that goes on where it was when its member dies, as an informer does, and writes down every event.

import { systemClock } from '#kit/clock';
import type { EtcdClient, Event, WatchConnection } from '#kit/testing/etcd-client';
import type { EtcdMember } from './etcd-cluster.ts';

export interface SeenEvent {
  revision: number;
  type: 'PUT' | 'DELETE';
  key: string;
  value: string;
}

const prefix = { key: 'keys/', rangeEnd: 'keys0' };

export class RecordedWatch {
  readonly events: SeenEvent[] = [];
  readonly #members: readonly EtcdMember[];
  readonly #running: Promise<void>;
  #stream: WatchConnection | undefined;
  #isOver = false;

  /** @param first the member that it asks first; later on, the next ones */
  constructor(members: readonly EtcdMember[], first: number) {
    this.#members = [...members.slice(first), ...members.slice(0, first)];
    this.#running = this.#run();
  }

  get revision(): number {
    return this.events.at(-1)?.revision ?? 0;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#stream?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let turn = 0; !this.#isOver; turn++) {
      const { client } = this.#members[turn % this.#members.length] as EtcdMember;
      if (client) await this.#follow(client).catch(() => {}); // The next member takes over.
      await systemClock.sleep(20);
    }
  }

  /** Until it fails, or is silent for long. */
  async #follow(client: EtcdClient): Promise<void> {
    const stream = client.watch();
    this.#stream = stream;
    try {
      await stream.create({ ...prefix, startRevision: this.revision + 1 });
      while (!this.#isOver) this.events.push(...(await stream.next()).events.map(seen));
    } finally {
      stream.close();
    }
  }
}

/** Everything that ever happened, as one member tells it. */
export async function everyEvent(client: EtcdClient, until: number): Promise<SeenEvent[]> {
  const stream = client.watch();
  const events: SeenEvent[] = [];
  try {
    await stream.create({ ...prefix, startRevision: 1 });
    while ((events.at(-1)?.revision ?? 0) < until) events.push(...(await stream.next('what happened')).events.map(seen));
    return events;
  } finally {
    stream.close();
  }
}

function seen({ type, kv }: Event): SeenEvent {
  return { revision: kv.modRevision, type, key: String(kv.key), value: String(kv.value) };
}
