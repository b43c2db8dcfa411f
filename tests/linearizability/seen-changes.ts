// What one informer tells of its objects, held against what may be told: added, then updated, then deleted, each time a later version, and
// nothing that nobody wrote. Only a list may tell of several writes at once: each change that a watch tells is the next one.

import type { ChangeHandler } from '#controller-manager/informer';
import { type ConfigMap, keyOf } from '#kit/api';

export class SeenChanges implements ChangeHandler<ConfigMap> {
  /** What should not have been told. */
  readonly problems: string[] = [];
  readonly story: string[] = [];
  readonly #attempted: ReadonlyMap<string, unknown>;
  readonly #present = new Map<string, ConfigMap>();
  /** By uid, the last version that was told. */
  readonly #versions = new Map<string, number>();

  readonly #seesAll: boolean;
  #isListed = false;

  /**
   * @param attempted by its name, what anybody ever tried to write
   * @param seesAll whether an object is in the informer's scope from its first version to its last
   */
  constructor(attempted: ReadonlyMap<string, unknown>, seesAll: boolean) {
    this.#attempted = attempted;
    this.#seesAll = seesAll;
  }

  /** What is told meanwhile is told by a list. */
  whileListed(tell: () => void): void {
    this.#isListed = true;
    tell();
    this.#isListed = false;
  }

  added(object: ConfigMap): void {
    this.#tell('added', object);
    if (this.#present.has(keyOf(object))) this.#complain('was there already');
    if (this.#seesAll) this.#follows(object, 0);
    this.#store(object);
  }

  updated(object: ConfigMap, old: ConfigMap): void {
    this.#tell('updated', object);
    const known = this.#present.get(keyOf(object));
    if (!known) this.#complain('was not there');
    else if (known !== old) this.#complain('does not follow what was told before');
    if (old.metadata?.uid !== object.metadata?.uid) this.#complain('is another object');
    this.#follows(object, writesIn(old).length);
    this.#store(object);
  }

  deleted(object: ConfigMap): void {
    this.#tell('deleted', object);
    const known = this.#present.get(keyOf(object));
    if (known?.metadata?.uid !== object.metadata?.uid) this.#complain('was not there');
    // A watch that tells of it brings the object's last state; an informer that finds another object in its place has only what it knew.
    if (known === object && !this.#isListed) this.#complain('was deleted without a word');
    this.#present.delete(keyOf(object));
  }

  /** Every write leaves one more name in the object. */
  #follows(object: ConfigMap, writes: number): void {
    if (!this.#isListed && writesIn(object).length !== writes + 1) this.#complain('leaves out what was written before');
  }

  #store(object: ConfigMap): void {
    const { uid = '', resourceVersion } = object.metadata ?? {};
    if (Number(resourceVersion) <= (this.#versions.get(uid) ?? 0)) this.#complain('is no later version');
    if (!writesIn(object).every((write) => this.#attempted.has(write))) this.#complain('was written by nobody');
    this.#versions.set(uid, Number(resourceVersion));
    this.#present.set(keyOf(object), object);
  }

  #tell(what: string, object: ConfigMap): void {
    const { uid, resourceVersion } = object.metadata ?? {};
    this.story.push(`${what} ${keyOf(object)} ${uid?.slice(0, 8)} at ${resourceVersion}: ${writesIn(object).join(' ')}`);
  }

  #complain(why: string): void {
    this.problems.push(`${this.story.at(-1)}, but it ${why}`);
  }
}

const writesIn = (object: ConfigMap) => Object.keys(object.data ?? {});
