// Events: what a component wants people to see with `kubectl describe` and `kubectl get events`. Recording never fails and never
// waits: an event that cannot be written is logged and dropped. The same event again raises the count of the one that is there.
// Kubernetes: client-go/tools/record/event.go, events_cache.go

import { type Event, Events, type KubernetesObject } from '#kit/api';
import type { Client } from '#kit/client';
import { timestamp } from '#kit/clock';
import type { ComponentContext } from '#kit/component';
import { isNotFound } from '#kit/status';

/** So many different events are remembered for counting; the least recently recorded are forgotten first. */
const remembered = 4_096;

export class EventRecorder {
  readonly #client: Client;
  readonly #component: string;
  readonly #context: ComponentContext;
  readonly #host: string | undefined;
  /** What was recorded last under each identity: the write under way, and its outcome. */
  readonly #recent = new Map<string, Promise<Event | undefined>>();

  /** @param component shown as the event's source, e.g. `kubelet`; @param options.host the node, for components that run on one */
  constructor(client: Client, component: string, context: ComponentContext, { host }: { host?: string } = {}) {
    this.#client = client;
    this.#component = component;
    this.#context = context;
    this.#host = host;
  }

  /** `object` is what the event is about and must carry apiVersion and kind. */
  event(object: KubernetesObject, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const identity = JSON.stringify([object.kind, object.metadata?.uid, object.metadata?.name, type, reason, message]);
    const before = this.#recent.get(identity) ?? Promise.resolve(undefined);
    const write = before
      .then((event) => (event ? this.#countUp(event) : this.#create(object, type, reason, message)))
      .catch((error) => {
        this.#context.log.debug('an event could not be written', { reason, error });
        return undefined;
      });
    this.#recent.delete(identity);
    this.#recent.set(identity, write);
    if (this.#recent.size <= remembered) return;
    const [oldest] = this.#recent.keys();
    this.#recent.delete(oldest as string);
  }

  /** Resolves when everything recorded until now is written or dropped. */
  async flush(): Promise<void> {
    await Promise.all(this.#recent.values());
  }

  #create({ apiVersion, kind, metadata }: KubernetesObject, type: string, reason: string, message: string): Promise<Event> {
    const { name = '', namespace, uid, resourceVersion } = metadata ?? {};
    const now = timestamp(this.#context.clock);
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${name}.${this.#hexDigits()}`, namespace: namespace ?? 'default' },
      involvedObject: { apiVersion, kind, name, namespace, uid, resourceVersion },
      type,
      reason,
      message,
      source: { component: this.#component, host: this.#host },
      reportingComponent: this.#component,
      reportingInstance: this.#host ?? '',
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
    };
    return this.#client.create(Events, event as Event);
  }

  async #countUp(event: Event): Promise<Event> {
    const { name = '', namespace } = event.metadata;
    const patch = { count: (event.count ?? 1) + 1, lastTimestamp: timestamp(this.#context.clock) };
    try {
      return await this.#client.patch(Events, { name, namespace }, 'merge', patch);
    } catch (error) {
      // Events live for an hour in a real cluster, or until somebody deletes them: then this is a first time again.
      if (!isNotFound(error)) throw error;
      const { apiVersion, kind, uid, resourceVersion } = event.involvedObject;
      const about = { apiVersion, kind, metadata: { ...event.involvedObject, uid, resourceVersion } } as KubernetesObject;
      return this.#create(about, event.type ?? 'Normal', event.reason ?? '', event.message ?? '');
    }
  }

  /** 16 of them, as in real event names, where they are the time in nanoseconds. */
  #hexDigits(): string {
    const nanoseconds = BigInt(this.#context.clock.now()) * 1_000_000n + BigInt(Math.floor(this.#context.random() * 1_000_000));
    return nanoseconds.toString(16).padStart(16, '0');
  }
}
