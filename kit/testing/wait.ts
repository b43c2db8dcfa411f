// Waiting in tests: for a condition, with a deadline, and never longer than needed. A wait that gives up tells the story so
// far; a stage that is not written yet ends every wait at once.

import { url as debuggerUrl } from 'node:inspector';
import { systemClock } from '#kit/clock';
import { NotImplemented } from '#kit/not-implemented';

const pollEveryMs = 15;

/** What is left of a type when the condition holds. */
export type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>;

export interface WaitOptions {
  /** Milliseconds; 10 s by default: far above what any test needs, far below jest's patience (tools/jest-projects.ts). */
  within?: number;
  /** Said when the wait gives up: the events that led here. */
  story?: () => string;
}

/** Milliseconds that a wait really has: no end of them while a debugger may hold the process at a breakpoint. */
export function patience(ms: number): number {
  return debuggerUrl() ? ms * 1000 : ms;
}

/**
 * Resolves with the first truthy value that `check` gives. `check` may throw while the condition does not hold yet (an
 * `expect` that fails, an object that is not there): its last error is what the wait gives up with.
 */
export async function eventually<T>(
  what: string,
  check: () => T | Promise<T>,
  { within = 10_000, story }: WaitOptions = {},
): Promise<Truthy<T>> {
  const deadline = systemClock.now() + patience(within);
  let lastError: unknown;
  while (true) {
    try {
      const value = await check();
      if (value) return value as Truthy<T>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (NotImplemented.first) throw NotImplemented.first;
    if (systemClock.now() > deadline) throw gaveUp(what, within, lastError, story?.());
    await systemClock.sleep(pollEveryMs);
  }
}

/** Rejects when `promise` has not settled in time: nothing in a test waits for ever. */
export async function withDeadline<T>(what: string, promise: Promise<T>, { within = 10_000, story }: WaitOptions = {}): Promise<T> {
  const over = new AbortController();
  const watchdog = (async () => {
    const deadline = systemClock.now() + patience(within);
    while (!over.signal.aborted && systemClock.now() < deadline && !NotImplemented.first) await systemClock.sleep(pollEveryMs, over.signal);
    if (over.signal.aborted) return new Promise<never>(() => {});
    throw NotImplemented.first ?? gaveUp(what, within, undefined, story?.());
  })();
  try {
    return await Promise.race([promise, watchdog]);
  } finally {
    over.abort();
  }
}

function gaveUp(what: string, within: number, cause: unknown, story: string | undefined): Error {
  const why = cause instanceof Error ? `\n\nLast seen: ${cause.message}` : '';
  return new Error(`waited ${within / 1000} s for: ${what}${why}${story ? `\n\nWhat happened until then:\n${story}` : ''}`);
}
