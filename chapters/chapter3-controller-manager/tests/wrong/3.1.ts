import type { WrongSolution } from '#kit/testing/wrong-solution';

export const wrong: WrongSolution[] = [
  {
    name: 'a new list that only adds',
    misunderstanding: 'A list shows what there is, so there is nothing to learn from what it does not show.',
    file: 'informer.ts',
    replace: 'if (gone) this.deleted(gone);',
    by: 'if (gone) continue;',
    caughtBy: 'lists again when its version has expired, and tells only the differences, deletions too',
  },
  {
    name: 'a new list tells everything again',
    misunderstanding: 'Whatever is in a list has changed.',
    file: 'informer.ts',
    replace: 'if (known?.metadata?.resourceVersion !== object.metadata?.resourceVersion || !known) this.changed(object);',
    by: 'if (known || !known) this.changed(object);',
    caughtBy: 'lists again when its version has expired, and tells only the differences, deletions too',
  },
  {
    name: 'watches from now',
    misunderstanding: 'A watch begins where the list ended all by itself.',
    file: 'reflector.ts',
    replace: 'const options = { ...this.#options, resourceVersion, allowWatchBookmarks',
    by: "const options = { ...this.#options, resourceVersion: resourceVersion === '' ? '' : '999999', allowWatchBookmarks",
    caughtBy: 'misses nothing that happens between the list and the watch',
  },
  {
    name: 'lists again after every broken connection',
    misunderstanding: 'A connection that broke means that the cache is worthless.',
    file: 'reflector.ts',
    replace: 'return error instanceof ApiError;',
    by: 'return error !== undefined;',
    caughtBy: 'goes on after a broken connection from where it was, without a new list',
  },
  {
    name: 'watches on after 410',
    misunderstanding: 'An error of the server passes if one only tries again.',
    file: 'reflector.ts',
    replace: 'return error instanceof ApiError;',
    by: 'return error instanceof ApiError && error.code !== 410;',
    caughtBy: 'lists again when its version has expired, and tells only the differences, deletions too',
  },
  {
    name: 'forgets where the watch was',
    misunderstanding: 'The version to go on from is the one of the list.',
    file: 'reflector.ts',
    replace: 'this.#resourceVersion = event.object.metadata?.resourceVersion ?? this.#resourceVersion;',
    by: 'this.#resourceVersion = resourceVersion;',
    caughtBy: 'asks for bookmarks, and goes on from one when the watch ends',
  },
  {
    name: 'reads the first page only',
    misunderstanding: 'A list is one answer.',
    file: 'reflector.ts',
    replace: 'next = page.metadata.continue;',
    by: 'next = undefined;',
    caughtBy: 'reads a list that is longer than a page to its end',
  },
  {
    name: 'an index that only grows',
    misunderstanding: 'Putting the object under its new value is enough.',
    file: 'object-cache.ts',
    replace: 'if (old) this.#unindex(key, old);',
    by: 'if (old && !key) this.#unindex(key, old);',
    caughtBy: 'moves a changed object from its old index values to its new ones, and returns the old object',
  },
  {
    name: 'a deletion has no version',
    misunderstanding: 'What is gone has no version to go on from.',
    file: 'reflector.ts',
    replace: 'this.#resourceVersion = event.object.metadata?.resourceVersion ?? this.#resourceVersion;',
    by: "if (event.type !== 'DELETED') this.#resourceVersion = event.object.metadata?.resourceVersion ?? this.#resourceVersion;",
    caughtBy: 'goes on from a deletion too',
  },
  {
    name: 'watches more than it lists',
    misunderstanding: 'The list has been filtered, so the watch is.',
    file: 'reflector.ts',
    replace: 'const options = { ...this.#options, resourceVersion, allowWatchBookmarks',
    by: 'const options = { resourceVersion, allowWatchBookmarks',
    caughtBy: 'asks for its namespace and its selectors, in the list and in the watch',
  },
  {
    name: 'asks a confused server as fast as it can',
    misunderstanding: 'A watch that ends is nothing special.',
    file: 'reflector.ts',
    replace: 'if (events === 0 && clock.now() - start < 1_000',
    by: 'if (events < 0 && clock.now() - start < 1_000',
    caughtBy: 'waits before the next try when a watch ends after less than a second without an event',
  },
  {
    name: 'tells before it stores',
    misunderstanding: 'The handlers are given the object, so they need no cache.',
    file: 'informer.ts',
    replace: `const before = this.#cache.set(object);
    this.#notify((handler) => (before ? handler.updated?.(object, before) : handler.added?.(object)));`,
    by: `const before = this.#cache.get(keyOf(object));
    this.#notify((handler) => (before ? handler.updated?.(object, before) : handler.added?.(object)));
    this.#cache.set(object);`,
    caughtBy: 'has changed the cache when it calls a handler',
  },
  {
    name: 'tells before it forgets',
    misunderstanding: 'While its deletion is told, an object is still there.',
    file: 'informer.ts',
    replace: 'if (this.#cache.delete(keyOf(object))) this.#notify((handler) => handler.deleted?.(object));',
    by: `if (!this.#cache.get(keyOf(object))) return;
    this.#notify((handler) => handler.deleted?.(object));
    this.#cache.delete(keyOf(object));`,
    caughtBy: 'has changed the cache when it calls a handler',
  },
];
