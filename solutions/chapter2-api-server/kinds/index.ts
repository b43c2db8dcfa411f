// Which kinds have something special, and what. A kind that is not here is stored just as its author wrote it.

import type { ResourceDefinition } from '../resources.ts';
import type { KindStrategy } from './strategy.ts';

const strategies: Record<string, KindStrategy> = {};

/** The strategy of a resource's kind; an empty one when there is nothing special to it. */
export function strategyFor({ group, kind }: ResourceDefinition): KindStrategy {
  return strategies[`${group}/${kind}`] ?? {};
}
