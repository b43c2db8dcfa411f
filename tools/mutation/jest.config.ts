// One chapter's suite against the solution, for Stryker, which changes the solution in a copy of the repository: KATA_MUTATE says
// which chapter, KATA_MUTATE_TESTS which of its test files. A test that has failed has judged the mutant: the rest is left out.

import { common, moduleNameMapper, root, testTimeout } from '../jest-projects.ts';

const chapter = process.env.KATA_MUTATE;
const files = process.env.KATA_MUTATE_TESTS ?? '*';

export default {
  ...common,
  testMatch: [`${root}/chapters/${chapter}/tests/${files}.test.ts`],
  moduleNameMapper: moduleNameMapper(undefined),
  testEnvironment: `${root}/tools/mutation/first-failure.cjs`,
  testTimeout,
};
