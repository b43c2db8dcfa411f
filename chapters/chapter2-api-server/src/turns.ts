// One at a time: work that reads something, decides, and writes it, where somebody else's write in between would make it begin again.

export class Turns<K> {
  /** The last piece of work for each key. */
  readonly #last = new Map<K, Promise<unknown>>();

  /** Does the work when all that was given for this key before is done, however that ended. */
  async take<T>(key: K, work: () => Promise<T>): Promise<T> {
    const mine = (this.#last.get(key) ?? Promise.resolve()).then(work);
    // Only the order matters to the next one; who asked for this work hears how it ended.
    const done = mine.catch(() => {});
    this.#last.set(key, done);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === done) this.#last.delete(key);
    }
  }
}
