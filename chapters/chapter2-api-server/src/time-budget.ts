// What somebody's expressions and regular expressions may cost: so much time and no more, so that nobody can stop the server by writing one.
// Kubernetes: staging/src/k8s.io/apiserver/pkg/apis/cel/config.go

import { createContext, Script } from 'node:vm';
import { ExpressionFailure } from './expressions.ts';

/**
 * Kubernetes counts the steps of an expression, and lets those of a webhook's conditions be as many as take about a quarter of a second.
 * The library does not count, so this is time.
 */
const limitInMilliseconds = 250;
export const outOfBudget = 'validation failed due to running out of cost budget, no further validation rules will be run';

/** What `work` says; a failure when it takes longer than the limit. */
export function withinBudget<Result>(work: () => Result): Result | ExpressionFailure {
  const [result] = eachWithinBudget([work], () => work());
  return result as Result | ExpressionFailure;
}

/**
 * What `work` says of each item, in order; a failure for an item that takes longer than the limit. On a busy machine the clock goes on while
 * nothing is done: who did not have the processor for half of the time tries again, with twice the time. Other errors are thrown.
 */
export function eachWithinBudget<Item, Result>(items: Item[], work: (item: Item) => Result): (Result | ExpressionFailure)[] {
  const results: (Result | ExpressionFailure)[] = [];
  let limit = limitInMilliseconds;
  while (results.length < items.length) {
    const before = results.length;
    const processor = process.threadCpuUsage();
    try {
      bounded(limit, () => {
        for (const item of items.slice(before)) results.push(work(item));
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      const { user, system } = process.threadCpuUsage(processor);
      const hadItsTime = (user + system) / 1000 >= limitInMilliseconds / 2;
      // Only the one that began with the clock has had all of it.
      const isItsOwn = results.length === before;
      if (isItsOwn && hadItsTime) results.push(new ExpressionFailure(outOfBudget));
      limit = isItsOwn && !hadItsTime ? limit * 2 : limitInMilliseconds;
    }
  }
  return results;
}

const room: { callback?: () => unknown } = createContext({});
const callIt = new Script('callback()');

/** Node.js can interrupt JavaScript only inside of a script that has a timeout: a loop as well as a regular expression. */
function bounded(timeout: number, callback: () => void): void {
  room.callback = callback;
  try {
    callIt.runInContext(room, { timeout });
  } finally {
    delete room.callback;
  }
}
