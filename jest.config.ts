// Plain jest: one project a chapter. Project N resolves `#…` names with the condition `learner-N` and no other,
// so `npm test -- chapter3` tests *your* chapter 3 over the reference's other chapters.
// The module map is derived from package.json's `imports`; there is no second map anywhere.
import { chapterProjects, testTimeout } from './tools/jest-projects.ts';

export default {
  projects: chapterProjects({ learner: true }),
  reporters: ['<rootDir>/tools/progress.ts'],
  testTimeout,
};
