// What a test gets for `@jest/globals` when there is no jest around it: the same describe, it and expect, which jest itself has from here.

import { jestExpect } from '@jest/expect';

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, test } from 'jest-circus';
export const expect = jestExpect;

/** A mutant's tests have limits of their own. */
export const jest = { setTimeout: (): void => undefined };
