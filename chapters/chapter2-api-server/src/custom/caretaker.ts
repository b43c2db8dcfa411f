// The caretaker of definitions: gives them their status, and clears up behind those that are deleted. It is a control loop, like those of
// chapter 3, but lives in the API server: no kind could be served without it.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/controller: status, establish, finalizer

import { type Clock, timestamp } from '#kit/clock';
import type { Logger } from '#kit/log';
import { NotImplemented } from '#kit/not-implemented';
import { isConflict, isNotFound } from '#kit/status';
import { LiveObjects } from '../access/live-objects.ts';
import { equalJson } from '../json.ts';
import { prefixOfResource } from '../keys.ts';
import { type ApiObject, targetOf } from '../object.ts';
import { statusUpdated, updated } from '../object-meta.ts';
import type { Combine, Registry } from '../registry.ts';
import type { WatchCaches } from '../watch-caches.ts';
import { resourcesOf } from './custom-resources.ts';
import { type Condition, cleanupFinalizer, type Definition, definitions, isTrue, withCondition } from './definition.ts';
import type { Definitions } from './definitions.ts';
import { nextStatus } from './naming.ts';

const retryAfterMs = 200;

const inProgress: Condition = {
  type: 'Terminating',
  status: 'True',
  reason: 'InstanceDeletionInProgress',
  message: 'CustomResource deletion is in progress',
};

export interface CaretakerOptions {
  definitions: Definitions;
  registry: Registry;
  caches: WatchCaches;
  clock: Clock;
  log: Logger;
}

export class Caretaker {
  readonly #options: CaretakerOptions;
  readonly #stopping = new AbortController();
  /** The objects of kinds that are on their way out, by the definition's uid. */
  readonly #leaving = new Map<string, LiveObjects>();
  #isDue = false;
  #round: Promise<void> | undefined;

  constructor(options: CaretakerOptions) {
    this.#options = options;
    options.definitions.onChange(() => this.look());
  }

  /** Looks at all definitions soon; again, if something happens meanwhile. */
  look(): void {
    this.#isDue = true;
    this.#round ??= this.#work().finally(() => (this.#round = undefined));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#round;
  }

  async #work(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    while (this.#isDue && !signal.aborted) {
      this.#isDue = false;
      try {
        await this.#lookAtAll();
      } catch (error) {
        // Trying again does not write a missing function.
        if (error instanceof NotImplemented) return;
        this.#isDue = true;
        // Somebody changed a definition meanwhile: look at what they made of it.
        if (isConflict(error) || isNotFound(error)) continue;
        log.warn('the definitions of custom kinds could not be looked after, trying again', { error });
        await clock.sleep(retryAfterMs, signal);
      }
    }
  }

  async #lookAtAll(): Promise<void> {
    const { registry, clock } = this.#options;
    await this.#options.definitions.ready();
    // Which names are given is asked of the store itself: two definitions must not get the same one. What a definition may hope for next
    // is asked of what this server has seen: only that is served.
    const { entries } = await registry.storage.list({ prefix: prefixOfResource(definitions) });
    const latest = new Map(entries.map(({ object }) => [object.metadata.name ?? '', object as Definition]));
    for (const definition of this.#options.definitions.values()) {
      const name = definition.metadata.name ?? '';
      if (definition.metadata.deletionTimestamp) {
        await this.#cleanUp(definition);
        continue;
      }
      const status = nextStatus(definition, [...latest.values()], timestamp(clock));
      if (!equalJson(status, definition.status)) latest.set(name, await this.#write({ ...definition, status }, statusUpdated));
    }
  }

  /** First nobody may make new objects, then all objects go, and then the definition. */
  async #cleanUp(definition: Definition): Promise<void> {
    const { clock } = this.#options;
    const { uid = '', finalizers = [] } = definition.metadata;
    if (!finalizers.includes(cleanupFinalizer)) return;
    if (isTrue(definition, 'Established')) {
      if (!isTrue(definition, 'Terminating')) {
        const conditions = withCondition(definition.status?.conditions ?? [], inProgress, timestamp(clock));
        await this.#write(
          { ...definition, status: { ...definition.status, conditions } as NonNullable<Definition['status']> },
          statusUpdated,
        );
        return;
      }
      if (!(await this.#isEmpty(definition))) return;
    }
    const others = finalizers.filter((finalizer) => finalizer !== cleanupFinalizer);
    await this.#write({ ...definition, metadata: { ...definition.metadata, finalizers: others } }, updated);
    this.#leaving.delete(uid);
  }

  /**
   * Whether no object of the kind is left; those that are get deleted. It is the watch cache that is asked: when it knows of the last
   * deletion, all who watch have been told.
   */
  async #isEmpty(definition: Definition): Promise<boolean> {
    const { registry, caches } = this.#options;
    const [resource] = resourcesOf(definition);
    if (!resource) return true;
    const { uid = '' } = definition.metadata;
    const objects = this.#leaving.get(uid) ?? new LiveObjects(resource, { storage: registry.storage, caches }, () => this.look());
    this.#leaving.set(uid, objects);
    await objects.ready();
    const left = [...objects.values()];
    for (const object of left.filter(({ metadata }) => !metadata.deletionTimestamp)) {
      try {
        await registry.delete(targetOf({ resource, namespace: undefined }, object), {});
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    return left.length === 0;
  }

  /** Only if nobody has changed the definition since it was looked at. */
  async #write(definition: Definition, combine: Combine): Promise<Definition> {
    const target = { resource: definitions, namespace: undefined, name: definition.metadata.name ?? '' };
    return (await this.#options.registry.update(target, () => structuredClone(definition) as ApiObject, combine)) as Definition;
  }
}
