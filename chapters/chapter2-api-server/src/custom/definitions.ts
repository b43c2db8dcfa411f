// All kinds there are, as of now: the table of built-in ones, and one that grows and shrinks with the definitions in the store. The
// definitions are watched like anything else: a change arrives, and the next request finds another table.
// Kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go

import { NotImplemented } from '#kit/not-implemented';
import { LiveObjects } from '../access/live-objects.ts';
import { findResource, type ResourceDefinition, resources } from '../resources.ts';
import type { Storage } from '../storage.ts';
import type { WatchCaches } from '../watch-caches.ts';
import { compareVersions, resourcesOf } from './custom-resources.ts';
import { type Definition, definitions } from './definition.ts';

export interface DefinitionsOptions {
  storage: Storage;
  caches: WatchCaches;
}

export class Definitions {
  readonly #caches: WatchCaches;
  readonly #live: LiveObjects<Definition>;
  readonly #listeners: (() => void)[] = [];
  #canWatch = true;
  /** By the prefix of its objects' keys, which definition it is, and what it says. */
  #known = new Map<string, string>();
  /** Made when somebody asks for it, from the definitions as they are then. */
  #table: ResourceDefinition[] | undefined;

  constructor({ storage, caches }: DefinitionsOptions) {
    this.#caches = caches;
    this.#live = new LiveObjects<Definition>(definitions, { storage, caches }, () => this.#refresh());
  }

  /**
   * Resolves when the definitions are here. Call it before you ask for anything else. While stages 2.2 and 2.4 are not written, there are
   * no custom kinds, and all else works.
   */
  async ready(): Promise<void> {
    if (!this.#canWatch) return;
    try {
      await this.#live.ready();
    } catch (error) {
      if (!(error instanceof NotImplemented)) throw error;
      NotImplemented.forget();
      this.#canWatch = false;
    }
  }

  /** Tells what is there already. */
  async begin(): Promise<void> {
    await this.ready();
    this.#refresh();
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  values(): Definition[] {
    return [...this.#live.values()];
  }

  /** Every kind, built-in ones first. The array is another one after each change. */
  all(): ResourceDefinition[] {
    this.#table ??= [...resources, ...this.values().flatMap(resourcesOf).sort(byGroupThenBestVersion)];
    return this.#table;
  }

  find(group: string, version: string, plural: string): ResourceDefinition | undefined {
    const isThis = (candidate: ResourceDefinition) =>
      candidate.plural === plural && candidate.group === group && candidate.version === version;
    return findResource(group, version, plural) ?? this.all().find(isThis);
  }

  #refresh(): void {
    this.#table = undefined;
    const known = new Map(
      this.values().map((definition) => [prefixOf(definition), `${definition.metadata.uid} ${JSON.stringify(definition.spec)}`]),
    );
    // A watch shows objects by the schema with which it began.
    for (const [prefix, which] of this.#known) if (known.get(prefix) !== which) this.#caches.end(prefix);
    this.#known = known;
    for (const listener of this.#listeners) listener();
  }
}

/** Where the objects of the kind are kept. */
export function prefixOf({ spec }: Definition): string {
  return `/registry/${spec.group}/${spec.names.plural}/`;
}

function byGroupThenBestVersion(one: ResourceDefinition, other: ResourceDefinition): number {
  if (one.group !== other.group) return one.group < other.group ? -1 : 1;
  return compareVersions(one.version, other.version) || (one.plural < other.plural ? -1 : 1);
}
