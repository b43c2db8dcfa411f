// What controllers need that see to it that every namespace has something.

import { keyOf, type Namespace } from '#kit/api';
import type { Informer } from './informer.ts';
import type { WorkQueue } from './work-queue.ts';

/** Queues each namespace's name: at the start, when it is made, and when it changes. */
export function eachNamespace(namespaces: Informer<Namespace>, queue: WorkQueue): void {
  const look = (namespace: Namespace) => queue.add(keyOf(namespace));
  namespaces.onChange({ added: look, updated: look });
}

/** Nothing new can be made in a namespace that is ending. */
export function isActive(namespace: Namespace | undefined): boolean {
  return namespace?.status?.phase === 'Active' && !namespace.metadata?.deletionTimestamp;
}
