// The generic registry: create, get, update, delete for every kind there is. What is special to a kind comes from its
// strategy (kinds/); where objects are kept is storage.ts. Every method answers the object as it is now, or throws ApiError.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go

import type { DeleteOptions } from 'kubernetes-types/meta/v1';
import { type Clock, type Random, timestamp } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';
import type { Admit, Author, Write } from './admission/admission.ts';
import { type DeletionStep, goesAtOnce, isReadyToGo, newFinalizerProblems, nextDeletionStep } from './deletion.ts';
import { alreadyExists, badRequest, conflict, invalid, modifiedMeanwhile, notFound, notWhileTerminating, noUniqueName } from './errors.ts';
import { canTrack, type FieldManager, trackUpdate } from './field-managers.ts';
import { equalJson } from './json.ts';
import { keyOf, prefixOfResource } from './keys.ts';
import { objectProblems, strategyFor } from './kinds/index.ts';
import type { StrategyContext } from './kinds/strategy.ts';
import { metadataProblems } from './metadata-validation.ts';
import { generateName, nameProblems } from './names.ts';
import { isNamespaces, newNamespace } from './namespaces.ts';
import { type ApiObject, type Collection, type Target, targetOf } from './object.ts';
import { countsGenerations, newborn, updated, withoutEmpty } from './object-meta.ts';
import type { ResourceDefinition } from './resources.ts';
import type { Storage } from './storage.ts';
import { Turns } from './turns.ts';

const generateNameAttempts = 8;

export interface WriteOptions {
  /** Do everything but the writing. */
  dryRun?: boolean;
  /** Who writes; absent: an object's managedFields are as its author has them. */
  manager?: FieldManager;
  /** Who asks for it, to be admitted; absent: the server itself. */
  author?: Author;
}

/** How the stored object and the wanted one become the next one. */
export type Combine = (old: ApiObject, wanted: ApiObject, resource: ResourceDefinition) => ApiObject;

/** What an author wants the object to be, given a private copy of what it is. */
export type Change = (current: ApiObject) => ApiObject | Promise<ApiObject>;

export interface RegistryContext {
  storage: Storage;
  /** Asked before each write that somebody asks for. */
  admit: Admit;
  clock: Clock;
  random: Random;
  /** CIDR */
  serviceClusterIpRange: string;
}

export class Registry {
  readonly storage: Storage;
  readonly #admit: Admit;
  readonly #context: StrategyContext;
  readonly #canTrack = canTrack();
  /** Writes that claim what only one object may have: each waits for the one before it. */
  readonly #turns = new Turns<ResourceDefinition>();

  constructor({ storage, admit, ...context }: RegistryContext) {
    this.storage = storage;
    this.#admit = admit;
    const list = async (resource: ResourceDefinition) => {
      const { entries } = await storage.list({ prefix: prefixOfResource(resource) });
      return entries.map(({ object }) => object);
    };
    this.#context = { ...context, list };
  }

  async get(target: Target): Promise<ApiObject> {
    const found = await this.storage.get(keyOf(target));
    if (!found) throw notFound(target.resource, target.name);
    return found;
  }

  /** Rejects with AlreadyExists when the name is taken. With metadata.generateName and no name, finds one that is free. */
  create(collection: Collection, wanted: ApiObject, options: WriteOptions = {}): Promise<ApiObject> {
    const write = () => this.#create(collection, wanted, options);
    return strategyFor(collection.resource).takesTurns ? this.#turns.take(collection.resource, write) : write();
  }

  /**
   * Replaces an object by what `change` makes of it. Where the change names a resourceVersion, it is meant for that version
   * only. `combine` says what of the wanted object counts: a plain update keeps the status, one of the status keeps the rest.
   */
  update(target: Target, change: Change, combine: Combine = updated, options: WriteOptions = {}): Promise<ApiObject> {
    const write = () => this.#update(target, change, combine, options);
    return strategyFor(target.resource).takesTurns ? this.#turns.take(target.resource, write) : write();
  }

  /** Deletes, or marks for deletion; `gone` tells which. */
  async delete(target: Target, options: DeleteOptions = {}, write: WriteOptions = {}): Promise<{ gone: boolean; object: ApiObject }> {
    const key = keyOf(target);
    let current = await this.storage.get(key);
    while (current) {
      if (options.preconditions) checkPreconditions(target, current, options);
      await this.#admitted(write, { target, old: current }, () => {});
      const held = strategyFor(target.resource).prepareForDelete?.(current) ?? current;
      const step = this.#nextDeletionStep(target, held as ApiObject, options);
      const next = step.remove ? current : step.next;
      if (write.dryRun || (!step.remove && equalJson(next, current))) return { gone: step.remove, object: next };
      const { resourceVersion = '' } = current.metadata;
      const result = step.remove ? await this.storage.delete(key, current) : await this.storage.update(key, resourceVersion, next);
      if (result.written) return { gone: step.remove, object: result.object };
      current = result.found;
    }
    throw notFound(target.resource, target.name);
  }

  async #create(collection: Collection, wanted: ApiObject, options: WriteOptions): Promise<ApiObject> {
    const { name, generateName: base } = wanted.metadata;
    const isGenerated = !name && !!base;
    for (let attempt = 1; ; attempt++) {
      const chosen = isGenerated ? generateName(base, this.#context.random) : name;
      const named = chosen ? { ...wanted, metadata: { ...wanted.metadata, name: chosen } } : wanted;
      const target = targetOf(collection, named);
      const object = await this.#prepareForCreate(target, named, options);
      if (options.dryRun) return object;
      const result = await this.storage.create(keyOf(target), object);
      if (result.written) return result.object;
      if (!isGenerated) throw alreadyExists(target.resource, target.name);
      if (attempt === generateNameAttempts) throw noUniqueName(target.resource, target.name);
    }
  }

  async #prepareForCreate(target: Target, wanted: ApiObject, options: WriteOptions): Promise<ApiObject> {
    const { resource, namespace } = target;
    if (resource.custom?.isTerminating) throw notWhileTerminating(resource);
    if (wanted.metadata.resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created');
    const strategy = strategyFor(resource);
    const born = withoutEmpty(newborn(wanted, this.#context));
    if (!countsGenerations(resource)) delete born.metadata.generation;
    if (namespace) born.metadata.namespace = namespace;
    // A new object has no history to report. Nodes are different: the kubelet brings their status along.
    if (resource.subresources.includes('status') && resource.plural !== 'nodes') delete born.status;
    const whole = isNamespaces(resource) ? newNamespace(born) : born;
    strategy.setDefaults?.(whole);
    // What plugins and the server itself add is nobody's.
    const object = this.#tracked(resource, undefined, whole, options.manager);
    await this.#admitted(options, { target, object }, () => {
      const causes = [...nameProblems(resource, object), ...metadataProblems(object.metadata), ...objectProblems(resource, object)];
      if (causes.length > 0) throw invalid(resource, target.name, causes);
    });
    await strategy.prepareForCreate?.(object, this.#context);
    return object;
  }

  /**
   * Reads, changes, and writes if nobody else wrote in between; if somebody did, begins again from what they wrote. So a
   * change that names no resourceVersion always gets through, and one that does gets a Conflict when it came too late. An object
   * that is being deleted and loses its last finalizer by the change (`isReadyToGo`) is deleted instead of written.
   */
  async #update(target: Target, change: Change, combine: Combine, options: WriteOptions): Promise<ApiObject> {
    throw new NotImplemented(
      '2.3',
      'Change the object that is there, and begin again where somebody else was faster; no update may be lost',
    );
  }

  async #prepareForUpdate(
    target: Target,
    current: ApiObject,
    wanted: ApiObject,
    combine: Combine,
    options: WriteOptions,
  ): Promise<ApiObject> {
    const { resource, name } = target;
    const strategy = strategyFor(resource);
    const isPlain = combine === updated;
    if (isPlain) strategy.setDefaults?.(wanted);
    const next = withoutEmpty(combine(current, wanted, resource));
    // Only the namespace controller, through /finalize, says when a namespace is empty.
    if (isPlain && isNamespaces(resource)) next.spec = current.spec;
    await this.#admitted(options, { target, object: next, old: current }, () => {
      const causes = [
        ...(current.metadata.deletionTimestamp ? newFinalizerProblems(current, next) : []),
        ...metadataProblems(next.metadata),
        ...(isPlain ? objectProblems(resource, next, current) : (strategy.validateStatus?.(next, current) ?? [])),
      ];
      if (causes.length > 0) throw invalid(resource, name, causes);
    });
    if (!isPlain || !strategy.prepareForUpdate) return next;
    await strategy.prepareForUpdate(next, current, this.#context);
    // What the server gave back of its own is no change that anybody asked for: the generation is counted again.
    return withoutEmpty(combine(current, next, resource));
  }

  /** The server's own writes are nobody's business. */
  async #admitted(
    { author, dryRun = false }: WriteOptions,
    write: Pick<Write, 'target' | 'object' | 'old'>,
    check: () => void,
  ): Promise<void> {
    if (author) await this.#admit({ ...author, dryRun, ...write }, check);
    else check();
  }

  #tracked({ custom }: ResourceDefinition, old: ApiObject | undefined, next: ApiObject, manager: FieldManager | undefined): ApiObject {
    return manager && this.#canTrack ? trackUpdate(old, next, manager, timestamp(this.#context.clock), custom?.shape) : next;
  }

  #nextDeletionStep({ resource }: Target, current: ApiObject, options: DeleteOptions): DeletionStep {
    return goesAtOnce(current, options, resource) ? { remove: true } : nextDeletionStep(current, options, resource, this.#context.clock);
  }
}

/**
 * Throws Conflict when the object is not the one (`Precondition failed: UID in precondition: <theirs>, UID in object meta: <its>`),
 * or not in the version (`modifiedMeanwhile`), that the author had in mind.
 */
export function checkPreconditions(target: Target, current: ApiObject, { preconditions }: Pick<DeleteOptions, 'preconditions'>): void {
  throw new NotImplemented('2.3', "Compare uid and resourceVersion, where the preconditions name them, with the object's own");
}
